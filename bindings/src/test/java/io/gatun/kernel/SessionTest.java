package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SessionTest {
    private static final SessionLimits LIMITS = new SessionLimits(40, 4);
    private static final int BOTH = 0b11;
    private static final int WORDS = 0b1000;

    @TempDir
    private static Path folder;

    private static Model model;

    @BeforeAll
    static void open() throws IOException {
        model = TinyModel.open(TinyModel.write(folder));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void tellsSizesAndHeads() {
        assertThat(model.info())
                .isEqualTo(new ModelInfo(
                        TinyModel.VOCABULARY, TinyModel.CONTEXT, 32, 2, 4, 64, 1, OptionalInt.of(TinyModel.MASK)));
        assertThat(model.heads())
                .containsExactly(
                        new HeadInfo(0, "head-0", HeadInfo.Rows.PER_TEXT, 3, List.of(2)),
                        new HeadInfo(1, "head-1", HeadInfo.Rows.PER_TOKEN, 2, List.of(1, 2)),
                        new HeadInfo(2, "head-2", HeadInfo.Rows.PER_TOKEN, 2, List.of(2)),
                        new HeadInfo(3, "head-3", HeadInfo.Rows.PER_MASK, TinyModel.VOCABULARY, List.of(2)));
    }

    @Test
    void masksGetARowOfTheVocabularyEach() {
        int mask = TinyModel.MASK;
        int[] row = {1, mask, 9, mask, mask, 2};
        try (Session session = Session.open(model, LIMITS)) {
            session.batch().add(row, null, WORDS, false);
            session.run();
            float[] words = session.logits(0, 3);
            assertThat(words).hasSize(3 * TinyModel.VOCABULARY).doesNotContain(Float.NaN);
            session.batch().clear();
            session.batch().add(new int[] {1, 9, 2}, null, WORDS, false);
            session.batch().add(row, null, 0b1111, true);
            session.batch().add(row, null, 1, false);
            session.run();
            assertThat(session.logits(0, 3)).isEmpty();
            assertThat(session.logits(1, 3)).containsExactly(words);
            assertThat(session.logits(1, 2)).hasSize(2 * row.length);
            assertThat(session.states(1)).hasSize(TinyModel.WIDTH * row.length);
            assertThat(session.logits(2, 0)).containsExactly(session.logits(1, 0));
        }
    }

    @Test
    void masksAreBoundedWhereTheyAreToBeFilled() {
        int[] masks = IntStream.generate(() -> TinyModel.MASK).limit(3).toArray();
        SessionLimits limits = new SessionLimits(40, 4, 1, 5);
        assertThat(Session.bytes(model, LIMITS) - Session.bytes(model, limits))
                .isBetween(35L * 4 * TinyModel.VOCABULARY - 64, 35L * 4 * TinyModel.VOCABULARY + 64);
        try (Session session = Session.open(model, limits)) {
            TokenBatch batch = session.batch();
            batch.add(masks, null, WORDS, false);
            assertRefused(
                    () -> batch.add(masks, null, WORDS, false), "3 masks has no room in a batch that holds 3 of 5");
            batch.add(masks, null, BOTH, false);
            batch.add(new int[] {TinyModel.MASK, 7, TinyModel.MASK}, null, WORDS, false);
            session.run();
            assertThat(session.logits(2, 3)).hasSize(2 * TinyModel.VOCABULARY);
            assertThat(model.masks(masks, WORDS)).isEqualTo(3);
            assertThat(model.masks(masks, BOTH)).isZero();
        }
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
            assertRefused(() -> batch.add(ids(3), null, 0b10000, false), "heads 10000");
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
        Model own = TinyModel.open(folder.resolve("tiny.gguf"));
        Session session = Session.open(own, LIMITS);
        assertThatThrownBy(own::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("1 open");
        session.close();
        own.close();
        own.close();
        assertThatThrownBy(() -> Session.open(own, LIMITS)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(session::run).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aBatchIsTheSameBitsAloneAndJoined() throws Exception {
        for (Compute compute : Compute.values()) {
            if (compute.joins() && Kernel.supports(compute)) {
                joinedIsAlone(compute);
            }
        }
    }

    @Test
    void joiningDoesNothingWhereThereIsNothingToJoin() throws Exception {
        try (Model ggml = TinyModel.open(folder.resolve("tiny.gguf"), Compute.GGML, 1);
                Session alone = Session.open(ggml, LIMITS)) {
            alone.batch().add(ids(5), null, 1, false);
            alone.run();
            assertThat(alone.join()).isZero();
        }
        Session session = Session.open(model, LIMITS);
        assertThat(session.join()).isZero();
        session.batch().add(ids(5), null, 1, false);
        assertThatIllegalArgumentException().isThrownBy(() -> session.run(2));
        assertThatIllegalArgumentException().isThrownBy(() -> session.run(0));
        session.close();
        assertThat(session.join()).isZero();
    }

    /** Threads that join without a pause meet every moment of a close sooner or later. */
    @Test
    void closesUnderThreadsThatJoin() throws Exception {
        long before = Slab.allocatedBytes();
        for (int attempt = 0; attempt < 300; attempt++) {
            Session session = Session.open(model, new SessionLimits(40, 4, 3));
            session.batch().add(ids(16), null, BOTH, true);
            AtomicBoolean enough = new AtomicBoolean();
            try (ExecutorService joiners = Executors.newFixedThreadPool(2)) {
                List<Future<?>> joins = IntStream.range(0, 2)
                        .<Future<?>>mapToObj(i -> joiners.submit(() -> {
                            while (!enough.get()) {
                                session.join();
                            }
                        }))
                        .toList();
                session.run(3);
                session.close();
                assertThat(session.bytes()).isZero();
                enough.set(true);
                for (Future<?> join : joins) {
                    join.get();
                }
            }
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void aProfileCoversTheRun() {
        try (Session session = Session.open(model, LIMITS)) {
            session.batch().add(ids(16), null, BOTH, true);
            assertThat(session.profile().values())
                    .hasSize(Stage.values().length)
                    .containsOnly(0L);
            long started = System.nanoTime();
            for (int i = 0; i < 100; i++) {
                session.run();
            }
            long took = System.nanoTime() - started;
            Map<Stage, Long> profile = session.profile();
            assertThat(profile)
                    .extractingByKeys(Stage.EMBED, Stage.QKV, Stage.ATTENTION, Stage.UP, Stage.DOWN, Stage.HEAD)
                    .allSatisfy(nanos -> assertThat(nanos).isPositive());
            assertThat(profile.values().stream().mapToLong(Long::longValue).sum())
                    .isLessThanOrEqualTo(took);
        }
    }

    @Test
    void singleStagesRun() {
        try (Session session = Session.open(model, LIMITS)) {
            session.batch().add(ids(16), null, BOTH, true);
            session.run();
            float[] answer = session.logits(0, 0);
            for (Stage stage : Stage.values()) {
                if (stage.compareTo(Stage.DOWN) <= 0) {
                    session.runStage(stage, 1);
                }
            }
            assertThat(session.logits(0, 0)).containsExactly(answer);
            for (Runnable call : List.<Runnable>of(
                    () -> session.runStage(Stage.HEAD, 0), () -> session.runStage(Stage.QKV, TinyModel.LAYERS))) {
                assertThatThrownBy(call::run)
                        .isInstanceOfSatisfying(
                                KernelException.class,
                                e -> assertThat(e.status()).isEqualTo(KernelException.Status.ARGUMENT));
            }
        }
    }

    private static void joinedIsAlone(Compute compute) throws Exception {
        try (Model own = TinyModel.open(folder.resolve("tiny.gguf"), compute, 2);
                Session session = Session.open(own, new SessionLimits(640, 40, 3));
                ExecutorService joiners = Executors.newFixedThreadPool(2)) {
            for (int sequences : new int[] {1, 2, 40}) {
                session.batch().clear();
                for (int i = 0; i < sequences; i++) {
                    session.batch().add(ids(16 - i % 5), null, BOTH, true);
                }
                session.run();
                List<float[]> alone = answers(session, sequences);
                AtomicBoolean enough = new AtomicBoolean();
                AtomicLong pieces = new AtomicLong();
                for (int i = 0; i < 2; i++) {
                    joiners.execute(() -> {
                        while (!enough.get()) {
                            pieces.addAndGet(session.join());
                        }
                    });
                }
                try {
                    // Whether a thread comes in time is luck: as often as it takes.
                    for (int run = 0; run < 100_000 && (run < 50 || pieces.get() == 0); run++) {
                        session.run(2 + run % 2);
                        assertThat(answers(session, sequences)).containsExactlyElementsOf(alone);
                    }
                } finally {
                    enough.set(true);
                }
                assertThat(pieces).as("%s, %d sequences", compute, sequences).hasPositiveValue();
            }
        }
    }

    private static List<float[]> answers(Session session, int sequences) {
        return IntStream.range(0, sequences)
                .boxed()
                .flatMap(i -> Stream.of(session.logits(i, 0), session.logits(i, 1), session.states(i)))
                .toList();
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
