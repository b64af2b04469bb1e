package io.gatun.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.TextModel;
import java.nio.file.Path;
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
            queue.add(jobs, 0);
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
            queue.add(jobs, 0);
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
            queue.add(jobs(1), 0);
            assertThat(((Work.Batch) idle.next()).offer().lanes()).isZero();
        }
    }

    @Test
    void whoComesLateTakesWorkFirstAndFindsNoBatchThatHasEnded() throws Exception {
        BatchQueue queue = queue(3);
        try (Idle idle = new Idle(queue, 1)) {
            queue.add(jobs(1), 0);
            Work.Batch alone = (Work.Batch) idle.next();
            assertThat(alone.offer().lanes()).isZero();
            queue.finished(alone);
            queue.add(jobs(1), 0);
            assertThat(queue.take(session)).isInstanceOf(Work.Batch.class);
        }
    }

    @Test
    void aClosedQueueGivesNothing() throws Exception {
        BatchQueue queue = queue(1);
        Job left = jobs(1).getFirst();
        queue.add(List.of(left), 0);
        assertThat(queue.close()).containsExactly(left);
        assertThat(queue.take(session)).isInstanceOf(Work.End.class);
        assertThat(queue.close()).isEmpty();
    }

    private static BatchQueue queue(int threads) {
        return new BatchQueue(new LaneSettings(3, new SessionLimits(1000, 64, threads), 100, 10_000));
    }

    private static List<Job> jobs(int count) {
        return Stream.generate(() -> new Job(new int[10], null, 1)).limit(count).toList();
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
