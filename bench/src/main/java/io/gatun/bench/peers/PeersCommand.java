package io.gatun.bench.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.bench.JsonFile;
import io.gatun.bench.OtherPrograms;
import io.gatun.bench.Shape;
import io.gatun.kernel.KernelException;
import io.gatun.kernel.ModelInfo;
import io.gatun.model.ModelException;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import io.gatun.text.TokenizerException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Times Gatun beside other engines on the default model. */
@Command(
        name = "scripts/bench peers",
        description =
                "Times Gatun beside ONNX Runtime, OpenVINO and CTranslate2: same weights, same ids, same threads.",
        mixinStandardHelpOptions = true)
final class PeersCommand implements Callable<Integer> {
    private static final int THREADS = 2;
    private static final int CALIBRATION_TEXTS = 300;
    private static final String ALONE_SHAPE = "8x128";
    private static final Rounds QUICK = new Rounds(3, 6, 6, new Turn(40, 2, 30));
    private static final Rounds FULL = new Rounds(10, 25, 20, new Turn(80, 2, 40));
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ModelSource SOURCE = ModelSource.embedded();

    @Option(names = "--quick", description = "Fewer rounds: some minutes less, and more noise.")
    private boolean quick;

    @Option(names = "--python", description = "Also OpenVINO and CTranslate2, from an environment of their own.")
    private boolean python;

    @Option(names = "--json", paramLabel = "FILE", description = "Also writes what is printed, and all times, as JSON.")
    private @Nullable Path json;

    @Option(
            names = "--cache",
            paramLabel = "FOLDER",
            description = "For the files that are made once (default: ${DEFAULT-VALUE}).")
    private Path cache = Path.of("bench/target/peers");

    @Option(
            names = "--only",
            paramLabel = "SHAPE",
            split = ",",
            description = "Times these shapes only, as 1x32,mixed (default: all).")
    private List<String> only = List.of();

    public static void main(String[] args) {
        CommandLine command = new CommandLine(new PeersCommand());
        command.setExecutionExceptionHandler((e, _, _) -> {
            if (e instanceof PeersException
                    || e instanceof ModelException
                    || e instanceof KernelException
                    || e instanceof TokenizerException
                    || e instanceof IOException) {
                say(e.getMessage() == null ? e.toString() : e.getMessage());
                return CommandLine.ExitCode.USAGE;
            }
            throw e;
        });
        System.exit(command.execute(args));
    }

    @Override
    public Integer call() throws IOException {
        JsonFile target = json == null ? null : JsonFile.of(json);
        List<Engine> engines = new ArrayList<>();
        try (TextModel model = TextModel.load("default", SOURCE)) {
            List<Shape> shapes =
                    Shape.all(text -> model.tokenizer().encode(text, true).ids());
            shapes.removeIf(shape -> !only.isEmpty() && !only.contains(shape.name()));
            if (shapes.isEmpty()) {
                throw new PeersException("No shape is called " + String.join(" or ", only) + ".");
            }
            try {
                Report report = compare(model, shapes, engines);
                report.print(System.out);
                if (target != null) {
                    target.write(report.json());
                    say("wrote " + target);
                }
            } finally {
                engines.forEach(Engine::close);
            }
        }
        return 0;
    }

    private Report compare(TextModel model, List<Shape> shapes, List<Engine> engines) throws IOException {
        OnnxFiles files = OnnxFiles.of(model, SOURCE, cache.toAbsolutePath(), PeersCommand::say);
        List<float[][]> expected = reference(files, shapes);
        say("loading the engines");
        Map<String, String> versions = new TreeMap<>(Map.of("onnxruntime", OnnxRuntimeEngine.version()));
        engines.addAll(GatunEngine.all(SOURCE, THREADS));
        engines.add(OnnxRuntimeEngine.open("onnxruntime-fused-fp32", Accuracy.FP32, files.fused(), THREADS));
        engines.add(OnnxRuntimeEngine.open("onnxruntime-int8", Accuracy.INT8, files.plainInt8(), THREADS));
        engines.add(OnnxRuntimeEngine.open("onnxruntime-fused-int8", Accuracy.INT8, files.fusedInt8(), THREADS));
        if (python) {
            startPython(files, engines, versions);
        }
        List<Check> checks = new ArrayList<>();
        List<Engine> right = new ArrayList<>();
        for (Engine engine : engines) {
            say("checking " + engine.name());
            Check check = Check.of(engine, shapes.stream().map(engine::logits).toList(), expected);
            checks.add(check);
            Quiet.await(engine);
            if (check.passed()) {
                right.add(engine);
            } else {
                say(engine.name() + " answers otherwise than fp32 and is not timed");
            }
        }
        Map<Integer, Double> peak = new TreeMap<>();
        OtherPrograms others = new OtherPrograms(() -> cpuTime(engines));
        List<Result> results = time(shapes, right, peak);
        return new Report(
                versions,
                THREADS,
                shapes.stream().map(Shape::name).toList(),
                checks,
                results,
                peak,
                needed(model, shapes),
                others.share());
    }

