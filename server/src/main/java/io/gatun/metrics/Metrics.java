package io.gatun.metrics;

import io.gatun.batch.BatchListener;
import io.gatun.kernel.Slab;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.DoubleSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * What the server counts and measures. The {@code te_} series are named as text-embeddings-inference names them, so that
 * its dashboards work; the {@code gatun_} series are our own and say which model they mean. Thread-safe.
 */
public final class Metrics implements BatchListener {
    private static final double NANOS = 1e9;
    private static final double MICROS = 1e6;
    private static final int TIME_BUCKETS = 35;
    private static final int SIZE_BUCKETS = 17;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.builder()
            .setIncludeCreatedTimestamps(false)
            .build();
    private final TeiCounters requests =
            new TeiCounters("te_request_count", "Requests that came.", "method", "batch", "single");
    private final TeiCounters successes =
            new TeiCounters("te_request_success", "Requests that were answered.", "method", "batch", "single");
    private final TeiCounters failures = new TeiCounters("te_request_failure", "Requests that failed.", "err");
    private final Map<Stage, Histogram> durations = new EnumMap<>(Stage.class);
    private final Histogram inputLength = sizes("te_request_input_length", "Tokens of a text.");
    private final Histogram batchSize = sizes("te_batch_next_size", "Sequences of a batch.");
    private final Histogram batchTokens = sizes("te_batch_next_tokens", "Tokens of a batch.");
    private final Counter truncated = counter("gatun_truncated", "Texts that were cut.");
    private final Counter unknownTokens = counter("gatun_unk_tokens", "Tokens that the vocabulary cannot spell.");
    private final List<Model> models = new CopyOnWriteArrayList<>();
    private final Map<String, Map<Stage, RecentTimes>> recent = new ConcurrentHashMap<>();

    /** What is looked at when somebody looks, of a model that is loaded. */
    public record Model(
            String name,
            IntSupplier queued,
            LongSupplier nativeBytes,
            DoubleSupplier busyRatio,
            LongSupplier abandoned,
            LongSupplier expired,
            Duration loadTime) {}

    /** A model's gauges, until it is closed. */
    @FunctionalInterface
    public interface Registration extends AutoCloseable {
        @Override
        void close();
    }

    public Metrics() {
        for (Stage stage : Stage.values()) {
            durations.put(stage, times(stage));
        }
        gauge("te_queue_size", "Jobs that wait.")
                .callback(c -> c.call(
                        models.stream().mapToInt(m -> m.queued().getAsInt()).sum()))
                .register(registry);
        gauge("gatun_native_bytes", "Native memory of a model and its lanes.")
                .labelNames("model")
                .callback(
                        c -> models.forEach(m -> c.call((double) m.nativeBytes().getAsLong(), m.name())))
                .register(registry);
        gauge("gatun_model_load_seconds", "Time to map a model's file, to check it and to pack its weights.")
                .labelNames("model")
                .callback(c -> models.forEach(m -> c.call(m.loadTime().toNanos() / NANOS, m.name())))
                .register(registry);
        gauge("gatun_process_native_bytes", "Native memory of all that is open in this process.")
                .callback(c -> c.call((double) Slab.allocatedBytes()))
                .register(registry);
        gauge("gatun_lane_busy_ratio", "Share of the time since the last look in which lanes computed.")
                .labelNames("model")
                .callback(c -> models.forEach(m -> c.call(m.busyRatio().getAsDouble(), m.name())))
                .register(registry);
        CounterWithCallback.builder()
                .name("gatun_abandoned")
                .help("Texts whose client left before they were computed.")
                .labelNames("model")
                .callback(c -> models.forEach(m -> c.call((double) m.abandoned().getAsLong(), m.name())))
                .register(registry);
        CounterWithCallback.builder()
                .name("gatun_expired")
                .help("Texts whose time was over before they were computed.")
                .labelNames("model")
                .callback(c -> models.forEach(m -> c.call((double) m.expired().getAsLong(), m.name())))
                .register(registry);
        gauge(
                        "gatun_duration_seconds",
                        "Exact percentiles, to three digits, of the last minute or two or, when nobody looked for longer, since then.")
                .labelNames("model", "stage", "quantile")
                .callback(this::percentiles)
                .register(registry);
    }

