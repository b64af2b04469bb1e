package io.gatun.bench;

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

/** From a text to its ids. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
public class TokenizationBenchmark {
    private static final String SENTENCE = "I loved every minute of this film. "; // 8 tokens

    @Param({"8", "16", "128", "512"})
    public int tokens = 16;

    private final TextModel model = TextModel.load("default", ModelSource.embedded());
    private String text = "";

    @Setup(Level.Trial)
    public void repeat() {
        text = SENTENCE.repeat(tokens / 8);
        int length = encode().length;
        if (length != tokens + 2) {
            throw new IllegalStateException(length + " tokens instead of " + (tokens + 2));
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        model.close();
    }

    @Benchmark
    public int[] encode() {
        return model.tokenizer().encode(text, true).ids();
    }
}
