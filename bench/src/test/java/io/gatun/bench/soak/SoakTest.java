package io.gatun.bench.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.bench.load.ServerProcess;
import io.gatun.kernel.TensorType;
import io.gatun.model.Converter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A few seconds of mixed traffic against a server in a process of its own. */
final class SoakTest {
    private static final Path DEFAULT_MODEL = Path.of("../server/target/classes/io/gatun/model/default.gguf");
    private static final Path SMALL_MODEL = Path.of("../server/src/test/resources/io/gatun/model/bert-small");

    @TempDir
    private Path folder = Path.of("");

    @Test
    @Timeout(120)
    void answersStayAndNothingGrows() throws IOException, InterruptedException {
        Path small = folder.resolve("small.gguf");
        Converter.convert(SMALL_MODEL, small, TensorType.F32, (done, all) -> {});
        ServerProcess server = ServerProcess.startJava(
                "gatun",
                "",
                command(
                        "serve",
                        "--port",
                        "0",
                        "--grpc-port",
                        "0",
                        "--model",
                        "default=" + DEFAULT_MODEL,
                        "--model",
                        "small=" + small));
        try {
            List<String> faults = new Soak(server, "small", 11, what -> {}).run(Duration.ofSeconds(6));
            assertThat(faults).isEmpty();
        } finally {
            assertThat(server.end()).isZero();
        }
    }

    @Test
    void growthIsTold() {
        Vitals before = new Vitals(100, 20, 50, 10_000_000, 0);
        assertThat(new Vitals(100, 21, 51, 11_000_000, 0).growthSince(before)).isEmpty();
        assertThat(new Vitals(101, 30, 60, 20_000_000, 0).growthSince(before))
                .containsExactly(
                        "Native bytes grew from 100 to 101.",
                        "Threads grew from 20 to 30.",
                        "File descriptors grew from 50 to 60.",
                        "Live heap grew from 10000000 to 20000000.");
    }

    private static List<String> command(String... arguments) {
        return Stream.concat(
                        Stream.of("--enable-native-access=ALL-UNNAMED", "io.gatun.cli.Main"), Arrays.stream(arguments))
                .toList();
    }
}