    /** Shows a model's gauges from now on, in the place of another of its name. */
    public Registration register(Model model) {
        long now = System.nanoTime();
        recent.computeIfAbsent(model.name(), name -> {
            Map<Stage, RecentTimes> stages = new EnumMap<>(Stage.class);
            for (Stage stage : Stage.values()) {
                stages.put(stage, new RecentTimes(now));
            }
            return stages;
        });
        truncated.labelValues(model.name());
        unknownTokens.labelValues(model.name());
        models.removeIf(other -> other.name().equals(model.name()));
        models.add(model);
        return () -> models.remove(model);
    }

    /** Lines of the log that were lost so far. */
    public void logDropped(LongSupplier lines) {
        CounterWithCallback.builder()
                .name("gatun_log_dropped")
                .help("Lines of the log that could not be written: a full disk, or a pipe that nobody reads.")
                .callback(c -> c.call((double) lines.getAsLong()))
                .register(registry);
    }

    /**
     * A request for answers came.
     *
     * @param method {@code single} or {@code batch}
     */
    public void request(String method) {
        requests.increment(method);
    }

    /** A request was answered. */
    public void success(String method) {
        successes.increment(method);
    }

    /** A request failed. */
    public void failure(String error) {
        failures.increment(error);
    }

    /** A stage of an answered request took so long. */
    public void time(String model, Stage stage, long nanos) {
        Histogram histogram = durations.get(stage);
        if (histogram != null) {
            histogram.observe(nanos / NANOS);
        }
        Map<Stage, RecentTimes> stages = recent.get(model);
        RecentTimes times = stages == null ? null : stages.get(stage);
        if (times != null) {
            times.record(nanos);
        }
    }

    public void inputLength(int tokens) {
        inputLength.observe(tokens);
    }

    public void truncated(String model) {
        truncated.labelValues(model).inc();
    }

    public void unknownTokens(String model, int count) {
        unknownTokens.labelValues(model).inc(count);
    }

    @Override
    public void batchTaken(int sequences, int tokens) {
        batchSize.observe(sequences);
        batchTokens.observe(tokens);
    }

    /** The whole in Prometheus' text format, version 0.0.4. */
    public String scrape() {
        StringBuilder out = new StringBuilder();
        requests.write(out);
        successes.write(out);
        failures.write(out);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            writer.write(bytes, registry.scrape());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.append(bytes.toString(StandardCharsets.UTF_8)).toString();
    }

    private void percentiles(GaugeWithCallback.Callback callback) {
        long now = System.nanoTime();
        recent.forEach((model, stages) -> stages.forEach((stage, times) -> {
            org.HdrHistogram.Histogram seen = times.look(now);
            for (String quantile : List.of("0.5", "0.9", "0.99", "0.999", "1")) {
                double micros = seen.getValueAtPercentile(100 * Double.parseDouble(quantile));
                callback.call(micros / MICROS, model, stage.label(), quantile);
            }
        }));
    }

    private GaugeWithCallback.Builder gauge(String name, String help) {
        return GaugeWithCallback.builder().name(name).help(help);
    }

    // No exemplars: this text format has no place for them, and they would load OpenTelemetry.
    private Counter counter(String name, String help) {
        return Counter.builder()
                .name(name)
                .help(help)
                .labelNames("model")
                .withoutExemplars()
                .register(registry);
    }

    private Histogram times(Stage stage) {
        double[] bounds = new double[TIME_BUCKETS];
        for (int i = 0; i < TIME_BUCKETS; i++) {
            bounds[i] = 1e-5 * Math.pow(1.5, i);
        }
        return Histogram.builder()
                .name(stage.series())
                .help("Seconds of a request's stage: " + stage.label() + ".")
                .classicOnly()
                .withoutExemplars()
                .classicUpperBounds(bounds)
                .register(registry);
    }

    private Histogram sizes(String name, String help) {
        double[] bounds = new double[SIZE_BUCKETS];
        for (int i = 0; i < SIZE_BUCKETS; i++) {
            bounds[i] = 1 << i;
        }
        return Histogram.builder()
                .name(name)
                .help(help)
                .classicOnly()
                .withoutExemplars()
                .classicUpperBounds(bounds)
                .register(registry);
    }
}
