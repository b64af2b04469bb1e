package io.gatun.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatun.kernel.SessionLimits;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class BatchQueueTest {
    @Test
    void idleLanesShareARequest() throws Exception {
        BatchQueue queue = new BatchQueue(new LaneSettings(2, new SessionLimits(1000, 64), 100, 10_000));
        BlockingQueue<List<Job>> taken = new ArrayBlockingQueue<>(10);
        List<Thread> lanes = IntStream.range(0, 2)
                .mapToObj(i -> Thread.ofPlatform().start(() -> takeOnce(queue, taken)))
                .toList();
        await().until(() -> lanes.stream().allMatch(lane -> lane.getState() == Thread.State.WAITING));
        List<Job> jobs =
                Stream.generate(() -> new Job(new int[10], null, 1)).limit(8).toList();
        queue.add(jobs, 0);
        List<Job> first = taken.poll(30, TimeUnit.SECONDS);
        List<Job> second = taken.poll(30, TimeUnit.SECONDS);
        assertThat(first).hasSize(4);
        assertThat(second).hasSize(4);
        assertThat(Stream.concat(first.stream(), second.stream())).containsExactlyInAnyOrderElementsOf(jobs);
        queue.close();
    }

    @Test
    void aClosedQueueGivesNothing() throws Exception {
        BatchQueue queue = new BatchQueue(new LaneSettings(1, new SessionLimits(100, 4), 100, 10_000));
        Job left = new Job(new int[1], null, 1);
        queue.add(List.of(left), 0);
        assertThat(queue.close()).containsExactly(left);
        assertThat(queue.take()).isEmpty();
        assertThat(queue.close()).isEmpty();
    }

    private static void takeOnce(BatchQueue queue, BlockingQueue<List<Job>> taken) {
        try {
            taken.add(queue.take());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
