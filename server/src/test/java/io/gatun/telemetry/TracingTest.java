package io.gatun.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.service.Calls;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a collector gets over OTLP/HTTP. */
final class TracingTest {
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "b7ad6b7169203331";
    private static final RequestHeaders TRACED = name ->
            Optional.ofNullable(Map.of("traceparent", "00-" + TRACE + "-" + PARENT + "-01", "tracestate", "vendor=1")
                    .get(name));
    private static final RequestHeaders UNTRACED = name -> Optional.empty();

    private final Collector collector = new Collector();

    @AfterEach
    void close() {
        collector.close();
    }

    @Test
    void withoutItsVariablesATraceIsOnlyRead() {
        for (Map<String, String> environment : List.<Map<String, String>>of(
                Map.of(),
                Map.of("OTEL_SERVICE_NAME", "x"),
                Map.of("OTEL_TRACES_EXPORTER", "none", "OTEL_EXPORTER_OTLP_ENDPOINT", collector.address()),
                Map.of("OTEL_SDK_DISABLED", "true", "OTEL_EXPORTER_OTLP_ENDPOINT", collector.address()))) {
            try (Telemetry telemetry = new Telemetry(Tracing.of(environment), Optional.empty())) {
                assertThat(begin(telemetry, TRACED).traceId()).isEqualTo(TRACE);
                assertThat(begin(telemetry, UNTRACED).traceId()).isEmpty();
                for (String wrong : List.of(
                        "",
                        "00",
                        "00-" + "0".repeat(32) + "-" + PARENT + "-01",
                        "00-" + TRACE + "-" + "0".repeat(16) + "-01",
                        "ff-" + TRACE + "-" + PARENT + "-01",
                        "00-" + TRACE.toUpperCase(Locale.ROOT) + "-" + PARENT + "-01")) {
                    assertThat(begin(telemetry, name -> Optional.of(wrong)).traceId())
                            .as(wrong)
                            .isEmpty();
                }
                begin(telemetry, TRACED).answered("200", "", null, 0, 0);
            }
        }
        assertThat(collector.isEmpty()).isTrue();
    }

    @Test
    void aRequestIsASpanOfItsCallersTrace() {
        try (Telemetry telemetry = telemetry(Map.of("OTEL_SERVICE_NAME", "sentiments"))) {
            long start = System.nanoTime() - 50_000_000;
            Telemetry.Observation request = telemetry.begin(Door.HTTP, "POST", "/predict", TRACED, start);
            assertThat(request.traceId()).isEqualTo(TRACE);
            request.answered("200", "id", Calls.answered("small", 2, 17, start), 10, 20);
        }
        Span span = collector.span("POST /predict");
        assertThat(hex(span.getTraceId().toByteArray())).isEqualTo(TRACE);
        assertThat(hex(span.getParentSpanId().toByteArray())).isEqualTo(PARENT);
        assertThat(span.getTraceState()).isEqualTo("vendor=1");
        assertThat(span.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
        assertThat(span.getStatus().getCode()).isEqualTo(Status.StatusCode.STATUS_CODE_UNSET);
        assertThat(Collector.attributes(span.getAttributesList()))
                .containsEntry("http.request.method", "POST")
                .containsEntry("http.route", "/predict")
                .containsEntry("http.response.status_code", "200")
                .containsEntry("gatun.model", "small")
                .containsEntry("gatun.texts", "2")
                .containsEntry("gatun.tokens", "17");
        assertThat(span.getEndTimeUnixNano() - span.getStartTimeUnixNano()).isBetween(50_000_000L, 60_000_000_000L);
        Span tokenization = collector.span("tokenization");
        assertThat(tokenization.getParentSpanId()).isEqualTo(span.getSpanId());
        assertThat(tokenization.getTraceId()).isEqualTo(span.getTraceId());
        assertThat(tokenization.getStartTimeUnixNano() - span.getStartTimeUnixNano())
                .isEqualTo(1_000_000);
        assertThat(tokenization.getEndTimeUnixNano() - tokenization.getStartTimeUnixNano())
                .isEqualTo(1_000_000);
        assertThat(Collector.attributes(collector.resource().getAttributesList()))
                .containsEntry("service.name", "sentiments");
    }

    @Test
    void aRequestOfNoTraceBeginsOneAndAFaultIsMarked() {
        String traceId;
        try (Telemetry telemetry = telemetry(Map.of())) {
            Telemetry.Observation failed =
                    telemetry.begin(Door.GRPC, "", "tei.v1.Predict/Predict", UNTRACED, System.nanoTime());
            traceId = failed.traceId();
            failed.answered("UNAVAILABLE", "", null, -1, -1);
            telemetry.begin(Door.HTTP, "GET", "", UNTRACED, System.nanoTime()).answered("404", "", null, -1, -1);
        }
        Span span = collector.span("tei.v1.Predict/Predict");
        assertThat(hex(span.getTraceId().toByteArray())).isEqualTo(traceId).hasSize(32);
        assertThat(span.getParentSpanId().isEmpty()).isTrue();
        assertThat(span.getStatus().getCode()).isEqualTo(Status.StatusCode.STATUS_CODE_ERROR);
        assertThat(Collector.attributes(span.getAttributesList()))
                .containsEntry("rpc.system", "grpc")
                .containsEntry("rpc.service", "tei.v1.Predict")
                .containsEntry("rpc.method", "Predict")
                .containsEntry("rpc.response.status_code", "UNAVAILABLE");
        assertThat(collector.span("GET").getStatus().getCode()).isEqualTo(Status.StatusCode.STATUS_CODE_UNSET);
        assertThat(Collector.attributes(collector.resource().getAttributesList()))
                .containsEntry("service.name", "gatun");
    }

    @Test
    void samplingIsAsTheVariablesSay() {
        try (Telemetry telemetry = telemetry(Map.of("OTEL_TRACES_SAMPLER", "always_off"))) {
            begin(telemetry, TRACED).answered("200", "", null, 0, 0);
        }
        assertThat(collector.isEmpty()).isTrue();
    }

    @Test
    void whatCannotBeFollowedIsTold() {
        assertThatThrownBy(() -> Tracing.of(Map.of("OTEL_TRACES_EXPORTER", "carrier-pigeon")))
                .isInstanceOf(TelemetryException.class)
                .hasMessageContaining("carrier-pigeon");
    }

    private Telemetry telemetry(Map<String, String> more) {
        Map<String, String> environment = new HashMap<>(more);
        environment.put("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address());
        return new Telemetry(Tracing.of(environment), Optional.empty());
    }

    private static Telemetry.Observation begin(Telemetry telemetry, RequestHeaders headers) {
        return telemetry.begin(Door.HTTP, "GET", "/info", headers, System.nanoTime());
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
