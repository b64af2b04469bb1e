package io.gatun.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class CrossOriginTest {
    private static final Optional<String> PAGE = Optional.of("https://app.example:8443");
    private static final Optional<String> OTHER = Optional.of("https://app.example.evil");
    private static final Optional<String> POST = Optional.of("POST");

    @Test
    void itIsOffUnlessAskedFor() {
        CrossOrigin off = CrossOrigin.of(List.of());
        assertThat(off.headers(PAGE)).isEmpty();
        assertThat(off.preflight(PAGE, POST, "POST")).isEmpty();
    }

    @Test
    void onlyListedOriginsAreNamed() {
        CrossOrigin listed = CrossOrigin.of(List.of("http://localhost:3000", PAGE.get()));
        assertThat(listed.headers(PAGE))
                .containsEntry("Access-Control-Allow-Origin", PAGE.get())
                .containsEntry("Vary", "Origin")
                .hasEntrySatisfying(
                        "Access-Control-Expose-Headers", all -> assertThat(all).contains("x-compute-tokens"));
        assertThat(listed.headers(OTHER)).isEqualTo(Map.of("Vary", "Origin"));
        assertThat(listed.headers(Optional.of("null"))).isEqualTo(Map.of("Vary", "Origin"));
        assertThat(listed.headers(Optional.empty())).isEqualTo(Map.of("Vary", "Origin"));
    }

    @Test
    void aPreflightTellsWhatTheRouteTakes() {
        CrossOrigin listed = CrossOrigin.of(List.of(PAGE.get()));
        assertThat(listed.preflight(PAGE, POST, "POST").orElseThrow())
                .containsEntry("Access-Control-Allow-Origin", PAGE.get())
                .containsEntry("Access-Control-Allow-Methods", "POST")
                .containsEntry("Access-Control-Allow-Headers", "Authorization, *")
                .containsEntry("Vary", "Origin");
        assertThat(listed.preflight(OTHER, POST, "POST").orElseThrow()).isEqualTo(Map.of("Vary", "Origin"));
        assertThat(listed.preflight(PAGE, Optional.empty(), "POST")).isEmpty();
        assertThat(listed.preflight(Optional.empty(), POST, "POST")).isEmpty();
    }

    @Test
    void allOriginsNeedNoNames() {
        CrossOrigin any = CrossOrigin.of(List.of(PAGE.get(), "*"));
        assertThat(any.headers(OTHER))
                .containsEntry("Access-Control-Allow-Origin", "*")
                .doesNotContainKey("Vary");
        assertThat(any.preflight(OTHER, POST, "POST").orElseThrow()).containsEntry("Access-Control-Allow-Origin", "*");
    }

    @Test
    void whatIsNoOriginIsRefused() {
        for (String wrong :
                List.of("", "example.org", "https://example.org/", "https://a, https://b", "https://*.org")) {
            assertThatThrownBy(() -> CrossOrigin.of(List.of(wrong))).as(wrong).isInstanceOf(EdgeException.class);
        }
    }
}
