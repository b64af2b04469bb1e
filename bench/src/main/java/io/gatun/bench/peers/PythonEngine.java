package io.gatun.bench.peers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.bench.Shape;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An engine that is used from Python: a child process that runs {@code peer.py}. One line of JSON goes in, one comes
 * back; between its turns it waits for the next line. The times are taken inside the child.
 */
final class PythonEngine implements Engine {
    /** The engines that the script has. */
    enum Kind {
        OPENVINO_INT8("openvino-int8", Accuracy.INT8),
        OPENVINO_BF16("openvino-bf16", Accuracy.BF16),
        CTRANSLATE2_INT8("ctranslate2-int8", Accuracy.INT8);

        private final String id;
        private final Accuracy accuracy;

        Kind(String id, Accuracy accuracy) {
            this.id = id;
            this.accuracy = accuracy;
        }

        String id() {
            return id;
        }
    }

    /**
     * What the children have in common.
     *
     * @param python the interpreter of an environment that holds the engines
     * @param plain the model in fp32, as ONNX
     * @param calibration lines of token ids, for the engine that quantizes by example
     * @param folder for what a child makes once, and for its log
     */
    record Setup(Path python, Path script, Path plain, Path calibration, Path folder) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int END_SECONDS = 5;

    private final Kind kind;
    private final int threads;
    private final Process process;
    private final BufferedReader answers;
    private final BufferedWriter requests;
    private final Path log;
    private final Map<String, String> versions;

    private PythonEngine(Kind kind, int threads, Process process, Path log) {
        this.kind = kind;
        this.threads = threads;
        this.process = process;
        this.answers = process.inputReader();
        this.requests = process.outputWriter();
        this.log = log;
        this.versions = JSON.convertValue(
                answer().path("versions"),
                JSON.getTypeFactory().constructMapType(Map.class, String.class, String.class));
    }

    /**
     * Starts a child and waits until it has its model, which it makes the first time.
     *
     * @throws PeersException with the child's last words when it ends instead
     */
    static PythonEngine start(Kind kind, int threads, Setup setup) {
        Path log = setup.folder().resolve(kind.id + ".log");
        List<String> command = List.of(
                setup.python().toString(),
                setup.script().toString(),
                kind.id,
                Integer.toString(threads),
                setup.plain().toString(),
                setup.calibration().toString(),
                setup.folder().toString());
        try {
            Process process =
                    new ProcessBuilder(command).redirectError(log.toFile()).start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
            try {
                return new PythonEngine(kind, threads, process, log);
            } catch (Throwable e) {
                process.destroyForcibly();
                throw e;
            }
        } catch (IOException e) {
            throw new PeersException("The engine " + kind.id + " cannot be started: " + e.getMessage() + ".", e);
        }
    }

    /** The releases of the engine and of what it is made with. */
    Map<String, String> versions() {
        return versions;
    }

    @Override
    public String name() {
        return kind.id;
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public Accuracy accuracy() {
        return kind.accuracy;
    }

    @Override
    public float[][] logits(Shape shape) {
        return answer(Map.of("shape", shape.name(), "ids", shape.sequences()), "logits", float[][].class);
    }

    @Override
    public double[] turn(Shape shape, Turn turn) {
        Map<String, Object> request = Map.of(
                "shape", shape.name(),
                "milliseconds", turn.milliseconds(),
                "least", turn.least(),
                "most", turn.most());
        return answer(request, "times", double[].class);
    }

    /** In steps of a hundredth of a second. */
    @Override
    public Duration cpuTime() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    @Override
    public void close() {
        try {
            requests.close();
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private <T> T answer(Map<String, ?> request, String field, Class<T> type) {
        try {
            requests.write(JSON.writeValueAsString(request));
            requests.newLine();
            requests.flush();
            return JSON.treeToValue(answer().path(field), type);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw ended(e);
        }
    }

    private JsonNode answer() {
        try {
            String line = answers.readLine();
            if (line == null) {
                throw ended(null);
            }
            return JSON.readTree(line);
        } catch (IOException e) {
            throw ended(e);
        }
    }

    private PeersException ended(@Nullable IOException cause) {
        String sentence = "The engine " + kind.id + " ended (" + lastWords() + "); its log is " + log + ".";
        return cause == null ? new PeersException(sentence) : new PeersException(sentence, cause);
    }

    private String lastWords() {
        try {
            List<String> lines = Files.readAllLines(log);
            return lines.isEmpty() ? "without a word" : lines.getLast().strip();
        } catch (IOException | UncheckedIOException e) {
            return "without a log";
        }
    }
}
