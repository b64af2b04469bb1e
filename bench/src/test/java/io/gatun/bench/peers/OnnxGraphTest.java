package io.gatun.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.bench.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The graphs, loaded by ONNX Runtime, answer what the formulas say; sequences of unlike lengths are padded. */
final class OnnxGraphTest {
    private final EncoderWeights weights = SmallWeights.random(7);
    private final Shape shape = new Shape(
            "mixed",
            IntStream.of(3, 24, 11, 1)
                    .mapToObj(length -> new Random(length)
                            .ints(length, 0, SmallWeights.VOCABULARY)
                            .toArray())
                    .toList());

    @TempDir
    private Path folder = Path.of("");

    @Test
    void plain() throws IOException {
        assertThat(largestDifference(PlainGraph.of(weights, new OnnxNumbers.Floats())))
                .isLessThan(1e-4);
    }

    @Test
    void fused() throws IOException {
        assertThat(largestDifference(FusedGraph.of(weights, new OnnxNumbers.Floats())))
                .isLessThan(1e-4);
    }

    @Test
    void plainInt8() throws IOException {
        assertThat(largestDifference(PlainGraph.of(weights, new OnnxNumbers.Bytes(true))))
                .isBetween(1e-4, 0.4);
    }

    @Test
    void fusedInt8() throws IOException {
        assertThat(largestDifference(FusedGraph.of(weights, new OnnxNumbers.Bytes(false))))
                .isBetween(1e-4, 0.6);
    }

    private double largestDifference(OnnxGraph graph) throws IOException {
        Path file = folder.resolve("model.onnx");
        graph.write(file);
        try (OnnxRuntimeEngine engine = OnnxRuntimeEngine.open("test", Accuracy.FP32, file, 1)) {
            float[][] logits = engine.logits(shape);
            double largest = 0;
            List<int[]> sequences = shape.sequences();
            for (int i = 0; i < sequences.size(); i++) {
                double[] expected = SmallWeights.logits(weights, sequences.get(i));
                for (int j = 0; j < expected.length; j++) {
                    largest = Math.max(largest, Math.abs(expected[j] - logits[i][j]));
                }
            }
            return largest;
        }
    }
}
