package io.gatun.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class CostModelTest {
    private final CostModel cost = new CostModel();

    @Test
    void knowsNothingBeforeTheFirstBatch() {
        assertThat(cost.nanos(1000)).isZero();
        assertThat(cost.tokensWithin(1)).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void learnsWhatEachSizeTakes() {
        for (int i = 0; i < 100; i++) {
            cost.ran(8, 8 * 200);
            cost.ran(128, 128 * 100);
        }
        assertThat(cost.nanos(10)).isCloseTo(2000, within(10L));
        assertThat(cost.nanos(200)).isCloseTo(20_000, within(100L));
        assertThat(cost.nanos(1)).as("of the nearest size").isCloseTo(200, within(10L));
        assertThat(cost.tokensWithin(20_000)).isCloseTo(200, within(2));
        assertThat(cost.tokensWithin(1)).isOne();
    }

    @Test
    void oneAccidentDoesNotCountForAll() {
        for (int i = 0; i < 100; i++) {
            cost.ran(100, 100_000);
        }
        cost.ran(100, TimeUnit.MINUTES.toNanos(10)); // the process was stopped
        assertThat(cost.nanos(100)).isLessThan(200_000);
        for (int i = 0; i < 100; i++) {
            cost.ran(100, 100_000);
        }
        assertThat(cost.nanos(100)).isCloseTo(100_000, within(1000L));
    }
}
