package io.gatun.bench;

import io.gatun.kernel.Compute;
import io.gatun.kernel.Kernel;
import io.gatun.kernel.Model;
import io.gatun.model.ModelSource;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The default model's file mapped, checked, packed by all cores and let go, once in a fresh Java: its tokenizer, which
 * is made of the same file, is not.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(
        value = 7,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED"})
public class LoadBenchmark {
    @Setup(Level.Trial)
    public void library() {
        Kernel.load();
    }

    @Benchmark
    public long load() {
        int threads = Runtime.getRuntime().availableProcessors();
        try (Model model = ModelSource.embedded().read(image -> Model.open(image, Compute.INT8, threads))) {
            return model.bytes();
        }
    }
}
