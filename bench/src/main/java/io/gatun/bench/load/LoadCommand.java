package io.gatun.bench.load;

import io.gatun.bench.JsonFile;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
    private static final int CHECKED = 100;
    private static final int DEFAULT_HTTP_PORT = 80;

    @Option(names = "--target", paramLabel = "URL", description = "Loads this server alone, as http://127.0.0.1:8080.")
    private @Nullable URI target;

    @Option(
            names = "--protocol",
            paramLabel = "NAME",
            description = "How servers are asked: tei, kserve, vllm or openai (default: tei).",
            converter = WireConverter.class)
    private Wire wire = Wire.TEI;

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

    @Option(names = "--json", paramLabel = "FILE", description = "Also writes all that was measured as JSON.")
    private @Nullable Path json;

    /** Names of protocols. */
    static final class WireConverter implements CommandLine.ITypeConverter<Wire> {
        @Override
        public Wire convert(String id) {
            for (Wire wire : Wire.values()) {
                if (wire.id().equals(id)) {
                    return wire;
                }
            }
            throw new CommandLine.TypeConversionException("no protocol is called " + id);
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
        Texts texts = tokens == null ? Texts.mixed() : Texts.ofTokens(tokens);
        List<ServerProcess> processes = new ArrayList<>();
        List<Subject> subjects = new ArrayList<>();
        try {
            if (target == null) {
                ServerProcess gatun = ServerProcess.start(
                        "gatun", serverCpus, List.of(ServerProcess.path("scripts/gatun"), "serve", "--port", "0"));
                processes.add(gatun);
                subjects.add(
                        subject("gatun", URI.create(gatun.ready().getFirst()), texts, OptionalLong.of(gatun.pid())));
            } else {
                subjects.add(subject("target", target, texts, OptionalLong.empty()));
            }
            pin();
            for (Subject subject : subjects) {
                for (Answer answer : subject.askFirst(CHECKED)) {
                    if (wire.label(answer.body()).isEmpty()) {
                        throw new LoadException(subject.name() + " does not answer as " + wire.id() + " does: "
                                + answer.outcome().name() + ".");
                    }
                }
            }
            Sweep sweep = new Sweep(subjects, new Sweep.Plan(1, seconds, seconds, seed), LoadCommand::say);
            sweep.climb();
            sweep.refine(List.of(20.0, 50.0));
            sweep.calm();
            for (Subject subject : subjects) {
                System.out.printf(
                        "%s: capacity %.0f/s, at p99 20 ms %.0f/s, at p99 50 ms %.0f/s%n",
                        subject.name(),
                        sweep.capacity(subject.name()),
                        sweep.sustained(subject.name(), 20),
                        sweep.sustained(subject.name(), 50));
            }
            for (Run run : sweep.runs()) {
                say("%s %.0f late %.3f ms, client %.3f, server %s"
                        .formatted(run.stage(), run.rate(), run.latestMs(), run.clientCores(), run.serverCores()));
            }
            if (jsonFile != null) {
                say("not yet: " + jsonFile);
            }
        } finally {
            subjects.forEach(Subject::close);
            processes.forEach(ServerProcess::close);
        }
        return 0;
    }

    private Subject subject(String name, URI server, Texts texts, OptionalLong pid) {
        int port = server.getPort() < 0 ? DEFAULT_HTTP_PORT : server.getPort();
        Client client = HttpClient.of(
                new InetSocketAddress(server.getHost(), port),
                wire.requests(texts, server, model),
                connections,
                Duration.ofMillis(timeoutMs));
        return new Subject(name, client, texts.size(), pid);
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
