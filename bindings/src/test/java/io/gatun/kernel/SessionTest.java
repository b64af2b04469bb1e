package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
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
    void answersOnlyForTheBatchThatRan() {
        Session session = Session.open(model, LIMITS);
        TokenBatch batch = session.batch();
        assertHasNoAnswer(session);
        batch.add(ids(5), null, BOTH, true);
        assertHasNoAnswer(session);
        session.run();
        float[] answer = session.logits(0, 0);
        assertRefused(() -> batch.add(ids(17), null, BOTH, true), "17 tokens");
        assertThat(session.logits(0, 0))
                .as("a refused sequence changes nothing")
                .containsExactly(answer);
        batch.add(ids(3), null, BOTH, true);
        assertHasNoAnswer(session);
        session.run();
        assertThat(session.logits(0, 0)).containsExactly(answer);
        assertThat(session.states(1)).hasSize(3 * TinyModel.WIDTH);
        batch.clear();
        assertHasNoAnswer(session);
        assertRefused(session::run, "0 tokens");
        assertHasNoAnswer(session);
        batch.add(ids(5), null, BOTH, true);
        session.run();
        session.close();
        assertHasNoAnswer(session);
        assertThatIllegalStateException().isThrownBy(session::run);
    }

    /** Which state close() meets is a matter of luck, hardly ever the wrong one: batches run without a pause. */
    @Test
    void cannotBeClosedWhileABatchRuns() throws Exception {
        long before = Slab.allocatedBytes();
        boolean met = false;
        for (int attempt = 0; attempt < 1000 && !met; attempt++) {
            met = closeMeetsARunningBatch();
            assertThat(Slab.allocatedBytes()).isEqualTo(before);
        }
        assertThat(met).isTrue();
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

    /** Closes a session while another thread runs batches. False: between two of them. */
    private static boolean closeMeetsARunningBatch() throws Exception {
        Session session = Session.open(model, new SessionLimits(1024, 64));
        while (session.batch().fits(TinyModel.CONTEXT)) {
            session.batch().add(ids(TinyModel.CONTEXT), null, BOTH, true);
        }
        CountDownLatch started = new CountDownLatch(1);
        AtomicBoolean enough = new AtomicBoolean();
        try (ExecutorService lane = Executors.newSingleThreadExecutor()) {
            Future<?> batches = lane.submit(() -> {
                while (!enough.get()) {
                    started.countDown();
                    session.run();
                }
            });
            started.await();
            Throwable refusal = catchThrowable(session::close);
            enough.set(true);
            if (refusal == null) {
                // The lane was stopped before its next batch, or that batch was refused.
                Throwable stopped = catchThrowable(batches::get);
                if (stopped != null) {
                    assertThat(stopped).hasCauseInstanceOf(IllegalStateException.class);
                }
                return false;
            }
            assertThat(refusal).isInstanceOf(IllegalStateException.class).hasMessage("a batch runs");
            batches.get();
        }
        float[] answer = session.logits(63, 0);
        session.run();
        assertThat(session.logits(63, 0)).containsExactly(answer);
        session.close();
        assertThatIllegalStateException().isThrownBy(session::run);
        return true;
    }

    private static void assertHasNoAnswer(Session session) {
        assertThatIllegalStateException().isThrownBy(() -> session.logits(0, 0));
        assertThatIllegalStateException().isThrownBy(() -> session.logits(0, 1));
        assertThatIllegalStateException().isThrownBy(() -> session.states(0));
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
