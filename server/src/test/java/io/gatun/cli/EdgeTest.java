package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gatun.batch.SmallModel;
import io.gatun.edge.Certificates;
import io.gatun.grpc.inference.GRPCInferenceServiceGrpc;
import io.gatun.grpc.inference.ServerLiveRequest;
import io.gatun.grpc.inference.ServerMetadataRequest;
import io.gatun.grpc.tei.PredictGrpc;
import io.gatun.grpc.tei.PredictRequest;
import io.gatun.telemetry.Collector;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stands at both doors of the real program: certificates, keys, origins, and what it tells of requests. */
final class EdgeTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String TEXT = "a good day";
    private static final String PREDICT = "{\"inputs\": \"" + TEXT + "\"}";
    private static final String KEY = "sk-right/1";
    private static final String PAGE = "https://app.example";

    @TempDir
    private static Path folder = Path.of("");

    private static String model = "";

    @BeforeAll
    static void convert() {
        model = SmallModel.convert("distilbert-small", folder).toString();
    }

    @Test
    void certificatesAreReplacedUnderLoad() throws Exception {
        Certificates authority = new Certificates();
        Certificates.Issued first = authority.issue("RSA", 2048);
        Certificates.Issued second = authority.issue("EC", 256);
        Path certificates = folder.resolve("tls.crt");
        Path key = folder.resolve("tls.key");
        first.write(certificates, key);
        try (Running running =
                new Running(Map.of(), authority, "--tls-cert", certificates.toString(), "--tls-key", key.toString())) {
            assertThat(running.http).startsWith("https://");
            assertThat(running.serial()).isEqualTo(first.serial());
            AtomicInteger answered = new AtomicInteger();
            List<Thread> load = new ArrayList<>();
            List<Throwable> failures = new CopyOnWriteArrayList<>();
            for (int i = 0; i < 4; i++) {
                boolean kept = i % 2 == 0;
                load.add(Thread.ofVirtual().start(() -> running.load(kept, answered, failures)));
            }
            ManagedChannel old = running.channel();
            assertThat(live(old)).isTrue();
            for (Certificates.Issued next : List.of(second, first, second)) {
                int before = answered.get();
                next.write(certificates, key);
                await().atMost(Duration.ofSeconds(20))
                        .until(() -> running.serial().equals(next.serial()));
                await().atMost(Duration.ofSeconds(20)).until(() -> answered.get() > before + 8);
            }
            running.stopped = true;
            for (Thread thread : load) {
                thread.join();
            }
            assertThat(failures).isEmpty();
            assertThat(live(old)).isTrue();
            ManagedChannel fresh = running.channel();
            assertThat(live(fresh)).isTrue();
        }
    }

    @Test
    void bothDoorsAskForAKey() throws Exception {
        Path file = Files.writeString(folder.resolve("keys"), "# of the team\nsk-2\n");
        try (Running running = new Running(Map.of(), null, "--api-key", KEY, "--api-key-file", file.toString())) {
            for (String open : List.of(
                    "/",
                    "/health",
                    "/metrics",
                    "/v2/health/live",
                    "/v2/health/ready",
                    "/docs",
                    "/docs/swagger-ui.css",
                    "/openapi")) {
                assertThat(running.get(open).statusCode()).as(open).isEqualTo(200);
            }
            for (String closed : List.of("/info", "/v2", "/v1/models", "/v2/models/small")) {
                assertThat(running.get(closed).statusCode()).as(closed).isEqualTo(401);
            }
            HttpResponse<String> refused = running.post(PREDICT, "Authorization", "Bearer sk-wrong");
            assertThat(refused.statusCode()).isEqualTo(401);
            assertThat(refused.headers().firstValue("WWW-Authenticate")).contains("Bearer");
            assertThat(JSON.readTree(refused.body()).get("error_type").textValue())
                    .isEqualTo("Unauthorized");
            assertThat(running.post(PREDICT).statusCode()).isEqualTo(401);
            assertThat(running.post(PREDICT, "Authorization", "Bearer " + KEY).statusCode())
                    .isEqualTo(200);
            assertThat(running.post(PREDICT, "Authorization", "bearer sk-2").statusCode())
                    .isEqualTo(200);

            ManagedChannel channel = running.channel();
            assertThat(live(channel)).isTrue();
            HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance());
            PredictGrpc.PredictBlockingStub predict = PredictGrpc.newBlockingStub(channel);
            PredictRequest request = PredictRequest.newBuilder().setInputs(TEXT).build();
            for (PredictGrpc.PredictBlockingStub wrong : List.of(
                    predict, with(predict, "authorization", KEY), with(predict, "authorization", "Bearer sk-wrong"))) {
                assertThatThrownBy(() -> wrong.predict(request))
                        .isInstanceOfSatisfying(
                                StatusRuntimeException.class,
                                e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED));
            }
            assertThat(with(predict, "authorization", "Bearer sk-2")
                            .predict(request)
                            .getPredictionsList())
                    .isNotEmpty();
        }
    }

    @Test
    void webPagesOfOtherOriginsMayAskWhereTheyAreAllowed() throws Exception {
        try (Running running = new Running(Map.of(), null, "--api-key", KEY, "--cors-allow-origin", PAGE)) {
            HttpResponse<String> preflight = running.send(running.request("/predict")
                    .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                    .header("Origin", PAGE)
                    .header("Access-Control-Request-Method", "POST")
                    .header("Access-Control-Request-Headers", "authorization,content-type"));
            assertThat(preflight.statusCode()).isEqualTo(204);
            assertThat(preflight.headers().firstValue("Access-Control-Allow-Origin"))
                    .contains(PAGE);
            assertThat(preflight.headers().firstValue("Access-Control-Allow-Methods"))
                    .contains("POST");
            assertThat(preflight.headers().firstValue("Access-Control-Allow-Headers"))
                    .hasValueSatisfying(all -> assertThat(all).contains("Authorization"));
            assertThat(preflight.headers().firstValue("Vary")).contains("Origin");
            HttpResponse<String> answer = running.post(PREDICT, "Origin", PAGE, "Authorization", "Bearer " + KEY);
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("Access-Control-Allow-Origin"))
                    .contains(PAGE);
            // The page must see why it is refused, too.
            HttpResponse<String> refused = running.post(PREDICT, "Origin", PAGE);
            assertThat(refused.statusCode()).isEqualTo(401);
            assertThat(refused.headers().firstValue("Access-Control-Allow-Origin"))
                    .contains(PAGE);
            HttpResponse<String> other =
                    running.post(PREDICT, "Origin", "https://other.example", "Authorization", "Bearer " + KEY);
            assertThat(other.headers().firstValue("Access-Control-Allow-Origin"))
                    .isEmpty();
            assertThat(other.headers().firstValue("Vary")).contains("Origin");
        }
    }

    @Test
    void withoutAskingForItNoOriginIsAllowed() throws Exception {
        try (Running running = new Running(Map.of(), null)) {
            HttpResponse<String> preflight = running.send(running.request("/predict")
                    .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                    .header("Origin", PAGE)
                    .header("Access-Control-Request-Method", "POST"));
            assertThat(preflight.statusCode()).isEqualTo(405);
            assertThat(running.post(PREDICT, "Origin", PAGE).headers().map().keySet())
                    .noneMatch(name -> name.startsWith("access-control") || name.equals("vary"));
        }
    }

    @Test
    void eachRequestIsOneLineWithoutItsTextAndKey() throws Exception {
        String log;
        try (Running running = new Running(Map.of(), null, "--access-log", "--api-key", KEY)) {
            running.post(
                    PREDICT,
                    "Authorization",
                    "Bearer " + KEY,
                    "x-request-id",
                    "mine",
                    "traceparent",
                    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
            running.post("{}", "Authorization", "Bearer sk-wrong");
            running.get("/absent/" + TEXT.replace(' ', '-'));
            with(PredictGrpc.newBlockingStub(running.channel()), "authorization", "Bearer " + KEY)
                    .predict(PredictRequest.newBuilder().setInputs(TEXT).build());
            assertThatThrownBy(() -> GRPCInferenceServiceGrpc.newBlockingStub(running.channel())
                            .serverMetadata(ServerMetadataRequest.getDefaultInstance()))
                    .isInstanceOf(StatusRuntimeException.class);
            running.end();
            log = running.program.errors().get();
        }
        assertThat(log).doesNotContain(TEXT, KEY, "sk-wrong", "a-good-day");
        List<JsonNode> lines = new ArrayList<>();
        for (String line : log.lines().toList()) {
            lines.add(JSON.readTree(line));
        }
        assertThat(lines).hasSize(5);
        JsonNode predict = line(lines, "/predict", "200");
        assertThat(predict.get("door").textValue()).isEqualTo("http");
        assertThat(predict.get("method").textValue()).isEqualTo("POST");
        assertThat(predict.get("request_id").textValue()).isEqualTo("mine");
        assertThat(predict.get("trace_id").textValue()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
        assertThat(predict.get("model").textValue()).isEqualTo("small");
        assertThat(predict.get("texts").intValue()).isEqualTo(1);
        assertThat(predict.get("tokens").intValue()).isGreaterThan(2);
        assertThat(predict.get("total_ms").doubleValue())
                .isGreaterThan(predict.get("inference_ms").doubleValue());
        assertThat(predict.get("request_bytes").intValue()).isEqualTo(PREDICT.length());
        assertThat(predict.get("response_bytes").intValue()).isPositive();
        line(lines, "/predict", "401");
        line(lines, "", "404");
        assertThat(line(lines, "tei.v1.Predict/Predict", "OK").get("tokens")).isEqualTo(predict.get("tokens"));
        line(lines, "inference.GRPCInferenceService/ServerMetadata", "UNAUTHENTICATED");
    }

    private static JsonNode line(List<JsonNode> lines, String route, String status) {
        List<JsonNode> found = lines.stream()
                .filter(line -> line.path("route").asText("").equals(route)
                        && line.get("status").asText().equals(status))
                .toList();
        assertThat(found).as(route + " " + status + " in " + lines).hasSize(1);
        return found.getFirst();
    }

    @Test
    void requestsAreSpansForTheCollectorThatTheEnvironmentNames() throws Exception {
        String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        try (Collector collector = new Collector()) {
            Running running = new Running(Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address()), null);
            try (running) {
                HttpResponse<String> answer =
                        running.post(PREDICT, "traceparent", "00-" + trace + "-00f067aa0ba902b7-01");
                assertThat(answer.headers().firstValue("x-request-id")).contains(trace);
                PredictGrpc.newBlockingStub(running.channel())
                        .predict(PredictRequest.newBuilder().setInputs(TEXT).build());
                running.end();
            }
            assertThat(running.program.errors().get()).isEmpty();
            Span http = collector.span("POST /predict");
            assertThat(HexFormat.of().formatHex(http.getTraceId().toByteArray()))
                    .isEqualTo(trace);
            assertThat(Collector.attributes(http.getAttributesList()))
                    .containsEntry("http.route", "/predict")
                    .containsEntry("http.response.status_code", "200")
                    .containsEntry("gatun.model", "small");
            assertThat(collector.children(http)).containsExactlyInAnyOrder("tokenization", "queue", "inference");
            Span grpc = collector.span("tei.v1.Predict/Predict");
            assertThat(Collector.attributes(grpc.getAttributesList())).containsEntry("rpc.response.status_code", "OK");
            assertThat(collector.children(grpc)).containsExactlyInAnyOrder("tokenization", "queue", "inference");
        }
    }

    @Test
    void aCollectorThatIsAwayHoldsNobody() throws Exception {
        Running running = new Running(
                Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY", "10"), null);
        try (running) {
            for (int i = 0; i < 50; i++) {
                assertThat(running.post(PREDICT).statusCode()).isEqualTo(200);
            }
            running.end();
        }
    }

    @Test
    void whatCannotBeUsedIsRefusedAtStart() throws Exception {
        refused("go together", "--tls-cert", "absent");
        refused("no file", "--tls-cert", "absent", "--tls-key", "absent");
        refused("no header can carry", "--api-key", "two words");
        refused("is no origin", "--cors-allow-origin", "example.org");
        Program.run(Map.of("OTEL_TRACES_EXPORTER", "pigeon"), "", "serve", "--port", "0", "--model", model)
                .refused("pigeon");
    }

    private static void refused(String why, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("serve", "--port", "0", "--model", model));
        arguments.addAll(Arrays.asList(options));
        Program.run(arguments.toArray(String[]::new)).refused(why);
    }

    private static boolean live(ManagedChannel channel) {
        return GRPCInferenceServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(Duration.ofSeconds(20))
                .serverLive(ServerLiveRequest.getDefaultInstance())
                .getLive();
    }

    private static PredictGrpc.PredictBlockingStub with(
            PredictGrpc.PredictBlockingStub stub, String name, String value) {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
        return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    /** The program, and clients of both of its doors. */
    private static final class Running implements AutoCloseable {
        final Program program;
        final String http;
        volatile boolean stopped;
        private final URI grpc;
        private final @Nullable Certificates authority;
        private final HttpClient client;
        private final List<ManagedChannel> channels = new ArrayList<>();

        /** {@code authority}: whom its clients trust, or none: they speak in the clear. */
        Running(Map<String, String> environment, @Nullable Certificates authority, String... options)
                throws IOException {
            List<String> arguments = new ArrayList<>(List.of("serve", "--port", "0", "--model", "small=" + model));
            arguments.addAll(Arrays.asList(options));
            this.authority = authority;
            program = Program.start(environment, arguments.toArray(String[]::new));
            String[] ready = program.line().split(" ", -1);
            http = ready[1];
            grpc = URI.create(ready[2]);
            client = client();
        }

        private HttpClient client() {
            HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
            if (authority != null) {
                builder.sslContext(authority.trust());
            }
            return builder.build();
        }

        ManagedChannel channel() throws IOException {
            NettyChannelBuilder builder = NettyChannelBuilder.forAddress(grpc.getHost(), grpc.getPort());
            if (authority == null) {
                builder.usePlaintext();
            } else {
                builder.sslContext(GrpcSslContexts.forClient()
                        .trustManager(
                                new ByteArrayInputStream(authority.rootPem().getBytes(StandardCharsets.US_ASCII)))
                        .build());
            }
            ManagedChannel channel = builder.build();
            channels.add(channel);
            return channel;
        }

        HttpRequest.Builder request(String path, String... headers) {
            HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(http + path));
            return headers.length == 0 ? builder : builder.headers(headers);
        }

        HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
            return client.send(request.build(), BodyHandlers.ofString());
        }

        HttpResponse<String> get(String path) throws IOException, InterruptedException {
            return send(request(path));
        }

        HttpResponse<String> post(String json, String... headers) throws IOException, InterruptedException {
            return send(request("/predict", headers)
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(json)));
        }

        /** Of the certificate that a client sees who comes now. */
        Object serial() throws IOException, InterruptedException {
            try (HttpClient fresh = client()) {
                HttpResponse<String> health = fresh.send(request("/health").build(), BodyHandlers.ofString());
                return ((X509Certificate) health.sslSession().orElseThrow().getPeerCertificates()[0]).getSerialNumber();
            } catch (SSLPeerUnverifiedException e) {
                throw new AssertionError(e);
            }
        }

        /** Asks until it is stopped, over one connection or each time over another. */
        void load(boolean kept, AtomicInteger answered, List<Throwable> failures) {
            HttpClient own = client();
            try {
                while (!stopped) {
                    try (HttpClient fresh = kept ? null : client()) {
                        HttpClient asking = fresh == null ? own : fresh;
                        int status = asking.send(
                                        request("/predict", "Content-Type", "application/json")
                                                .POST(HttpRequest.BodyPublishers.ofString(PREDICT))
                                                .build(),
                                        BodyHandlers.ofString())
                                .statusCode();
                        assertThat(status).isEqualTo(200);
                        answered.incrementAndGet();
                    }
                }
            } catch (IOException | InterruptedException | AssertionError e) {
                failures.add(e);
            } finally {
                own.close();
            }
        }

        /** Ends the program as a signal does. */
        void end() throws InterruptedException {
            channels.forEach(ManagedChannel::shutdownNow);
            program.process().toHandle().destroy(); // Process.destroy would close what it still says
            assertThat(program.end()).isZero();
        }

        @Override
        public void close() {
            channels.forEach(ManagedChannel::shutdownNow);
            client.close();
            program.close();
        }
    }
}
