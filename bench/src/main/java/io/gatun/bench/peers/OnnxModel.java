package io.gatun.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A session of ONNX Runtime that serves. Thread-safe; owns native memory until it is closed. */
final class OnnxModel implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
    private final OrtSession session;

    /**
     * Loads a file.
     *
     * @param threads of one run
     * @param spin whether they look for work all the time for a while after a run: quick, at the cost of other threads
     * @throws PeersException when ONNX Runtime refuses it
     */
    OnnxModel(Path file, int threads, boolean spin) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            options.addConfigEntry("session.intra_op.allow_spinning", spin ? "1" : "0");
            session = environment.createSession(file.toString(), options);
        } catch (OrtException e) {
            throw new PeersException("ONNX Runtime cannot load " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Runs sequences together, padded to the longest.
     *
     * @return {@code [sequence][label]}
     * @throws PeersException when ONNX Runtime fails
     */
    float[][] logits(List<int[]> sequences) {
        int longest = sequences.stream().mapToInt(ids -> ids.length).max().orElse(0);
        LongBuffer ids = LongBuffer.allocate(sequences.size() * longest);
        LongBuffer mask = LongBuffer.allocate(sequences.size() * longest);
        for (int i = 0; i < sequences.size(); i++) {
            int[] sequence = sequences.get(i);
            for (int j = 0; j < sequence.length; j++) {
                ids.put(i * longest + j, sequence[j]);
                mask.put(i * longest + j, 1);
            }
        }
        long[] shape = {sequences.size(), longest};
        try (OnnxTensor idTensor = OnnxTensor.createTensor(environment, ids, shape);
                OnnxTensor maskTensor = OnnxTensor.createTensor(environment, mask, shape);
                OrtSession.Result result = session.run(Map.of("input_ids", idTensor, "attention_mask", maskTensor))) {
            return (float[][]) result.get(0).getValue();
        } catch (OrtException e) {
            throw new PeersException("ONNX Runtime failed: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new PeersException("ONNX Runtime cannot be closed: " + e.getMessage(), e);
        }
    }
}
