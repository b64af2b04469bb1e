package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the page is served. What it shows is tested in a browser. */
final class PlaygroundTest {
    private static RunningServer running;

    @BeforeAll
    static void start() {
        running = new RunningServer();
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @Test
    void itIsOneFileThatLoadsNothing() {
        HttpResponse<String> page = running.get("/");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
        assertThat(page.headers().firstValue("Cache-Control")).contains("no-cache");
        assertThat(page.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
        assertThat(page.body()).startsWith("<!doctype html>").doesNotContainPattern("\\b(src=|url\\()|@import");
        List<String> elsewhere = Pattern.compile("https?://[^'\"]*")
                .matcher(page.body())
                .results()
                .map(found -> found.group())
                .toList();
        assertThat(elsewhere).containsExactly("http://www.w3.org/2000/svg"); // a name, which nobody asks for
        assertThat(page.body().getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(32 << 10);
    }

    @ParameterizedTest
    @ValueSource(strings = {"script", "style"})
    void onlyWhatIsWrittenInItRuns(String element) throws Exception {
        HttpResponse<String> page = running.get("/");
        String[] around = page.body().split("<" + element + ">", -1);
        assertThat(around).hasSize(2);
        String content = around[1].substring(0, around[1].indexOf("</" + element + ">"));
        String hash = Base64.getEncoder()
                .encodeToString(MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8)));
        assertThat(page.headers().firstValue("Content-Security-Policy"))
                .hasValueSatisfying(policy -> assertThat(policy)
                        .startsWith("default-src 'none'; ")
                        .contains(element + "-src 'sha256-" + hash + "';", "connect-src 'self';")
                        .doesNotContain("unsafe"));
    }

    @Test
    void itStandsBesideWhatClientsPostThere() {
        HttpResponse<String> head = running.send(HttpRequest.newBuilder(running.uri("/"))
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build());
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(running.post("/", "{\"inputs\": \"a text\"}").statusCode()).isEqualTo(200);
        HttpResponse<String> put = running.send(running.request("/")
                .PUT(HttpRequest.BodyPublishers.ofString("{}"))
                .build());
        assertThat(put.statusCode()).isEqualTo(405);
        assertThat(put.headers().firstValue("Allow"))
                .hasValueSatisfying(
                        allowed -> assertThat(allowed.split(", ")).containsExactlyInAnyOrder("GET", "POST"));
        assertThat(RunningServer.json(running.get("/openapi"))
                        .at("/paths/~1")
                        .propertyStream()
                        .map(operation -> operation.getKey())
                        .toList())
                .containsExactlyInAnyOrder("get", "post");
    }
}
