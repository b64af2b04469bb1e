package io.gatun.bench;

import io.gatun.batch.Answer;
import io.gatun.batch.Job;
import io.gatun.batch.LaneSettings;
import io.gatun.batch.Lanes;
import io.gatun.batch.Outputs;
import io.gatun.batch.Priority;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Through the queue to a lane and back, for the first head's answer to a short text. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
public class QueueBenchmark {
    private static final int[] IDS = {101, 1045, 3866, 2296, 3371, 1997, 2023, 102};

    @Param({"1", "2"})
    public int lanes = 1;

    private final TextModel model = TextModel.load("default", ModelSource.embedded());
    private @Nullable Lanes started;

    @Setup(Level.Trial)
    public void start() {
        started = Lanes.start(model, LaneSettings.of(model, lanes), (_, _) -> {});
    }

    @TearDown(Level.Trial)
    public void close() {
        if (started != null) {
            started.close();
        }
        model.close();
    }

    @Benchmark
    public Answer roundTrip() {
        Job job = new Job(IDS, null, Outputs.ofHead(0), System.nanoTime() + TimeUnit.MINUTES.toNanos(1));
        Objects.requireNonNull(started).submit(List.of(job), Priority.INTERACTIVE);
        return job.result().join();
    }
}
