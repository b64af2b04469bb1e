package io.gatun.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.TextModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(60)
final class BatchQueueTest {
    private final TextModel model;
    private final Session session;

    BatchQueueTest(@TempDir Path folder) {
        model = SmallModel.load(SmallModel.HEADS, folder);
        session = Session.open(model.kernel(), new SessionLimits(1000, 64, 3));
    }

    @AfterAll
    void close() {
        session.close();
        model.close();
    }

    @Test
    void idleLanesShareARequest() throws Exception {
        BatchQueue queue = queue(3);
        try (Idle idle = new Idle(queue, 2)) {
            List<Job> jobs = jobs(8);
            queue.add(jobs, Priority.INTERACTIVE);
            Work.Batch first = (Work.Batch) idle.next();
            Work.Batch second = (Work.Batch) idle.next();
            assertThat(first.jobs()).hasSize(4);
            assertThat(second.jobs()).hasSize(4);
            assertThat(Stream.concat(first.jobs().stream(), second.jobs().stream()))
                    .containsExactlyInAnyOrderElementsOf(jobs);
            assertThat(first.offer().lanes()).isZero();
            assertThat(second.offer().lanes()).isZero();
        }
    }

    @Test
    void idleLanesJoinTheLastBatch() throws Exception {
        BatchQueue queue = queue(3);
        try (Idle idle = new Idle(queue, 3)) {
            List<Job> jobs = jobs(1);
            queue.add(jobs, Priority.INTERACTIVE);
            List<Work> taken = List.of(idle.next(), idle.next(), idle.next());
            assertThat(taken)
                    .filteredOn(Work.Batch.class::isInstance)
                    .singleElement()
                    .satisfies(work -> {
                        Work.Batch batch = (Work.Batch) work;
                        assertThat(batch.jobs()).isEqualTo(jobs);
                        assertThat(batch.offer().lanes()).isEqualTo(2);
                        assertThat(batch.offer().session()).isSameAs(session);
                        assertThat(taken)
                                .filteredOn(Work.Offer.class::isInstance)
                                .hasSize(2)
                                .containsOnly(batch.offer());
                    });
        }
    }

    @Test
    void aSessionForOneThreadIsNotOffered() throws Exception {
        BatchQueue queue = queue(1);
        try (Idle idle = new Idle(queue, 2)) {
            queue.add(jobs(1), Priority.INTERACTIVE);
            assertThat(((Work.Batch) idle.next()).offer().lanes()).isZero();
        }
    }

    @Test
    void whoComesLateTakesWorkFirstAndFindsNoBatchThatHasEnded() throws Exception {
        BatchQueue queue = queue(3);
        try (Idle idle = new Idle(queue, 1)) {
            queue.add(jobs(1), Priority.INTERACTIVE);
            Work.Batch alone = (Work.Batch) idle.next();
            assertThat(alone.offer().lanes()).isZero();
            queue.finished(alone);
            queue.add(jobs(1), Priority.INTERACTIVE);
            assertThat(queue.take(session)).isInstanceOf(Work.Batch.class);
        }
    }

    @Test
    void aClosedQueueGivesNothing() throws Exception {
        BatchQueue queue = queue(1);
        Job left = jobs(1).getFirst();
        queue.add(List.of(left), Priority.INTERACTIVE);
        assertThat(queue.close()).containsExactly(left);
        assertThat(queue.take(session)).isInstanceOf(Work.End.class);
        assertThat(queue.close()).isEmpty();
    }

    @Test
    void interactiveWorkGoesFirstAndBulkIsNotStarved() throws Exception {
        BatchQueue queue = queue(1, new CostModel(), 10);
        queue.add(jobs(2), Priority.BULK);
        queue.add(jobs(20), Priority.INTERACTIVE);
        List<Priority> order = new ArrayList<>();
        while (queue.jobs() > 0) {
            int interactive = queue.jobs(Priority.INTERACTIVE);
            Work.Batch batch = (Work.Batch) queue.take(session);
            assertThat(batch.jobs()).hasSize(1);
            order.add(queue.jobs(Priority.INTERACTIVE) < interactive ? Priority.INTERACTIVE : Priority.BULK);
            queue.finished(batch);
        }
        assertThat(order).hasSize(22);
        assertThat(order.indexOf(Priority.BULK)).isEqualTo(7);
        assertThat(order.lastIndexOf(Priority.BULK)).isEqualTo(15);
    }

    @Test
    void aBatchEndsAtItsMasks() throws Exception {
        SessionLimits limits = new SessionLimits(1000, 64, 1, 8);
        BatchQueue queue =
                new BatchQueue(new LaneSettings(1, limits, Duration.ofMinutes(1), 100, 10_000), new CostModel());
        List<Job> jobs = jobs(7);
        int[] masks = {3, 5, /**/ 1, 0, 6, /**/ 8, /**/ 1};
        for (int i = 0; i < masks.length; i++) {
            jobs.get(i).masks(masks[i]);
        }
        queue.add(jobs, Priority.INTERACTIVE);
        for (List<Job> expected :
                List.of(jobs.subList(0, 2), jobs.subList(2, 5), jobs.subList(5, 6), jobs.subList(6, 7))) {
            Work.Batch batch = (Work.Batch) queue.take(session);
            assertThat(batch.jobs()).isEqualTo(expected);
            queue.finished(batch);
        }
    }

