package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The description of the routes, and the page that shows it. */
final class DocsTest {
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
    void thePageLoadsNothingFromElsewhere() {
        HttpResponse<String> page = running.get("/docs");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
        assertThat(page.headers().firstValue("Content-Security-Policy"))
                .hasValueSatisfying(policy -> assertThat(policy).startsWith("default-src 'none'"));
        assertThat(page.body()).doesNotContain("http:", "https:", "//");
        Matcher reference = Pattern.compile("(?:src|href)=\"([^\"]*)\"").matcher(page.body());
        List<String> files = reference.results().map(found -> found.group(1)).toList();
        assertThat(files).hasSize(4);
        for (String file : files) {
            URI at = running.uri("/docs").resolve(file);
            assertThat(running.get(at.getPath()).statusCode()).as(file).isEqualTo(200);
        }
        assertThat(running.get("/docs/start.js").body()).contains("url: \"openapi\"", "validatorUrl: null");
    }

    @ParameterizedTest
    @CsvSource({
        "swagger-ui.css, text/css; charset=utf-8",
        "swagger-ui-bundle.js, text/javascript; charset=utf-8",
        "start.js, text/javascript; charset=utf-8",
        "favicon-32x32.png, image/png"
    })
    void itsFilesHaveTheirTypesAndMayBeKept(String file, String type) {
        HttpResponse<String> response = running.get("/docs/" + file);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).contains(type);
        assertThat(response.headers().firstValue("Cache-Control")).contains("public, max-age=3600");
        assertThat(response.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
        HttpResponse<String> head = running.send(HttpRequest.newBuilder(running.uri("/docs/" + file))
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build());
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/docs/index.html",
                "/docs/absent.js",
                "/docs/swagger-ui.css/",
                "/docs/%2e%2e/openapi/server.json",
                "/docs/..%2fopenapi%2fserver.json",
                "/docs/..%2f..%2fhttp%2fHttpServer.class",
                "/docs/%00",
                "/docs/%5c..%5cRoutes.class"
            })
    void thereIsNoOtherFile(String path) {
        HttpResponse<String> response = running.get(path);
        assertThat(response.statusCode()).as(response.body()).isIn(400, 404);
        assertThat(RunningServer.json(response).get("error_type").textValue()).isEqualTo("Validation");
    }

    @Test
    void everyRouteIsDescribedAndEveryReferenceLeadsSomewhere() {
        JsonNode document = RunningServer.json(running.get("/openapi")); // fails where a route is not described
        assertThat(document.get("openapi").textValue()).startsWith("3.");
        TreeSet<String> paths = new TreeSet<>();
        document.get("paths").fieldNames().forEachRemaining(paths::add);
        assertThat(paths)
                .contains("/", "/predict", "/docs", "/v1/models/{name}", "/v2/models/{name}/versions/{version}/infer")
                .hasSizeGreaterThan(40);
        assertThat(document.has("security")).isFalse();
        TreeSet<String> ids = new TreeSet<>(document.get("paths").findValuesAsText("operationId"));
        assertThat(ids).hasSize(document.get("paths").findValues("operationId").size());
        List<String> references = document.findValuesAsText("$ref");
        assertThat(references).hasSizeGreaterThan(300);
        for (String reference : new TreeSet<>(references)) {
            assertThat(document.at(reference.substring(1)).isMissingNode())
                    .as(reference)
                    .isFalse();
        }
    }

    @Test
    void whatEveryRouteGivesIsDescribed() {
        JsonNode paths = RunningServer.json(running.get("/openapi")).get("paths");
        JsonNode predict = paths.get("/predict").get("post");
        assertThat(names(predict.get("responses")))
                .containsExactlyInAnyOrder("200", "400", "404", "405", "413", "415", "422", "424", "429", "503");
        assertThat(predict.at("/responses/200/headers").findValuesAsText("$ref"))
                .contains("#/components/headers/x-compute-tokens", "#/components/headers/x-request-id");
        assertThat(predict.get("parameters").findValuesAsText("$ref"))
                .contains("#/components/parameters/x-priority", "#/components/parameters/x-timeout-ms");
        assertThat(names(paths.get("/health").get("get").get("responses")))
                .containsExactlyInAnyOrder("200", "400", "405", "424", "503");
        assertThat(paths.at("/~1v1~1embeddings/post/responses/422/$ref").textValue())
                .endsWith("/OpenAi422");
        assertThat(names(paths.at("/~1analyze/post/responses"))).contains("200", "422");
    }

    private static List<String> names(JsonNode object) {
        return Stream.of(object)
                .flatMap(o -> o.propertyStream().map(p -> p.getKey()))
                .toList();
    }
}
