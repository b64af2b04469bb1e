package io.gatun.bench;

import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.util.Arrays;
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

/** One batch of the default model on one core: the whole encoder and the default head. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
public class EncoderBenchmark {
    private static final String TEXT = "I loved every minute of this film. ";

    /** Sequences by tokens. */
    @Param({"1x8", "1x16", "1x32", "1x64", "1x128", "1x512", "8x32", "8x128"})
    public String shape = "1x16";

    private TextModel model = TextModel.load("default", ModelSource.embedded());
    private Session session = Session.open(model.kernel(), new SessionLimits(1024, 8));

    @Setup(Level.Trial)
    public void fill() {
        int[] sizes =
                Arrays.stream(shape.split("x", -1)).mapToInt(Integer::parseInt).toArray();
        int[] ids = Arrays.copyOf(
                model.tokenizer().encode(TEXT.repeat(sizes[1]), true).ids(), sizes[1]);
        for (int i = 0; i < sizes[0]; i++) {
            session.batch().add(ids, null, 1, false);
        }
        float[] logits = run();
        if (logits.length != 2 || !(logits[1] > logits[0])) {
            throw new IllegalStateException("a praise is not POSITIVE: " + Arrays.toString(logits));
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        session.close();
        model.close();
    }

    @Benchmark
    public float[] run() {
        session.run();
        return session.logits(0, 0);
    }
}
