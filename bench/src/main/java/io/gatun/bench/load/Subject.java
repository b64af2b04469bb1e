package io.gatun.bench.load;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** A server under load, with the client that asks it. Used by one thread. */
final class Subject implements AutoCloseable {
    private static final OperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    private static final double NANOS = 1e9;
    private static final double NANOS_A_MS = 1e6;
    private static final long LEAD_NANOS = 20_000_000;
    private static final Duration SETTLE_LIMIT = Duration.ofMinutes(1);
    private static final int SETTLE_STEP_MS = 100;

    private final String name;
    private final Client client;
    private final int texts;
    private final OptionalLong pid;
    private final Unchanged unchanged;

    /**
     * A server that is ready.
     *
     * @param pid of its process, where it runs on this machine and is known
     */
    Subject(String name, Client client, int texts, OptionalLong pid, Unchanged unchanged) {
        this.name = name;
        this.client = client;
        this.texts = texts;
        this.pid = pid;
        this.unchanged = unchanged;
    }

    String name() {
        return name;
    }

    /** The processor time of the generator. */
    static Duration ownCpuTime() {
        return Duration.ofNanos(SYSTEM.getProcessCpuTime());
    }

    Optional<Usage> usage() {
        return pid.isPresent() ? Usage.of(pid.getAsLong()) : Optional.empty();
    }

    /** The answers to the first texts, asked one after the other. */
    List<Answer> askFirst(int count) throws InterruptedException {
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Answer answer = ask(i);
            unchanged.test(answer);
            answers.add(answer);
        }
        return answers;
    }

    private Answer ask(int text) throws InterruptedException {
        BlockingQueue<Answer> heard = new LinkedBlockingQueue<>();
        client.send(text, System.nanoTime(), heard::add);
        return heard.take();
    }

    /**
     * Lets a number of callers ask again as soon as they are answered, which also warms both sides.
     *
     * @return answers a second, in the last half of the time
     */
    double saturate(int callers, double seconds) throws InterruptedException {
        long start = System.nanoTime();
        long half = start + (long) (seconds * NANOS / 2);
        long end = start + (long) (seconds * NANOS);
        AtomicInteger next = new AtomicInteger();
        AtomicLong counted = new AtomicLong();
        Consumer<Answer> again = new Consumer<>() {
            @Override
            public void accept(Answer answer) {
                boolean good = answer.outcome().kind() == Outcome.Kind.ANSWERED;
                if (good && answer.completed() >= half && answer.completed() < end) {
                    counted.incrementAndGet();
                }
                if (answer.completed() < end) {
                    client.send(next.getAndIncrement() % texts, answer.completed(), this);
                }
            }
        };
        for (int i = 0; i < callers; i++) {
            client.send(next.getAndIncrement() % texts, System.nanoTime(), again);
        }
        while (client.outstanding() > 0) {
            Thread.sleep(1);
        }
        return counted.get() / (seconds / 2);
    }

    /** Sends at a rate, first for a while that is not counted. */
    Run measure(String stage, double rate, double warmUp, double seconds, int intervals, long seed)
            throws InterruptedException {
        Arrivals arrivals = Arrivals.poisson(rate, warmUp + seconds, texts, seed);
        long start = System.nanoTime() + LEAD_NANOS;
        long counting = start + (long) (warmUp * NANOS);
        Tally tally = new Tally(counting, counting + (long) (seconds * NANOS), intervals, unchanged);
        long ownCpu = SYSTEM.getProcessCpuTime();
        Optional<Usage> before = usage();
        long begin = System.nanoTime();
        long latest = Pacer.send(arrivals, start, client, tally);
        double elapsed = System.nanoTime() - begin;
        double clientCores = (SYSTEM.getProcessCpuTime() - ownCpu) / elapsed;
        Optional<Usage> after = usage();
        OptionalDouble serverCores = before.isPresent() && after.isPresent()
                ? OptionalDouble.of(after.get().cpu().minus(before.get().cpu()).toNanos() / elapsed)
                : OptionalDouble.empty();
        settle();
        return new Run(name, stage, rate, tally.counted(), latest / NANOS_A_MS, clientCores, serverCores);
    }

    /** Waits until the server has done what those left to it who no longer wait: what came first is answered first. */
    private void settle() throws InterruptedException {
        long limit = System.nanoTime() + SETTLE_LIMIT.toNanos();
        while (true) {
            Answer answer = ask(0);
            if (answer.outcome().kind() == Outcome.Kind.ANSWERED) {
                return;
            }
            if (System.nanoTime() > limit) {
                throw new LoadException(name + " answers nobody any more: the last outcome was "
                        + answer.outcome().name() + ".");
            }
            Thread.sleep(SETTLE_STEP_MS);
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
