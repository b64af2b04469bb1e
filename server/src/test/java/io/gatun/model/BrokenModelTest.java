package io.gatun.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.kernel.Slab;
import io.gatun.kernel.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model file that is not sound is one sentence, and nothing of it stays in memory. */
final class BrokenModelTest {
    @TempDir
    private Path folder;

    private byte[] sound = {};

    @BeforeEach
    void convert() throws IOException {
        sound = Files.readAllBytes(Checkpoints.convert("distilbert-heads-small", TensorType.Q8_0, folder));
    }

    @Test
    void cutAnywhere() throws IOException {
        long before = Slab.allocatedBytes();
        for (int i = 0; i < 200; i++) {
            byte[] cut = new byte[(int) ((long) sound.length * i / 200)];
            System.arraycopy(sound, 0, cut, 0, cut.length);
            Path file = Files.write(folder.resolve("cut.gguf"), cut);
            assertThatThrownBy(() -> TextModel.load("m", ModelSource.file(file)))
                    .as("cut at %d", cut.length)
                    .isInstanceOf(ModelException.class)
                    .hasMessageMatching("The model .*\\.");
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void anyBitTurned() throws IOException {
        long before = Slab.allocatedBytes();
        Random random = new Random(5);
        for (int i = 0; i < 2000; i++) {
            byte[] turned = sound.clone();
            int at = random.nextInt(i % 2 == 0 ? sound.length : 6000);
            turned[at] ^= (byte) (1 << random.nextInt(8));
            Path file = Files.write(folder.resolve("turned.gguf"), turned);
            try (TextModel model = TextModel.load("m", ModelSource.file(file))) {
                assertThat(model.tokenizer().encode("a text", true).length()).isPositive();
            } catch (ModelException e) {
                assertThat(e.getMessage()).as("bit at %d", at).matches("The model .*\\.");
            }
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void theReaderOfKeysStandsAlone() {
        Random random = new Random(6);
        for (int i = 0; i < 5000; i++) {
            byte[] turned = sound.clone();
            turned[random.nextInt(6000)] = (byte) random.nextInt();
            try {
                ModelDescription.of(GgufFile.parse(MemorySegment.ofArray(turned)));
            } catch (ModelException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    @Test
    void whatIsNoFile() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.gguf"));
        assertThatThrownBy(() -> ModelSource.file(empty).read(MemorySegment::byteSize))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("is empty");
        assertThatThrownBy(() -> ModelSource.file(folder).read(MemorySegment::byteSize))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("gatun convert");
        assertThatThrownBy(() -> ModelSource.file(folder.resolve("none.gguf")).read(MemorySegment::byteSize))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("does not exist");
    }
}
