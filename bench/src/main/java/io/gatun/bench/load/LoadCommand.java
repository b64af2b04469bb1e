package io.gatun.bench.load;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.bench.JsonFile;
import io.gatun.bench.OtherPrograms;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Loads servers as independent users do, and tells how much they do and how fast. */
@Command(
        name = "scripts/bench load",
        description = "Sends texts at given rates, whether or not the last ones are answered, to Gatun and to ONNX"
                + " Runtime in the same server, or to any server that is named.",
        mixinStandardHelpOptions = true)
final class LoadCommand implements Callable<Integer> {
    private static final int CHECKED = 200;
    private static final double WARM_UP = 1;
    private static final double SATURATION = 5;

    @Option(
            names = "--target",
            paramLabel = "URL",
            description = "Loads this server alone, as http://127.0.0.1:8080 or grpc://127.0.0.1:8081.")
    private @Nullable URI target;

    @Option(
            names = "--protocol",
            paramLabel = "NAME",
            description = "How servers are asked: tei, kserve, vllm, openai, grpc-tei or grpc-kserve (default: tei).",
            converter = ProtocolConverter.class)
    private Protocol protocol = HttpProtocol.TEI;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "For protocols that name the model (default: ${DEFAULT-VALUE}).")
    private String model = "default";

    @Option(
            names = "--server-cpus",
            paramLabel = "LIST",
            description = "The processors of the servers that are started, as taskset takes them (default: all).")
    private String serverCpus = "";

    @Option(names = "--client-cpus", paramLabel = "LIST", description = "The processors of the generator.")
    private String clientCpus = "";

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "How long each rate is measured (default: ${DEFAULT-VALUE}).")
    private double seconds = 10;

    @Option(names = "--tokens", paramLabel = "N", description = "Texts of one length (default: a mix of 3 to 256).")
    private @Nullable Integer tokens;

    @Option(names = "--seed", paramLabel = "N", description = "Of the arrivals (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--timeout",
            paramLabel = "MS",
            description = "When the client gives a request up (default: ${DEFAULT-VALUE}).")
    private int timeoutMs = 5000;

    @Option(
            names = "--connections",
            paramLabel = "N",
            description = "The most that are open at a time (default: ${DEFAULT-VALUE}).")
    private int connections = 2048;

    @Option(
            names = "--only",
            paramLabel = "NAME",
            split = ",",
            description = "Of the servers that are started, these only: gatun, onnxruntime (one request one run, on all"
                    + " its processors), onnxruntime-parallel (a run for each processor), onnxruntime-batcher.")
    private List<String> only = List.of();

    @Option(
            names = "--overload",
            paramLabel = "SECONDS",
            description = "Afterwards sends twice what each server can do, for so long.")
    private double overload;

    @Option(names = "--html", paramLabel = "FILE", description = "Also writes a report with plots.")
    private @Nullable Path html;

    @Option(names = "--json", paramLabel = "FILE", description = "Also writes all that was measured as JSON.")
    private @Nullable Path json;

    /** Names of protocols. */
    static final class ProtocolConverter implements CommandLine.ITypeConverter<Protocol> {
        @Override
        public Protocol convert(String id) {
            return Protocol.all().stream()
                    .filter(protocol -> protocol.id().equals(id))
                    .findFirst()
                    .orElseThrow(() -> new CommandLine.TypeConversionException("no protocol is called " + id));
        }
    }

    public static void main(String[] args) {
        CommandLine command = new CommandLine(new LoadCommand());
        command.setExecutionExceptionHandler((e, _, _) -> {
            if (e instanceof LoadException || e instanceof IOException) {
                say(e.getMessage() == null ? e.toString() : e.getMessage());
                return CommandLine.ExitCode.USAGE;
            }
            throw e;
        });
        System.exit(command.execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        JsonFile jsonFile = json == null ? null : JsonFile.of(json);
        JsonFile htmlFile = html == null ? null : JsonFile.of(html);
        Texts texts = tokens == null ? Texts.mixed() : Texts.ofTokens(tokens);
        List<ServerProcess> processes = new ArrayList<>();
        List<Subject> subjects = new ArrayList<>();
        try {
            if (target != null) {
                subjects.add(subject("target", target, texts, OptionalLong.empty()));
            }
            for (String name : names()) {
                say("starting " + name);
                ServerProcess process = Servers.start(name, serverCpus);
                processes.add(process);
                subjects.add(subject(
                        name,
                        process.address(protocol instanceof GrpcProtocol),
                        texts,
                        OptionalLong.of(process.pid())));
            }
            pin();
            check(subjects);
            LoadReport report = measure(subjects);
            report.print(System.out);
            ObjectNode tree = report.json(about(texts));
            if (jsonFile != null) {
                jsonFile.write(tree);
                say("wrote " + jsonFile);
            }
            if (htmlFile != null) {
                htmlFile.write(HtmlReport.of(tree));
                say("wrote " + htmlFile);
            }
        } finally {
            subjects.forEach(Subject::close);
            processes.forEach(ServerProcess::close);
        }
        return 0;
    }

    /** Of the servers to start. The peers speak one protocol. */
    private List<String> names() {
        if (target != null) {
            return List.of();
        }
        if (!only.isEmpty()) {
            return only;
        }
        return protocol == HttpProtocol.TEI ? Servers.NAMES : List.of(Servers.GATUN);
    }

    private void check(List<Subject> subjects) throws InterruptedException {
        List<Answer> gatun = List.of();
        for (Subject subject : subjects) {
            List<Answer> answers = subject.askFirst(CHECKED);
            Agreement.check(subject.name(), protocol, answers);
            if (subject.name().equals(Servers.GATUN)) {
                gatun = answers;
            } else if (protocol == HttpProtocol.TEI) {
                Agreement.compare(subject.name(), answers, gatun);
            }
        }
    }

    private LoadReport measure(List<Subject> subjects) throws InterruptedException {
        OtherPrograms others = new OtherPrograms(() -> cpuTime(subjects));
        Sweep sweep = new Sweep(
                subjects, new Sweep.Plan(WARM_UP, seconds, Math.max(seconds, SATURATION), seed), LoadCommand::say);
        sweep.climb();
        sweep.refine(LoadReport.BUDGETS_MS);
        sweep.calm();
        Map<String, Overload> overloads = new LinkedHashMap<>();
        if (overload > 0) {
            for (Subject subject : subjects) {
                double capacity = sweep.capacity(subject.name());
                say("%s at %.0f/s for %.0f s".formatted(subject.name(), 2 * capacity, overload));
                overloads.put(subject.name(), Overload.of(subject, capacity, overload, seed));
            }
        }
        return new LoadReport(
                subjects.stream().map(Subject::name).toList(), sweep, sweep.runs(), overloads, others.share());
    }

    /** Of the generator and the servers on this machine that it knows. */
    private static Duration cpuTime(List<Subject> subjects) {
        return subjects.stream()
                .flatMap(subject -> subject.usage().stream())
                .map(Usage::cpu)
                .reduce(Subject.ownCpuTime(), Duration::plus);
    }

    private ObjectNode about(Texts texts) {
        return JsonFile.begin(Map.of(), (int) Servers.count(serverCpus))
                .put("texts", texts.name())
                .put("protocol", protocol.id())
                .put("seed", seed)
                .put("timeout_ms", timeoutMs)
                .put("server_cpus", serverCpus.isEmpty() ? "all" : serverCpus)
                .put("client_cpus", clientCpus.isEmpty() ? "all" : clientCpus);
    }

    private Subject subject(String name, URI server, Texts texts, OptionalLong pid) {
        Client client = protocol.client(texts, server, model, connections, Duration.ofMillis(timeoutMs));
        return new Subject(name, client, texts.size(), pid, new Unchanged(texts.size(), protocol::lasting));
    }

    /** All threads of this process, and those that they will start. */
    private void pin() throws IOException, InterruptedException {
        if (clientCpus.isEmpty()) {
            return;
        }
        Process taskset = new ProcessBuilder(
                        "taskset",
                        "-acp",
                        clientCpus,
                        Long.toString(ProcessHandle.current().pid()))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        if (taskset.waitFor() != 0) {
            throw new LoadException("The generator cannot be kept to the processors " + clientCpus + ".");
        }
    }

    private static void say(String what) {
        System.err.println("load: " + what);
    }
}
