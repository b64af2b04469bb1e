package io.gatun.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a sweep over a quick server comes to. */
@Timeout(60)
final class LoadReportTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void aSweepBecomesATableJsonAndAPage() throws IOException, InterruptedException {
        List<byte[]> requests = List.of("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        try (TinyServer server = new TinyServer(n -> {
                    LockSupport.parkNanos(2_000_000);
                    return TinyServer.response(200, "yes");
                });
                Subject subject = new Subject(
                        "</script>",
                        new HttpClient(server.address(), requests, 2, Duration.ofMillis(500)),
                        1,
                        OptionalLong.of(ProcessHandle.current().pid()),
                        new Unchanged(1, UnaryOperator.identity()))) {
            Sweep sweep = new Sweep(List.of(subject), new Sweep.Plan(0.02, 0.1, 0.3, 1), what -> {});
            sweep.climb();
            sweep.refine(LoadReport.BUDGETS_MS);
            sweep.calm();
            double capacity = sweep.capacity(subject.name());
            assertThat(capacity).isBetween(100.0, 1100.0);
            assertThat(sweep.sustained(subject.name(), 1)).isZero();
            assertThat(sweep.sustained(subject.name(), 50)).isLessThan(1.5 * capacity);
            Overload overload = Overload.of(subject, capacity, 1, 1);
            LoadReport report = new LoadReport(
                    List.of(subject.name()),
                    sweep,
                    sweep.runs(),
                    Map.of(subject.name(), overload),
                    OptionalDouble.of(0.5));

            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            report.print(new PrintStream(printed, true, StandardCharsets.UTF_8));
            assertThat(printed.toString(StandardCharsets.UTF_8))
                    .contains("noisy", "RSS")
                    .doesNotContain("NaN");

            ObjectNode json = report.json(JSON.createObjectNode().put("protocol", "tei"));
            String page = HtmlReport.of(json);
            assertThat(page).startsWith("<!doctype html>").contains("viewport", "prefers-color-scheme");
            assertThat(page)
                    .doesNotContain("\"DATA\"")
                    .doesNotContainPattern("(src|href|url)\\s*[=(]|@import|fetch\\(");
            assertThat(page.split("</script>", -1)).hasSize(2);
            String data = page.lines()
                    .filter(line -> line.startsWith("const report = "))
                    .findFirst()
                    .orElseThrow();
            JsonNode read = JSON.readTree(data.substring("const report = ".length(), data.length() - 1));
            assertThat(read).isEqualTo(JSON.readTree(json.toString()));
            assertThat(read.at("/overloads/0/answers_by_part")).hasSize(10);
            assertThat(read.at("/overloads/0/process_by_part/0/threads").asInt())
                    .isPositive();
        }
    }
}