    @Test
    void noBatchTakesLongerThanItMay() throws Exception {
        CostModel cost = new CostModel();
        cost.ran(40, TimeUnit.MILLISECONDS.toNanos(40)); // 1 ms a token
        BatchQueue queue = new BatchQueue(
                new LaneSettings(1, new SessionLimits(1000, 64), Duration.ofMillis(35), 100, 10_000), cost);
        queue.add(jobs(5), Priority.INTERACTIVE);
        assertThat(((Work.Batch) queue.take(session)).jobs()).hasSize(3);
        assertThat(((Work.Batch) queue.take(session)).jobs()).hasSize(2);
        queue.add(List.of(job(50, LanesTest.later()), job(50, LanesTest.later())), Priority.INTERACTIVE);
        assertThat(((Work.Batch) queue.take(session)).jobs())
                .as("one text, however long")
                .hasSize(1);
    }

    @Test
    void whatIsTooLateIsNotComputed() throws Exception {
        BatchQueue queue = queue(1);
        Job late = job(10, System.nanoTime() - 1);
        Job inTime = job(10, LanesTest.later());
        queue.add(List.of(late), Priority.INTERACTIVE);
        queue.add(List.of(inTime), Priority.INTERACTIVE);
        assertThat(((Work.Batch) queue.take(session)).jobs()).containsExactly(inTime);
        assertThat(late.result()).isCompletedExceptionally();
        assertThat(late.result().exceptionNow()).isInstanceOf(DeadlineException.class);
        assertThat(queue.expired()).isOne();
    }

    @Test
    void whatCannotBeDoneInTimeIsRefusedWhileOthersWait() {
        CostModel cost = new CostModel();
        cost.ran(10, TimeUnit.SECONDS.toNanos(10));
        BatchQueue queue = queue(1, cost, 1000);
        long soon = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        queue.add(List.of(job(10, soon)), Priority.INTERACTIVE); // alone it may be tried
        assertThatThrownBy(() -> queue.add(List.of(job(10, soon)), Priority.INTERACTIVE))
                .isInstanceOf(QueueFullException.class);
        queue.add(List.of(job(10, LanesTest.later())), Priority.INTERACTIVE);
        assertThat(queue.jobs()).isEqualTo(2);
    }

    @Test
    void retryAfterIsWhatTheLanesNeed() {
        CostModel cost = new CostModel();
        cost.ran(1000, TimeUnit.SECONDS.toNanos(30));
        BatchQueue queue =
                new BatchQueue(new LaneSettings(3, new SessionLimits(1000, 64), Duration.ofSeconds(1), 10, 1000), cost);
        queue.add(List.of(job(1000, LanesTest.later())), Priority.INTERACTIVE);
        assertThatThrownBy(() -> queue.add(jobs(1), Priority.INTERACTIVE))
                .isInstanceOfSatisfying(
                        QueueFullException.class,
                        e -> assertThat(e.retryAfterSeconds()).isEqualTo(10));
        queue.add(jobs(1), Priority.BULK);
    }

    private static Job job(int tokens, long deadline) {
        return new Job(new int[tokens], null, Outputs.ofHead(0), deadline);
    }

    private static BatchQueue queue(int threads) {
        return queue(threads, new CostModel(), 1000);
    }

    private static BatchQueue queue(int threads, CostModel cost, int maxTokens) {
        SessionLimits limits = new SessionLimits(maxTokens, Math.min(maxTokens, 64), threads);
        return new BatchQueue(new LaneSettings(3, limits, Duration.ofMinutes(1), 100, 10_000), cost);
    }

    private static List<Job> jobs(int count) {
        return Stream.generate(() -> new Job(new int[10], null, Outputs.ofHead(0), LanesTest.later()))
                .limit(count)
                .toList();
    }

    /** Lanes that wait at a queue; each takes once. */
    private final class Idle implements AutoCloseable {
        private final BatchQueue queue;
        private final BlockingQueue<Work> taken = new ArrayBlockingQueue<>(10);

        Idle(BatchQueue queue, int lanes) {
            this.queue = queue;
            List<Thread> threads = IntStream.range(0, lanes)
                    .mapToObj(i -> Thread.ofPlatform().start(this::takeOnce))
                    .toList();
            await().until(() -> threads.stream().allMatch(lane -> lane.getState() == Thread.State.WAITING));
        }

        private void takeOnce() {
            try {
                taken.add(queue.take(session));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        Work next() throws InterruptedException {
            return Objects.requireNonNull(taken.poll(30, TimeUnit.SECONDS));
        }

        @Override
        public void close() {
            queue.close();
        }
    }
}
