package io.gatun.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.gatun.golden.GoldenModels;
import io.gatun.kernel.Compute;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.Slab;
import io.gatun.model.Head;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real lanes on a real small model. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
final class LanesTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final BatchListener NOBODY = (sequences, tokens) -> {};

    private final TextModel model;
    private final List<SmallModel.Row> reference = SmallModel.reference(SmallModel.HEADS);

    LanesTest(@TempDir Path folder) {
        model = SmallModel.load(SmallModel.HEADS, folder);
    }

    @BeforeAll
    void hasRows() {
        assertThat(reference).hasSize(20);
    }

    @AfterAll
    void close() {
        model.close();
    }

    /** Stops a lane at each batch that it takes until it is let go, and remembers the batch's sizes. */
    private static final class Gate implements BatchListener {
        private final Semaphore taken = new Semaphore(0);
        private final CountDownLatch open = new CountDownLatch(1);
        private final List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void batchTaken(int sequences, int tokens) {
            sizes.add(sequences);
            taken.release();
            try {
                assertThat(open.await(30, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        void awaitBatch() throws InterruptedException {
            assertThat(taken.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void everyHeadOfEveryRowIsAsTheReferenceSays() throws Exception {
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 2), NOBODY)) {
            List<Job> jobs =
                    reference.stream().map(row -> job(row.ids(), 0b1111)).toList();
            lanes.submit(jobs, Priority.INTERACTIVE);
            for (int i = 0; i < jobs.size(); i++) {
                Answer answer = jobs.get(i).result().get(30, TimeUnit.SECONDS);
                for (Head head : model.description().heads()) {
                    assertThat(answer.logits(head))
                            .containsExactly(reference.get(i).logits(head), within(1e-3f));
                }
                assertThat(answer.queuedNanos()).isNotNegative();
                assertThat(answer.computedNanos()).isPositive();
            }
        }
    }

    @Test
    void aRowIsTheSameAloneAndInABatch() throws Exception {
        Gate gate = new Gate();
        try (Lanes held = Lanes.start(model, LaneSettings.of(model, 1), gate);
                Lanes free = Lanes.start(model, LaneSettings.of(model, 1), NOBODY)) {
            List<Job> together =
                    reference.stream().map(row -> job(row.ids(), 0b1111)).toList();
            held.submit(together, Priority.INTERACTIVE);
            gate.open.countDown();
            for (int i = 0; i < together.size(); i++) {
                Job alone = job(reference.get(i).ids(), 0b1111);
                free.submit(List.of(alone), Priority.INTERACTIVE);
                Answer one = alone.result().get(30, TimeUnit.SECONDS);
                Answer many = together.get(i).result().get(30, TimeUnit.SECONDS);
                assertThat(one.batchSequences()).isOne();
                for (Head head : model.description().heads()) {
                    assertThat(many.logits(head)).containsExactly(one.logits(head));
                }
            }
        }
    }

    /** One request at a time, so that both lanes are idle when it comes; then many, so that none is. */
    @Test
    void aRowIsTheSameBitsWhicheverWayTheLanesAreUsed() throws Exception {
        int[] longest = new int[model.maxTokens()];
        Arrays.setAll(longest, i -> 5 + i % 50);
        List<int[]> texts = new ArrayList<>(List.of(longest));
        reference.forEach(row -> texts.add(row.ids()));
        List<Answer> alone = new ArrayList<>();
        try (Lanes one = Lanes.start(model, LaneSettings.of(model, 1), NOBODY)) {
            for (int[] text : texts) {
                alone.add(answer(one, job(text, 0b1111)));
            }
        }
        try (Lanes two = Lanes.start(model, LaneSettings.of(model, 2), NOBODY)) {
            // A batch of this model is done in no time: whether the other lane comes in time is luck.
            for (int round = 0; round < 20 || two.joins() == 0; round++) {
                for (int i = 0; i < texts.size(); i++) {
                    assertSame(answer(two, job(texts.get(i), 0b1111)), alone.get(i));
                }
            }
            List<Job> many = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                many.add(job(texts.get(i % texts.size()), 0b1111));
            }
            two.submit(many, Priority.INTERACTIVE);
            for (int i = 0; i < many.size(); i++) {
                assertSame(many.get(i).result().get(30, TimeUnit.SECONDS), alone.get(i % texts.size()));
            }
        }
    }

    @Test
    void lanesThatCannotJoinRunAlone(@TempDir Path folder) throws Exception {
        Path file = SmallModel.convert(SmallModel.HEADS, folder);
        try (TextModel ggml = TextModel.load("ggml", ModelSource.file(file), Compute.GGML);
                Lanes lanes = Lanes.start(ggml, LaneSettings.of(ggml, 2), NOBODY)) {
            for (SmallModel.Row row : reference) {
                Answer answer = answer(lanes, job(row.ids(), 0b1111));
                for (Head head : ggml.description().heads()) {
                    assertThat(answer.logits(head)).containsExactly(row.logits(head), within(1e-3f));
                }
            }
            assertThat(lanes.joins()).isZero();
        }
    }

    @Test
    void idleLanesBurnNoProcessor() throws Exception {
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 2), NOBODY)) {
            for (int i = 0; i < 50; i++) {
                answer(lanes, job(i));
            }
            ThreadMXBean threads = ManagementFactory.getThreadMXBean();
            List<Thread> running = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("gatun-lane-"))
                    .toList();
            List<Long> ids = running.stream().map(Thread::threadId).toList();
            assertThat(ids).hasSizeGreaterThanOrEqualTo(2);
            // A lane that found nothing to join may be on its way back.
            await().until(() -> running.stream().allMatch(lane -> lane.getState() == Thread.State.WAITING));
            long before = ids.stream().mapToLong(threads::getThreadCpuTime).sum();
            Thread.sleep(300);
            long after = ids.stream().mapToLong(threads::getThreadCpuTime).sum();
            assertThat(Duration.ofNanos(after - before)).isLessThan(Duration.ofMillis(3));
        }
    }

    private static Answer answer(Lanes lanes, Job job) throws Exception {
        lanes.submit(List.of(job), Priority.INTERACTIVE);
        return job.result().get(30, TimeUnit.SECONDS);
    }

    private void assertSame(Answer actual, Answer expected) {
        for (Head head : model.description().heads()) {
            assertThat(actual.logits(head)).containsExactly(expected.logits(head));
        }
    }

    @Test
    void batchesFormBecauseTheLaneIsBusy() throws Exception {
        Gate gate = new Gate();
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 1), gate)) {
            lanes.submit(List.of(job(1)), Priority.INTERACTIVE);
            gate.awaitBatch();
            List<Job> waiting = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                waiting.add(job(1));
                lanes.submit(List.of(waiting.getLast()), Priority.INTERACTIVE);
            }
            assertThat(lanes.queuedJobs()).isEqualTo(10);
            assertThat(lanes.queuedTokens()).isEqualTo(10 * job(1).tokens());
            gate.open.countDown();
            for (Job job : waiting) {
                assertThat(job.result().get(30, TimeUnit.SECONDS).batchSequences())
                        .isEqualTo(10);
            }
            assertThat(gate.sizes).containsExactly(1, 10);
            assertThat(lanes.queuedTokens()).isZero();
        }
    }

    @Test
    void aBatchEndsAtItsTokensAndAtItsSequences() throws Exception {
        Gate gate = new Gate();
        LaneSettings settings = new LaneSettings(1, new SessionLimits(40, 4), LaneSettings.MAX_BATCH, 100, 10_000);
        try (Lanes lanes = Lanes.start(model, settings, gate)) {
            lanes.submit(List.of(ids(2)), Priority.INTERACTIVE);
            gate.awaitBatch();
            List<Job> waiting =
                    List.of(ids(20), ids(20), ids(20), ids(2), ids(2), ids(2), /**/ ids(2), ids(40), /**/ ids(1));
            lanes.submit(waiting, Priority.INTERACTIVE);
            gate.open.countDown();
            for (Job job : waiting) {
                job.result().get(30, TimeUnit.SECONDS);
            }
            assertThat(gate.sizes).containsExactly(1, 2, 4, 1, 1, 1);
        }
    }

    @Test
    void masksAreAnsweredWithTheVocabularyAndBoundABatch() throws Exception {
        Gate gate = new Gate();
        LaneSettings settings =
                new LaneSettings(1, new SessionLimits(100, 8, 1, 3), LaneSettings.MAX_BATCH, 100, 10_000);
        try (TextModel words = GoldenModels.load("distilbert-uncased", "fill-mask", Compute.F32);
                Lanes lanes = Lanes.start(words, settings, gate)) {
            Head head = words.description().heads().getFirst();
            int mask = words.kernel().info().maskToken().orElseThrow();
            int vocabulary = words.kernel().info().vocabularySize();
            int[] one = {2, 5, mask, 6, 3};
            lanes.submit(List.of(job(one, 1)), Priority.INTERACTIVE);
            gate.awaitBatch();
            List<Job> waiting = List.of(
                    job(new int[] {2, mask, mask, 3}, 1), job(one, 1), /**/ job(one, 1), job(new int[] {2, 5, 3}, 1));
            lanes.submit(waiting, Priority.INTERACTIVE);
            Job four = job(new int[] {mask, mask, mask, mask}, 1);
            assertThatThrownBy(() -> lanes.submit(List.of(four), Priority.INTERACTIVE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("4 masks; a batch has room for 3");
            gate.open.countDown();
            List<float[]> answers = new ArrayList<>();
            for (Job job : waiting) {
                answers.add(job.result().get(30, TimeUnit.SECONDS).logits(head));
            }
            assertThat(answers).extracting(logits -> logits.length / vocabulary).containsExactly(2, 1, 1, 0);
            assertThat(answers.get(2)).containsExactly(answers.get(1));
            assertThat(gate.sizes).containsExactly(1, 2, 2);
        }
    }

    @Test
    void whatNobodyWaitsForNeverReachesTheKernel() throws Exception {
        Gate gate = new Gate();
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 1), gate)) {
            lanes.submit(List.of(job(1)), Priority.INTERACTIVE);
            gate.awaitBatch();
            List<Job> waiting = List.of(job(1), job(2), job(3));
            lanes.submit(waiting, Priority.INTERACTIVE);
            waiting.get(1).abandon();
            gate.open.countDown();
            assertThat(waiting.get(2).result().get(30, TimeUnit.SECONDS).batchSequences())
                    .isEqualTo(2);
            assertThat(waiting.get(1).abandoned()).isTrue();
            assertThat(lanes.abandonedJobs()).isOne();
            assertThat(lanes.drain(LONG)).isTrue();
            assertThat(gate.sizes).containsExactly(1, 2);
        }
    }

    @Test
    void aJobThatTheKernelRefusesFailsAloneAndTheLaneGoesOn() throws Exception {
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 1), NOBODY)) {
            Job good = job(1);
            Job bad = new Job(new int[] {2, 1_000_000, 3}, null, Outputs.ofHead(0), later());
            lanes.submit(List.of(bad, good), Priority.INTERACTIVE);
            assertThat(good.result().get(30, TimeUnit.SECONDS).logits()).hasSize(1);
            assertThatThrownBy(() -> bad.result().get(30, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(BatchFailedException.class);
            Job next = job(2);
            lanes.submit(List.of(next), Priority.INTERACTIVE);
            assertThat(next.result().get(30, TimeUnit.SECONDS).logits()).hasSize(1);
        }
    }

    @Test
    void aBatchThatFailsFailsOnlyItsOwnJobs() throws Exception {
        List<Integer> batches = Collections.synchronizedList(new ArrayList<>());
        BatchListener once = (sequences, tokens) -> {
            batches.add(sequences);
            if (batches.size() == 1) {
                throw new IllegalStateException("the first batch");
            }
        };
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 1), once)) {
            Job first = job(1);
            lanes.submit(List.of(first), Priority.INTERACTIVE);
            assertThatThrownBy(() -> first.result().get(30, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(BatchFailedException.class);
            Job second = job(1);
            lanes.submit(List.of(second), Priority.INTERACTIVE);
            assertThat(second.result().get(30, TimeUnit.SECONDS).batchSequences())
                    .isOne();
        }
    }

    @Test
    void aFullQueueTakesAllOrNothing() throws Exception {
        Gate gate = new Gate();
        LaneSettings settings = new LaneSettings(1, new SessionLimits(128, 4), LaneSettings.MAX_BATCH, 3, 30);
        try (Lanes lanes = Lanes.start(model, settings, gate)) {
            lanes.submit(List.of(ids(2)), Priority.INTERACTIVE);
            gate.awaitBatch();
            lanes.submit(List.of(ids(10), ids(10)), Priority.INTERACTIVE);
            assertThatThrownBy(() -> lanes.submit(List.of(ids(1), ids(1)), Priority.INTERACTIVE))
                    .isInstanceOfSatisfying(
                            QueueFullException.class,
                            e -> assertThat(e.retryAfterSeconds()).isPositive());
            assertThatThrownBy(() -> lanes.submit(List.of(ids(11)), Priority.INTERACTIVE))
                    .isInstanceOf(QueueFullException.class);
            assertThat(lanes.queuedJobs()).isEqualTo(2);
            Job last = ids(10);
            lanes.submit(List.of(last), Priority.INTERACTIVE);
            gate.open.countDown();
            last.result().get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void aRequestAboveTheBoundsIsTakenWhileNothingElseWaits() throws Exception {
        LaneSettings settings = new LaneSettings(1, new SessionLimits(128, 4), LaneSettings.MAX_BATCH, 3, 30);
        try (Lanes lanes = Lanes.start(model, settings, NOBODY)) {
            List<Job> many =
                    Collections.nCopies(9, 0).stream().map(i -> ids(10)).toList();
            lanes.submit(many, Priority.INTERACTIVE);
            for (Job job : many) {
                job.result().get(30, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void drainingEndsWhatIsQueuedAndRefusesTheRest() throws Exception {
        Gate gate = new Gate();
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 1), gate)) {
            Job running = job(1);
            lanes.submit(List.of(running), Priority.INTERACTIVE);
            gate.awaitBatch();
            Job queued = job(2);
            lanes.submit(List.of(queued), Priority.INTERACTIVE);
            assertThat(lanes.drain(Duration.ofMillis(1))).isFalse();
            assertThatThrownBy(() -> lanes.submit(List.of(job(3)), Priority.INTERACTIVE))
                    .isInstanceOf(DrainingException.class);
            gate.open.countDown();
            assertThat(lanes.drain(LONG)).isTrue();
            assertThat(running.result()).isCompleted();
            assertThat(queued.result()).isCompleted();
        }
    }

    @Test
    void closingFailsWhatIsQueuedAndGivesTheMemoryBack() throws Exception {
        long before = Slab.allocatedBytes();
        Gate gate = new Gate();
        LaneSettings settings = LaneSettings.of(model, 2);
        Lanes lanes = Lanes.start(model, settings, gate);
        assertThat(Slab.allocatedBytes() - before).isEqualTo(Lanes.bytes(model, settings));
        lanes.submit(List.of(job(1)), Priority.INTERACTIVE);
        gate.awaitBatch();
        lanes.submit(List.of(job(1)), Priority.INTERACTIVE);
        gate.awaitBatch();
        Job queued = job(2);
        lanes.submit(List.of(queued), Priority.INTERACTIVE);
        Thread closer = Thread.ofPlatform().start(lanes::close);
        assertThatThrownBy(() -> queued.result().get(30, TimeUnit.SECONDS)).hasCauseInstanceOf(DrainingException.class);
        gate.open.countDown();
        closer.join();
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
        lanes.close();
        assertThatThrownBy(() -> lanes.submit(List.of(job(1)), Priority.INTERACTIVE))
                .isInstanceOf(DrainingException.class);
    }

    @Test
    void jobsThatNoBatchCanHoldAreRefusedAtTheDoor() {
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 1), NOBODY)) {
            assertThatThrownBy(() -> lanes.submit(List.of(ids(2000)), Priority.INTERACTIVE))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> lanes.submit(List.of(ids(0)), Priority.INTERACTIVE))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> lanes.submit(
                            List.of(new Job(new int[] {2}, null, new Outputs(0, Outputs.Vectors.NONE), later())),
                            Priority.INTERACTIVE))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> lanes.submit(
                            List.of(new Job(new int[] {2}, null, Outputs.ofHead(4), later())), Priority.INTERACTIVE))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void busyIsAShare() throws Exception {
        try (Lanes lanes = Lanes.start(model, LaneSettings.of(model, 1), NOBODY)) {
            assertThat(lanes.busyRatio()).isZero();
            for (int i = 0; i < 20; i++) {
                Job job = job(i);
                lanes.submit(List.of(job), Priority.INTERACTIVE);
                job.result().get(30, TimeUnit.SECONDS);
            }
            assertThat(lanes.busyRatio()).isGreaterThan(0).isLessThanOrEqualTo(1);
            assertThat(lanes.busyRatio()).isLessThan(0.5);
        }
    }

    /** A deadline that does not come. */
    static long later() {
        return System.nanoTime() + TimeUnit.HOURS.toNanos(1);
    }

    private Job job(int row) {
        return job(reference.get(row % reference.size()).ids(), 1);
    }

    private static Job job(int[] ids, int heads) {
        return new Job(ids, null, new Outputs(heads, Outputs.Vectors.NONE), later());
    }

    /** A job of so many tokens. */
    private static Job ids(int length) {
        int[] ids = new int[length];
        Arrays.fill(ids, 5);
        return new Job(ids, null, Outputs.ofHead(0), later());
    }
}