    /** Of this process, and of the engines that have one. */
    private static Duration cpuTime(List<Engine> engines) {
        return engines.stream()
                .filter(PythonEngine.class::isInstance)
                .map(Engine::cpuTime)
                .reduce(Quiet.ownCpuTime(), Duration::plus);
    }

    /** The fp32 logits that all engines are compared with: those of the plain graph, which shares no fused operator. */
    private static List<float[][]> reference(OnnxFiles files, List<Shape> shapes) {
        try (OnnxRuntimeEngine engine =
                OnnxRuntimeEngine.open("onnxruntime-fp32", Accuracy.FP32, files.plain(), THREADS)) {
            return shapes.stream().map(engine::logits).toList();
        }
    }

    private List<Result> time(List<Shape> shapes, List<Engine> engines, Map<Integer, Double> peak) {
        List.of(1, THREADS).forEach(threads -> peak.put(threads, Int8Peak.multipliesPerSecond(threads)));
        Rounds rounds = quick ? QUICK : FULL;
        List<Result> results = new ArrayList<>();
        for (Shape shape : shapes) {
            List<Engine> timed = engines.stream()
                    .filter(engine -> !isAlone(engine) || shape.name().equals(ALONE_SHAPE))
                    .toList();
            say("timing " + shape.name() + ": " + timed.size() + " engines take turns");
            results.addAll(rounds.time(shape, timed, PeersCommand::say));
            // The best of the peaks around the run: what the processor could have done.
            peak.replaceAll((threads, before) -> Math.max(before, Int8Peak.multipliesPerSecond(threads)));
        }
        return results;
    }

    /** The baseline on fewer threads, which shows how near one core comes to its peak. */
    private static boolean isAlone(Engine engine) {
        return engine.name().equals(GatunEngine.BASELINE) && engine.threads() < THREADS;
    }

    private static Map<String, Long> needed(TextModel model, List<Shape> shapes) {
        ModelInfo info = model.kernel().info();
        Map<String, Long> needed = new LinkedHashMap<>();
        shapes.forEach(shape -> needed.put(
                shape.name(),
                shape.neededMultiplies(info.layerCount(), info.embeddingLength(), info.feedForwardLength())));
        return needed;
    }

    private void startPython(OnnxFiles files, List<Engine> engines, Map<String, String> versions) throws IOException {
        String interpreter = System.getProperty("gatun.bench.python");
        if (interpreter == null) {
            throw new PeersException(
                    "--python needs the environment that scripts/bench makes; run scripts/bench peers.");
        }
        Path calibration = files.folder().resolve("calibration.jsonl");
        writeCalibration(calibration);
        PythonEngine.Setup setup = new PythonEngine.Setup(
                Path.of(interpreter),
                Path.of("bench/src/main/python/peer.py"),
                files.plain(),
                calibration,
                files.folder());
        for (PythonEngine.Kind kind : PythonEngine.Kind.values()) {
            say("starting " + kind.id() + " (the first time it makes its model, which may take some minutes)");
            PythonEngine engine = PythonEngine.start(kind, THREADS, setup);
            engines.add(engine);
            versions.putAll(engine.versions());
        }
    }

    /** The ids of texts that are like those that the model was made for, one list a line. */
    private static void writeCalibration(Path file) throws IOException {
        Path texts = Path.of("server/src/test/resources/io/gatun/model/reference.jsonl");
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(texts, StandardCharsets.UTF_8)) {
            JsonNode ids = JSON.readTree(line).path("ids");
            if (lines.size() < CALIBRATION_TEXTS) {
                lines.add(ids.toString());
            }
        }
        Files.write(file, lines, StandardCharsets.UTF_8);
    }

    private static void say(String what) {
        System.err.println("peers: " + what);
    }
}
