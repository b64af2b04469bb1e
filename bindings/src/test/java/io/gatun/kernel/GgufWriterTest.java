package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ggml's writer would answer by ending the process is refused in Java, and the writer stays usable. */
final class GgufWriterTest {
    @TempDir
    private static Path folder;

    @Test
    void refusesEverythingOnceClosed() {
        GgufWriter writer = new GgufWriter();
        Path file = folder.resolve("closed.gguf");
        writer.put("before", 1);
        writer.close();
        writer.close();
        assertThatIllegalStateException().isThrownBy(() -> writer.put("key", 1));
        assertThatIllegalStateException().isThrownBy(() -> writer.put("key", 1f));
        assertThatIllegalStateException().isThrownBy(() -> writer.put("key", true));
        assertThatIllegalStateException().isThrownBy(() -> writer.put("key", "text"));
        assertThatIllegalStateException().isThrownBy(() -> writer.putStrings("key", List.of("a")));
        assertThatIllegalStateException().isThrownBy(() -> writer.putInts("key", new int[] {1}));
        assertThatIllegalStateException().isThrownBy(() -> writer.putSigned("key", new int[] {1}));
        assertThatIllegalStateException().isThrownBy(() -> writer.putFloats("key", new float[] {1}));
        assertThatIllegalStateException().isThrownBy(() -> writer.addTensor("tensor", TensorType.F32, 32));
        assertThatIllegalStateException().isThrownBy(() -> writer.write(file, (index, target) -> {}));
        assertThat(file).doesNotExist();
    }

    @Test
    void refusesKeysThatGgmlWouldNotTake() throws IOException {
        try (GgufWriter writer = new GgufWriter()) {
            for (String key : List.of("", "a\0b", "\0", "general.alignment")) {
                assertThatIllegalArgumentException().as(key).isThrownBy(() -> writer.put(key, 1));
                assertThatIllegalArgumentException().as(key).isThrownBy(() -> writer.put(key, "text"));
                assertThatIllegalArgumentException().as(key).isThrownBy(() -> writer.putStrings(key, List.of()));
                assertThatIllegalArgumentException().as(key).isThrownBy(() -> writer.putFloats(key, new float[1]));
            }
            writer.put("twice", 1);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.put("twice", 2f))
                    .withMessageContaining("twice");
            assertThatIllegalArgumentException().isThrownBy(() -> writer.putInts("twice", new int[] {1}));
            assertOpens(writer);
        }
    }

    @Test
    void refusesTensorNamesThatGgmlWouldNotTake() throws IOException {
        try (GgufWriter writer = new GgufWriter()) {
            for (String name : List.of("a\0b", "n".repeat(64), "ä".repeat(32))) {
                assertThatIllegalArgumentException()
                        .as(name)
                        .isThrownBy(() -> writer.addTensor(name, TensorType.F32, 32));
            }
            writer.addTensor("n".repeat(63), TensorType.F32, 32).addTensor("ä".repeat(31), TensorType.F32, 32);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> writer.addTensor("n".repeat(63), TensorType.F16, 32))
                    .withMessageContaining("twice");
            assertOpens(writer);
        }
    }

    @Test
    void refusesShapesThatGgmlWouldNotTake() throws IOException {
        try (GgufWriter writer = new GgufWriter()) {
            String name = "token_embd.weight"; // of the model itself: a refusal must not take the name
            assertThatThrownBy(() -> writer.addTensor(name, TensorType.F32, 1L << 61))
                    .isInstanceOf(ArithmeticException.class);
            assertThatThrownBy(() -> writer.addTensor(name, TensorType.Q8_0, 32, 1L << 62))
                    .isInstanceOf(ArithmeticException.class);
            assertThatThrownBy(() -> writer.addTensor(name, TensorType.F16, 1L << 21, 1L << 21, 1L << 21, 2))
                    .isInstanceOf(ArithmeticException.class);
            for (long[] shape : new long[][] {{}, {32, 1, 1, 1, 1}, {0}, {32, 0}, {-32}, {32, -1}}) {
                assertThatIllegalArgumentException().isThrownBy(() -> writer.addTensor(name, TensorType.F32, shape));
            }
            assertThatIllegalArgumentException().isThrownBy(() -> writer.addTensor(name, TensorType.Q4_0, 33));
            assertOpens(writer);
        }
    }

    /** The writer still writes a model that opens. */
    private static void assertOpens(GgufWriter writer) throws IOException {
        Path file = folder.resolve("model.gguf");
        TinyModel.write(writer, file);
        try (Model model = TinyModel.open(file)) {
            assertThat(model.heads()).hasSize(4);
        }
    }
}
