package io.gatun.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.gatun.bench.Shape;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * ONNX Runtime for Java on one file, as its users would set it up to be fast: all optimizations, its threads spinning
 * while they wait, the input tensors made once.
 */
final class OnnxRuntimeEngine implements Engine {
    private final String name;
    private final Accuracy accuracy;
    private final int threads;
    private final OrtEnvironment environment;
    private final OrtSession session;
    private final Map<String, Map<String, OnnxTensor>> inputs = new HashMap<>();

    private OnnxRuntimeEngine(
            String name, Accuracy accuracy, int threads, OrtEnvironment environment, OrtSession session) {
        this.name = name;
        this.accuracy = accuracy;
        this.threads = threads;
        this.environment = environment;
        this.session = session;
    }

    /**
     * Loads a file.
     *
     * @throws PeersException when ONNX Runtime refuses it
     */
    static OnnxRuntimeEngine open(String name, Accuracy accuracy, Path file, int threads) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            OrtSession session = environment.createSession(file.toString(), options);
            return new OnnxRuntimeEngine(name, accuracy, threads, environment, session);
        } catch (OrtException e) {
            throw new PeersException("ONNX Runtime cannot load " + file + ": " + e.getMessage(), e);
        }
    }

    /** ONNX Runtime's release. */
    static String version() {
        return OrtEnvironment.getEnvironment().getVersion();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public Accuracy accuracy() {
        return accuracy;
    }

    @Override
    public float[][] logits(Shape shape) {
        try {
            if (!inputs.containsKey(shape.name())) {
                inputs.put(shape.name(), tensors(shape));
            }
            return run(shape);
        } catch (OrtException e) {
            throw new PeersException(
                    "ONNX Runtime's " + name + " failed on " + shape.name() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public double[] turn(Shape shape, Turn turn) {
        return turn.time(() -> run(shape));
    }

    @Override
    public Duration cpuTime() {
        return Quiet.ownCpuTime();
    }

    @Override
    public void close() {
        inputs.values().forEach(tensors -> tensors.values().forEach(OnnxTensor::close));
        try {
            session.close();
        } catch (OrtException e) {
            throw new PeersException("ONNX Runtime's " + name + " cannot be closed: " + e.getMessage(), e);
        }
    }

    private float[][] run(Shape shape) throws OrtException {
        Map<String, OnnxTensor> tensors = inputs.get(shape.name());
        if (tensors == null) {
            throw new IllegalStateException("no inputs of " + shape.name());
        }
        try (OrtSession.Result result = session.run(tensors)) {
            return (float[][]) result.get(0).getValue();
        }
    }

    /** Padded to the longest sequence. */
    private Map<String, OnnxTensor> tensors(Shape shape) throws OrtException {
        long[][] ids = new long[shape.sequences().size()][shape.longest()];
        long[][] mask = new long[shape.sequences().size()][shape.longest()];
        for (int i = 0; i < ids.length; i++) {
            int[] sequence = shape.sequences().get(i);
            for (int j = 0; j < sequence.length; j++) {
                ids[i][j] = sequence[j];
                mask[i][j] = 1;
            }
        }
        return Map.of(
                "input_ids", OnnxTensor.createTensor(environment, ids),
                "attention_mask", OnnxTensor.createTensor(environment, mask));
    }
}
