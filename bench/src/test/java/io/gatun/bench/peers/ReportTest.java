package io.gatun.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.bench.Shape;
import io.gatun.kernel.Kernel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

final class ReportTest {
    private static final Shape SHAPE = new Shape("1x8", List.of(new int[8]));

    private final Report report = new Report(
            Map.of("gatun", "1"),
            2,
            List.of("1x8"),
            List.of(new Check("other", 2, 9, 1, 0.1f)),
            List.of(
                    Result.of("gatun-int8", 2, SHAPE, new double[] {2, 2, 2}),
                    Result.of("gatun-int8", 1, SHAPE, new double[] {4, 4, 4}),
                    Result.of("onnxruntime-int8", 2, SHAPE, new double[] {3, 5, 1000})),
            Map.of(1, 250e9, 2, 500e9),
            Map.of("1x8", 500_000_000L),
            OptionalDouble.of(0.31));

    @Test
    void percentilesLieBetweenTheNearest() {
        double[] sorted = {1, 2, 3, 4, 5};
        assertThat(Result.percentile(sorted, 10)).isCloseTo(1.4, within(1e-9));
        assertThat(Result.percentile(sorted, 50)).isEqualTo(3);
        assertThat(Result.percentile(sorted, 100)).isEqualTo(5);
        assertThat(Result.percentile(new double[] {7}, 90)).isEqualTo(7);
        assertThat(Result.of("x", 1, SHAPE, new double[] {9, 1, 4}).p50Ms()).isEqualTo(4);
        assertThat(Result.of("x", 1, SHAPE, new double[] {4}).tokensPerSecond()).isEqualTo(2000);
    }

    @Test
    void ratiosAreOverTheBaselineWithAsManyThreads() {
        assertThat(report.ratios()).isEqualTo(Map.of("onnxruntime-int8", Map.of("1x8", 2.5)));
    }

    @Test
    void sharesTellOtherThreads() {
        assertThat(report.int8PeakShare()).isEqualTo(Map.of("1x8", 0.5, "1x8/1", 0.5));
    }

    @Test
    void jsonAndTable() {
        JsonNode json = report.json();
        assertThat(json.path("results").path(2).path("p50_ms").asDouble()).isEqualTo(5);
        assertThat(json.path("ratios").path("onnxruntime-int8").path("1x8").asDouble())
                .isEqualTo(2.5);
        assertThat(json.path("int8_peak_share").path("1x8").asDouble()).isEqualTo(0.5);
        assertThat(json.path("instruction_set").asText()).isEqualTo(Kernel.cpu());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        report.print(new PrintStream(out, true, StandardCharsets.UTF_8));
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("2.50x", "50 %", "WRONG, not timed", "used 31 %");
    }
}
