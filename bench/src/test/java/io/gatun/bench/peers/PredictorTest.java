package io.gatun.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The two ways in which a server runs ONNX Runtime. */
final class PredictorTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void paddedBatchesAnswerAsSingleTextsDo() throws IOException {
        Path file = folder.resolve("model.onnx");
        FusedGraph.of(SmallWeights.random(3), new OnnxNumbers.Floats()).write(file);
        List<int[]> texts = IntStream.of(3, 24, 11, 1, 7, 20, 5)
                .mapToObj(length -> new Random(length)
                        .ints(length, 0, SmallWeights.VOCABULARY)
                        .toArray())
                .toList();
        try (OnnxModel model = new OnnxModel(file, 1, false);
                Predictor single = new OneByOne(model, 2, 100);
                Predictor batcher = new WindowBatcher(model, 4, Duration.ofMillis(20), 100)) {
            List<CompletableFuture<float[]>> alone =
                    texts.stream().map(single::predict).toList();
            List<CompletableFuture<float[]>> together =
                    texts.stream().map(batcher::predict).toList();
            for (int i = 0; i < texts.size(); i++) {
                assertThat(together.get(i).join()).containsExactly(alone.get(i).join(), within(1e-4f));
            }
            assertThat(alone.get(0).join()).isNotEqualTo(alone.get(1).join());
        }
    }
}
