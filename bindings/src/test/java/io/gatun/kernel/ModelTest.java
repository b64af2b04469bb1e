package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is no sound model is refused with a sentence and leaves nothing behind. */
final class ModelTest {
    private static final int[] ROW = {1, 7, 9, 30, 2};

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
            assertThatThrownBy(() -> open(cut))
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
            try (Model model = open(turned);
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
        assertThatThrownBy(() -> open("a text".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(KernelException.class)
                .hasMessageContaining("GGUF");
        byte[] other = new String(sound, StandardCharsets.ISO_8859_1)
                .replaceFirst("(general.architecture.{12})bert", "$1gpt2")
                .getBytes(StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> open(other))
                .isInstanceOfSatisfying(
                        KernelException.class,
                        e -> assertThat(e.status()).isEqualTo(KernelException.Status.UNSUPPORTED))
                .hasMessageContaining("gpt2");
    }

    @Test
    void packsTheSameOnAnyNumberOfThreads() throws IOException {
        Path file = folder.resolve("tiny.gguf");
        for (Compute compute : Compute.values()) {
            if (Kernel.supports(compute)) {
                float[] alone = logits(file, compute, 1);
                assertThat(alone).hasSize(3).doesNotContain(Float.NaN);
                for (int threads : new int[] {2, 4, 1000}) {
                    assertThat(logits(file, compute, threads))
                            .as("%s on %d threads", compute, threads)
                            .containsExactly(alone);
                }
            }
        }
    }

    @Test
    void everyWayToComputeGivesNearlyTheSame() throws IOException {
        Path file = folder.resolve("tiny.gguf");
        float[] expected = logits(file, Compute.GGML, 1);
        assertThat(logits(file, Compute.F32, 2)).containsExactly(expected, within(1e-4f));
        assertThat(logits(file, Compute.INT8, 2)).containsExactly(expected, within(0.1f));
        if (Kernel.supports(Compute.BF16)) {
            assertThat(logits(file, Compute.BF16, 2)).containsExactly(expected, within(0.1f));
        }
    }

    @Test
    void keepsNothingOfTheImage() throws IOException {
        long before = Slab.allocatedBytes();
        Path file = folder.resolve("tiny.gguf");
        float[] expected = logits(file, Compute.INT8, 1);
        try (Model model = openOnAnImageThatGoes(file);
                Session session = Session.open(model, new SessionLimits(8, 1))) {
            session.batch().add(ROW, null, 1, false);
            session.run();
            assertThat(session.logits(0, 0)).containsExactly(expected);
            assertThat(Slab.allocatedBytes()).isEqualTo(before + model.bytes() + session.bytes());
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void aCheckKeepsNothing() throws IOException {
        long before = Slab.allocatedBytes();
        try (Slab image = TinyModel.read(folder.resolve("tiny.gguf"))) {
            assertThat(Model.check(image.segment(), Compute.INT8).layerCount()).isEqualTo(2);
            assertThat(Slab.allocatedBytes()).isEqualTo(before + image.size());
            assertThatThrownBy(() -> Model.check(image.segment().asSlice(0, 64), Compute.INT8))
                    .isInstanceOf(KernelException.class);
        }
    }

    @Test
    void noThreadIsLeftBehind() throws IOException {
        try (Model model = TinyModel.open(folder.resolve("tiny.gguf"), Compute.INT8, 8)) {
            assertThat(model.compute()).isEqualTo(Compute.INT8);
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("gatun-pack"));
        }
    }

    /** What the kernel says of a part that is not there reaches the caller, from whichever thread. */
    @Test
    void aPartThatFailsIsTold() throws IOException {
        try (Model model = TinyModel.open(folder.resolve("tiny.gguf"))) {
            assertThatThrownBy(() -> Packing.run(model.handle(), 1_000_000, 4))
                    .isInstanceOfSatisfying(
                            KernelException.class,
                            e -> assertThat(e.status()).isEqualTo(KernelException.Status.ARGUMENT));
        }
    }

    @Test
    void anImageThatIsNotAlignedIsRefused() throws IOException {
        try (Slab image = Slab.allocate(sound.length + 1L)) {
            MemorySegment odd = image.segment().asSlice(1);
            MemorySegment.copy(sound, 0, odd, ValueLayout.JAVA_BYTE, 0, sound.length);
            assertThatThrownBy(() -> Model.open(odd, Compute.F32, 1))
                    .isInstanceOfSatisfying(
                            KernelException.class,
                            e -> assertThat(e.status()).isEqualTo(KernelException.Status.ARGUMENT));
        }
    }

    private static float[] logits(Path file, Compute compute, int threads) throws IOException {
        try (Model model = TinyModel.open(file, compute, threads);
                Session session = Session.open(model, new SessionLimits(8, 1))) {
            session.batch().add(ROW, null, 1, false);
            session.run();
            return session.logits(0, 0);
        }
    }

    private static Model openOnAnImageThatGoes(Path file) throws IOException {
        try (Slab image = TinyModel.read(file)) {
            Model model = Model.open(image.segment(), Compute.INT8, 3);
            image.segment().fill((byte) -1);
            return model;
        }
    }

    private static Model open(byte[] bytes) {
        try (Slab image = Slab.allocate(Math.max(1, bytes.length))) {
            MemorySegment.copy(bytes, 0, image.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
            return Model.open(image.segment(), Compute.F32, 1);
        }
    }
}
