package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SessionTest {
    private static final SessionLimits LIMITS = new SessionLimits(40, 4);
    private static final int BOTH = 0b11;

    @TempDir
    private static Path folder;

    private static Model model;

    @BeforeAll
    static void open() throws IOException {
        model = Model.open(TinyModel.read(TinyModel.write(folder)));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void tellsSizesAndHeads() {
        assertThat(model.info()).isEqualTo(new ModelInfo(TinyModel.VOCABULARY, TinyModel.CONTEXT, 32, 2, 4, 64, 1));
        assertThat(model.heads())
                .containsExactly(
                        new HeadInfo(0, "head-0", false, 3, List.of(2)),
                        new HeadInfo(1, "head-1", true, 2, List.of(1, 2)));
    }

    @Test
    void aRowIsTheSameAloneAndInAnyPlaceOfABatch() {
        int[] row = {1, 7, 9, 30, 2};
        try (Session session = Session.open(model, LIMITS)) {
            session.batch().add(row, null, BOTH, true);
            session.run();
            float[] text = session.logits(0, 0);
            float[] tokens = session.logits(0, 1);
            float[] states = session.states(0);
            assertThat(text).hasSize(3);
            assertThat(tokens).hasSize(2 * row.length);
            assertThat(states).hasSize(TinyModel.WIDTH * row.length);
            for (int place = 0; place < 3; place++) {
                session.batch().clear();
                for (int i = 0; i < 3; i++) {
                    session.batch()
                            .add(i == place ? row : ids(3 + 5 * i), null, i == place ? BOTH : 1 + i % 2, i == place);
                }
                session.run();
                assertThat(session.logits(place, 0)).containsExactly(text);
                assertThat(session.logits(place, 1)).containsExactly(tokens);
                assertThat(session.states(place)).containsExactly(states);
            }
        }
    }

    @Test
    void everyBoundIsCheckedAndTheBatchStaysUsable() {
        try (Session session = Session.open(model, LIMITS)) {
            TokenBatch batch = session.batch();
            assertRefused(session::run, "");
            assertRefused(() -> batch.add(new int[0], null, 1, false), "0 tokens");
            assertRefused(() -> batch.add(ids(17), null, 1, false), "17 tokens");
            assertRefused(() -> batch.add(new int[] {50}, null, 1, false), "Token id 50");
            assertRefused(() -> batch.add(new int[] {-1}, null, 1, false), "Token id -1");
            assertRefused(() -> batch.add(new int[] {1}, new int[] {1}, 1, false), "Token type 1");
            assertRefused(() -> batch.add(new int[] {1}, new int[] {0, 0}, 1, false), "2 token types");
            assertRefused(() -> batch.add(ids(3), null, 0b100, false), "heads 100");
            assertRefused(() -> batch.add(ids(3), null, 0, false), "heads 0");
            assertThat(batch.tokens()).isZero();
            batch.add(ids(16), null, 1, false);
            batch.add(ids(16), null, 1, false);
            assertRefused(() -> batch.add(ids(9), null, 1, false), "no room");
            batch.add(ids(7), null, 1, false);
            batch.add(ids(1), null, 1, false);
            assertThat(batch.fits(0)).isFalse();
            session.run();
            assertThat(session.logits(3, 0)).doesNotContain(Float.NaN);
            assertThatIllegalArgumentException().isThrownBy(() -> session.logits(0, 1));
            assertThatThrownBy(() -> session.logits(4, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void memoryIsWhatWasToldAndComesBack() {
        long before = Slab.allocatedBytes();
        for (int i = 0; i < 50; i++) {
            Session session = Session.open(model, LIMITS);
            assertThat(Slab.allocatedBytes()).isEqualTo(before + Session.bytes(model, LIMITS));
            session.close();
            session.close();
            assertThat(Slab.allocatedBytes()).isEqualTo(before);
        }
    }

    @Test
    void aModelOutlivesItsSessions() throws IOException {
        Model own = Model.open(TinyModel.read(folder.resolve("tiny.gguf")));
        Session session = Session.open(own, LIMITS);
        assertThatThrownBy(own::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("1 open");
        session.close();
        own.close();
        own.close();
        assertThatThrownBy(() -> Session.open(own, LIMITS)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(session::run).isInstanceOf(IllegalStateException.class);
    }

    private static int[] ids(int length) {
        return IntStream.range(0, length)
                .map(i -> (i * 11 + length) % TinyModel.VOCABULARY)
                .toArray();
    }

    private static void assertRefused(Runnable call, String part) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        KernelException.class, e -> assertThat(e.status()).isEqualTo(KernelException.Status.BATCH))
                .hasMessageContaining(part);
    }
}
