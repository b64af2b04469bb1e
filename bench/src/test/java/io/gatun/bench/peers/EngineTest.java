package io.gatun.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.bench.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EngineTest {
    private static final Shape SHAPE = new Shape("1x3", List.of(new int[] {1, 2, 3}));

    @TempDir
    private Path folder = Path.of("");

    @Test
    void aTurnCountsAllCallsButItsFirst() {
        AtomicInteger calls = new AtomicInteger();
        assertThat(new Turn(0, 2, 9).time(calls::incrementAndGet)).hasSize(2);
        assertThat(calls).hasValue(3);
        assertThat(new Turn(10_000, 2, 9).time(calls::incrementAndGet)).hasSize(9);
    }

    @Test
    void roundsTimeEveryEngine() throws IOException {
        Path file = folder.resolve("model.onnx");
        PlainGraph.of(SmallWeights.random(1), new OnnxNumbers.Floats()).write(file);
        try (Engine first = OnnxRuntimeEngine.open("first", Accuracy.FP32, file, 1);
                Engine second = OnnxRuntimeEngine.open("second", Accuracy.FP32, file, 1)) {
            List<Engine> engines = List.of(first, second);
            engines.forEach(engine -> engine.logits(SHAPE));
            List<Result> results = new Rounds(2, 2, 1, new Turn(1, 1, 5)).time(SHAPE, engines, what -> {});
            assertThat(results).extracting(Result::engine).containsExactly("first", "second");
            assertThat(results).allMatch(result -> result.p50Ms() > 0);
        }
    }

    @Test
    void whatAnswersOtherwiseDoesNotPass() throws IOException {
        Path file = folder.resolve("model.onnx");
        PlainGraph.of(SmallWeights.random(1), new OnnxNumbers.Floats()).write(file);
        try (Engine engine = OnnxRuntimeEngine.open("engine", Accuracy.INT8, file, 1)) {
            List<float[][]> right = List.<float[][]>of(new float[][] {{-1, 1}, {2, -2}});
            assertThat(Check.of(engine, right, right).passed()).isTrue();
            assertThat(Check.of(engine, List.<float[][]>of(new float[][] {{-1.5f, 1}, {2, -2}}), right))
                    .matches(Check::passed)
                    .extracting(Check::largestDifference)
                    .isEqualTo(0.5f);
            assertThat(Check.of(engine, List.<float[][]>of(new float[][] {{-1, 1}, {2, -0.5f}}), right)
                            .passed())
                    .isFalse();
            assertThat(Check.of(engine, List.<float[][]>of(new float[][] {{Float.NaN, 1}, {2, -2}}), right)
                            .passed())
                    .isFalse();
            assertThat(Check.of(engine, List.<float[][]>of(new float[][] {{1, -1}, {2, -2}}), right)
                            .labelsChanged())
                    .isEqualTo(1);
        }
    }
}
