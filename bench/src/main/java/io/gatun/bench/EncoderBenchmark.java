package io.gatun.bench;

import io.gatun.kernel.Compute;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.util.Arrays;
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

/** One batch of the default model: the whole encoder and the default head. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
public class EncoderBenchmark {
    /** Sequences by tokens. */
    @Param({"1x8", "1x16", "1x32", "1x64", "1x128", "1x512", "8x32", "8x128", Shape.MIXED})
    public String shape = "1x16";

    /** That compute the batch. */
    @Param({"1", "2"})
    public int threads = 1;

    @Param("int8")
    public String compute = "int8";

    private @Nullable Loaded loaded;

    private record Loaded(TextModel model, Session session, Companions companions) {}

    @Setup(Level.Trial)
    public void load() {
        Compute how = Compute.of(compute).orElseThrow();
        TextModel model = TextModel.load("default", ModelSource.embedded(), how);
        Session session = Session.open(model.kernel(), new SessionLimits(1024, 16, threads));
        Companions companions = new Companions(session, how.joins() ? threads - 1 : 0);
        loaded = new Loaded(model, session, companions);
        Shape.named(shape, text -> model.tokenizer().encode(text, true).ids())
                .sequences()
                .forEach(ids -> session.batch().add(ids, null, 1, false));
        session.run();
        float[] alone = session.logits(0, 0);
        companions.wake();
        float[] logits = run();
        if (logits.length != 2 || !Arrays.equals(alone, logits)) {
            throw new IllegalStateException(Arrays.toString(logits) + " instead of " + Arrays.toString(alone));
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        if (loaded != null) {
            loaded.companions.close();
            loaded.session.close();
            loaded.model.close();
        }
    }

    @Benchmark
    public float[] run() {
        Session session = Objects.requireNonNull(loaded).session;
        session.run(threads);
        return session.logits(0, 0);
    }
}
