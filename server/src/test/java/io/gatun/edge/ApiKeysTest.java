package io.gatun.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ApiKeysTest {
    private final FileWatch watch = new FileWatch(Duration.ofMillis(20));

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        watch.close();
    }

    @Test
    void withoutKeysEverybodyMay() {
        ApiKeys keys = ApiKeys.of(List.of(), null, watch);
        assertThat(keys.required()).isFalse();
        assertThat(keys.allow(Optional.empty())).isTrue();
    }

    @Test
    void oneOfTheKeysMustBeShown() {
        ApiKeys keys = ApiKeys.of(List.of("first", "sk-2/+=~"), null, watch);
        assertThat(keys.required()).isTrue();
        for (String right : List.of("Bearer first", "bearer first", "BEARER  sk-2/+=~", "Bearer first ")) {
            assertThat(keys.allow(Optional.of(right))).as(right).isTrue();
        }
        for (String wrong : List.of(
                "",
                "Bearer",
                "Bearer ",
                "first",
                "Basic first",
                "Bearer firs",
                "Bearer first2",
                "Bearer FIRST",
                "Bearer first sk-2/+=~",
                "Bearerfirst",
                " Bearer first",
                "Bearer \u00e9")) {
            assertThat(keys.allow(Optional.of(wrong))).as(wrong).isFalse();
        }
        assertThat(keys.allow(Optional.empty())).isFalse();
    }

    @Test
    void theFileIsReadAgainAndABadOneKeepsTheOld() throws IOException {
        Path file = folder.resolve("keys");
        Files.writeString(file, "# ours\nkey-1\n\n  spaced  \r\n");
        ApiKeys keys = ApiKeys.of(List.of("fixed"), file, watch);
        assertThat(keys.allow(Optional.of("Bearer key-1"))).isTrue();
        assertThat(keys.allow(Optional.of("Bearer spaced"))).isTrue();
        assertThat(keys.allow(Optional.of("Bearer # ours"))).isFalse();
        try (LogLines log = new LogLines(FileWatch.class)) {
            Certificates.replace(file, "# none\n");
            log.await("holds no key");
            assertThat(keys.allow(Optional.of("Bearer key-1"))).isTrue();
            Certificates.replace(file, "key-2\n");
            Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> keys.allow(Optional.of("Bearer key-2")));
            assertThat(String.join("\n", log.lines())).doesNotContain("key-1", "key-2");
        }
        assertThat(keys.allow(Optional.of("Bearer key-1"))).isFalse();
        assertThat(keys.allow(Optional.of("Bearer fixed"))).isTrue();
    }

    @Test
    void whatCannotBeAKeyIsRefusedAtStart() throws IOException {
        for (String wrong : List.of("", "two words", "k\u00e9y", "line\nline")) {
            assertThatThrownBy(() -> ApiKeys.of(List.of(wrong), null, watch)).isInstanceOf(EdgeException.class);
        }
        Path file = folder.resolve("keys");
        assertThatThrownBy(() -> ApiKeys.of(List.of(), file, watch)).hasMessageContaining("There is no file");
        Files.writeString(file, "");
        assertThatThrownBy(() -> ApiKeys.of(List.of(), file, watch)).hasMessageContaining("holds no key");
    }
}
