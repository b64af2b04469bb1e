package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is no sound model is refused with a sentence and leaves nothing behind. */
final class ModelTest {
    @TempDir
    private static Path folder;

    private static byte[] sound = {};

    @BeforeAll
    static void write() throws IOException {
        sound = Files.readAllBytes(TinyModel.write(folder));
    }

    @Test
    void refusesTheFileCutAnywhere() {
        long before = Slab.allocatedBytes();
        for (int i = 0; i < 200; i++) {
            byte[] cut = new byte[(int) ((long) sound.length * i / 200)];
            System.arraycopy(sound, 0, cut, 0, cut.length);
            assertThatThrownBy(() -> Model.open(slab(cut)))
                    .as("cut at %d", cut.length)
                    .isInstanceOfSatisfying(
                            KernelException.class,
                            e -> assertThat(e.status())
                                    .isIn(KernelException.Status.FORMAT, KernelException.Status.UNSUPPORTED));
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void refusesOrRunsTheFileWithAnyBitTurned() {
        long before = Slab.allocatedBytes();
        Random random = new Random(11);
        for (int i = 0; i < 2000; i++) {
            byte[] turned = sound.clone();
            // Half of the bits in the keys and names, where each counts.
            int at = random.nextInt(i % 2 == 0 ? sound.length : 4096);
            turned[at] ^= (byte) (1 << random.nextInt(8));
            try (Model model = Model.open(slab(turned));
                    Session session = Session.open(model, new SessionLimits(32, 2))) {
                if (!model.heads().isEmpty()) {
                    session.batch().add(new int[] {0}, null, 1, true);
                    session.run();
                }
            } catch (KernelException e) {
                assertThat(e.getMessage()).as("bit at %d", at).isNotBlank().doesNotContain("\n");
            }
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void namesWhatIsWrong() {
        assertThatThrownBy(() -> Model.open(slab("a text".getBytes(StandardCharsets.UTF_8))))
                .isInstanceOf(KernelException.class)
                .hasMessageContaining("GGUF");
        byte[] other = new String(sound, StandardCharsets.ISO_8859_1)
                .replaceFirst("(general.architecture.{12})bert", "$1gpt2")
                .getBytes(StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> Model.open(slab(other)))
                .isInstanceOfSatisfying(
                        KernelException.class,
                        e -> assertThat(e.status()).isEqualTo(KernelException.Status.UNSUPPORTED))
                .hasMessageContaining("gpt2");
    }

    private static Slab slab(byte[] bytes) {
        Slab slab = Slab.allocate(Math.max(1, bytes.length));
        MemorySegment.copy(bytes, 0, slab.segment(), java.lang.foreign.ValueLayout.JAVA_BYTE, 0, bytes.length);
        return slab;
    }
}
