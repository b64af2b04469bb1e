package io.gatun.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class SlabTest {
    @Test
    void isAlignedWritableAndCounted() {
        long before = Slab.allocatedBytes();
        try (Slab slab = Slab.allocate(1001)) {
            assertThat(slab.size()).isEqualTo(1001);
            assertThat(slab.segment().address() % Slab.ALIGNMENT).isZero();
            slab.segment().set(ValueLayout.JAVA_BYTE, 1000, (byte) 7);
            assertThat(slab.segment().get(ValueLayout.JAVA_BYTE, 1000)).isEqualTo((byte) 7);
            assertThat(Slab.allocatedBytes()).isEqualTo(before + 1001);
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void aSlabOfHugePagesIsASlab() {
        long before = Slab.allocatedBytes();
        long size = (5 << 20) + 1;
        try (Slab slab = Slab.allocateHuge(size)) {
            assertThat(slab.size()).isEqualTo(size);
            assertThat(slab.segment().address() % (2 << 20)).isZero();
            slab.segment().fill((byte) 7);
            assertThat(slab.segment().get(ValueLayout.JAVA_BYTE, size - 1)).isEqualTo((byte) 7);
            assertThat(Slab.allocatedBytes()).isEqualTo(before + size);
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void closesOnce() {
        long before = Slab.allocatedBytes();
        Slab slab = Slab.allocate(64);
        slab.close();
        slab.close();
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
        assertThatThrownBy(() -> slab.segment().get(ValueLayout.JAVA_BYTE, 0))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closesOnceWhenTwoThreadsCloseIt() throws Exception {
        long before = Slab.allocatedBytes();
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            for (int round = 0; round < 500; round++) {
                Slab slab = Slab.allocate(64);
                AtomicInteger absent = new AtomicInteger(2);
                Runnable close = () -> {
                    absent.decrementAndGet();
                    while (absent.get() > 0) {
                        Thread.onSpinWait(); // a barrier that parks would wake one long after the other
                    }
                    slab.close();
                };
                Future<?> closed = other.submit(close);
                close.run();
                closed.get();
                assertThat(Slab.allocatedBytes()).isEqualTo(before);
            }
        }
    }

    @Test
    void refusesWhatNobodyHas() {
        long before = Slab.allocatedBytes();
        assertThatThrownBy(() -> Slab.allocate(1L << 60))
                .isInstanceOfSatisfying(
                        KernelException.class, e -> assertThat(e.status()).isEqualTo(KernelException.Status.MEMORY));
        assertThatIllegalArgumentException().isThrownBy(() -> Slab.allocate(0));
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }
}
