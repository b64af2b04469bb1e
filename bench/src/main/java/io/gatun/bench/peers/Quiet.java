package io.gatun.bench.peers;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** Waits until an engine that had its turn leaves the processor alone: threads that wait for work spin for a while. */
final class Quiet {
    private static final OperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    private static final int STEP_MS = 20;
    private static final int LIMIT_MS = 1_000;
    private static final Duration REST = Duration.ofMillis(4);

    private Quiet() {}

    /** The processor time of this process. */
    static Duration ownCpuTime() {
        return Duration.ofNanos(SYSTEM.getProcessCpuTime());
    }

    /** Whether the engine became quiet within a second. */
    static boolean await(Engine engine) {
        Duration before = engine.cpuTime();
        for (int waited = 0; waited < LIMIT_MS; waited += STEP_MS) {
            try {
                Thread.sleep(STEP_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
            Duration now = engine.cpuTime();
            if (now.minus(before).compareTo(REST) < 0) {
                return true;
            }
            before = now;
        }
        return false;
    }
}
