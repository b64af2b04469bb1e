package io.gatun.bench;

import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.Stage;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.util.concurrent.TimeUnit;
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

/**
 * One stage of one layer, on one core: the linears, attention, a norm, and the quantization of rows, which is what
 * {@code PREPARE} does.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
public class StageBenchmark {
    private static final int LAYER = 2;

    /** Sequences by tokens. */
    @Param({"1x16", "1x128", "8x128"})
    public String shape = "1x16";

    @Param({"EMBED", "QKV", "ATTENTION", "PREPARE", "OUT", "NORM", "UP", "DOWN"})
    public Stage stage = Stage.QKV;

    private final TextModel model = TextModel.load("default", ModelSource.embedded());
    private final Session session = Session.open(model.kernel(), new SessionLimits(1024, 16));

    @Setup(Level.Trial)
    public void fill() {
        Shape.named(shape, text -> model.tokenizer().encode(text, true).ids())
                .sequences()
                .forEach(ids -> session.batch().add(ids, null, 1, false));
        // Leaves real rows in the session for the stage to work on.
        session.run();
    }

    @TearDown(Level.Trial)
    public void close() {
        session.close();
        model.close();
    }

    @Benchmark
    public void run() {
        session.runStage(stage, LAYER);
    }
}
