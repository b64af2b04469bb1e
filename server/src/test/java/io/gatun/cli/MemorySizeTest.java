package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class MemorySizeTest {
    @ParameterizedTest
    @CsvSource({
        "1048576, 1048576",
        "1, 1",
        "10b, 10",
        "512m, 536870912",
        "512M, 536870912",
        "2g, 2147483648",
        "1GiB, 1073741824",
        "1 GB, 1073741824",
        "1.5k, 1536",
        "3t, 3298534883328"
    })
    void readsSizes(String text, long bytes) {
        assertThat(MemorySize.parse(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "m", "-1", "0", "0g", "1x", "1.g", "1e9", "99999999t", "1g2", "NaN"})
    void refusesWhatIsNoSize(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MemorySize.parse(text))
                .withMessageContaining("512m");
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1 bytes",
        "1023, 1023 bytes",
        "1024, 1.0 KiB",
        "1025, 1.1 KiB",
        "536870912, 512.0 MiB",
        "1099511627776, 1024.0 GiB"
    })
    void showsSizesRoundedUp(long bytes, String text) {
        assertThat(MemorySize.show(bytes)).isEqualTo(text);
    }
}
