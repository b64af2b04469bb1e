package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.batch.SmallModel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ServeCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder = Path.of("");

    private static String model = "";

    @BeforeAll
    static void convert() throws Exception {
        model = SmallModel.convert("distilbert-small", folder).toString();
    }

    @Test
    void readyLineHoldsTheAddress() throws Exception {
        try (Program program = serve(Map.of());
                HttpClient client = HttpClient.newHttpClient()) {
            String address = ready(program);
            assertThat(get(client, address + "/health").statusCode()).isEqualTo(200);
            program.process().destroy();
            assertThat(program.end()).isZero();
            assertThat(program.errors().get()).isEmpty();
        }
    }

    @Test
    void aSignalLetsRequestsInFlightBeAnswered() throws Exception {
        try (Program program = serve(Map.of());
                HttpClient client = HttpClient.newHttpClient()) {
            String address = ready(program);
            List<List<String>> texts = Collections.nCopies(512, List.of("a good day ".repeat(20)));
            CompletableFuture<HttpResponse<String>> answer = client.sendAsync(
                    HttpRequest.newBuilder(URI.create(address + "/predict"))
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    JSON.writeValueAsString(Map.of("inputs", texts, "truncate", true))))
                            .build(),
                    BodyHandlers.ofString());
            await().pollInterval(Duration.ofMillis(1)).until(() -> answer.isDone() || taken(client, address));
            program.process().destroy();
            assertThat(answer.get().statusCode()).as(answer.get().body()).isEqualTo(200);
            assertThat(JSON.readTree(answer.get().body())).hasSize(512);
            assertThat(program.end()).isZero();
            assertThat(program.errors().get()).isEmpty();
        }
    }

    @Test
    void aPortInUseIsRefused() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            String port = String.valueOf(taken.getLocalPort());
            Program.run("serve", "--model", model, "--port", port).refused(port);
        }
    }

    @Test
    void aReadyLineThatNobodyCanReadIsAnError() throws Exception {
        try (Program program = Program.start(Map.of(), "serve", "--model", model, "--port", "0")) {
            program.process().getInputStream().close();
            assertThat(program.end()).isNotEqualTo(143);
            assertThat(program.errors().get().lines().count()).isLessThanOrEqualTo(1);
        }
    }

    @Test
    void tooLittleMemoryIsRefusedWithWhatIsNeeded() throws Exception {
        Program.run("serve", "--model", model, "--port", "0", "--memory-limit", "64k")
                .refused("needs", "65536");
    }

    @ParameterizedTest
    @CsvSource({
        "--port, x",
        "--port, 70000",
        "--lanes, 0",
        "--lanes, many",
        "--memory-limit, 5 apples",
        "--speed, 9",
        "--host, no.such.host.invalid",
        "--host, ' '",
        "--compute, int4",
        "--model, absent.gguf",
        "--model, name="
    })
    void badOptionsAreRefused(String option, String value) throws Exception {
        Program.run("serve", "--port", "0", option, value).refused();
    }

    @Test
    void anUnwritableCacheIsRefused() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        String cache = file.resolve("cache").toString();
        Program.run(Map.of("GATUN_CACHE", cache), "", "serve", "--model", model, "--port", "0")
                .refused(cache);
    }

    @ParameterizedTest
    @CsvSource({"0", "3", "4", "24", "1000", "20000", "-1"})
    void truncatedModelsAreRefused(int length) throws Exception {
        byte[] whole = Files.readAllBytes(Path.of(model));
        Path cut = folder.resolve("cut" + length + ".gguf");
        Files.write(cut, Arrays.copyOf(whole, length < 0 ? whole.length - 1 : length));
        Program.run("serve", "--port", "0", "--model", cut.toString()).refused(cut.toString());
    }

    @Test
    void twoModelsOfOneNameAreRefused() throws Exception {
        Program.run("serve", "--port", "0", "--model", "a=" + model, "--model", "a=" + model)
                .refused("'a'");
    }

    private static Program serve(Map<String, String> environment) throws IOException {
        return Program.start(environment, "serve", "--port", "0", "--model", model);
    }

    private static String ready(Program program) throws IOException {
        String line = program.line();
        assertThat(line).matches("ready http://127\\.0\\.0\\.1:[0-9]+ grpc://127\\.0\\.0\\.1:[0-9]+ int8 [a-z0-9.-]+");
        return line.split(" ", -1)[1];
    }

    private static boolean taken(HttpClient client, String address) throws Exception {
        return get(client, address + "/metrics")
                .body()
                .lines()
                .anyMatch(
                        line -> line.startsWith("te_request_count") && !line.endsWith(" 0") && !line.endsWith(" 0.0"));
    }

    private static HttpResponse<String> get(HttpClient client, String address) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(address)).build(), BodyHandlers.ofString());
    }
}
