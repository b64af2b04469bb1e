package io.gatun.bench.peers;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.gatun.model.Head;
import io.gatun.model.ModelSource;
import io.gatun.model.Task;
import io.gatun.model.TextModel;
import io.gatun.task.LabelScore;
import io.gatun.task.TextClassification;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code POST /predict} of the default model on ONNX Runtime's fused int8 form: the web server, the JSON and the
 * tokenizer are those of Gatun, the rest is what is written in an afternoon.
 */
@Command(name = "onnx-server", description = "Serves the default model on ONNX Runtime.")
final class OnnxServerCommand implements Callable<Integer> {
    private static final int MAX_WAITING = 1024;
    private static final int BACKLOG = 1024;
    private static final int MAX_CONNECTIONS = 4096;

    /** Helidon tells at INFO that it starts and ends. Kept, or the level is lost. */
    private static final Logger HELIDON_LOGGER = Logger.getLogger("io.helidon");

    @Option(names = "--threads", required = true, description = "Of one run.")
    private int threads;

    @Option(names = "--runs", description = "That go on at a time, where each request is run alone.")
    private int runs = 1;

    @Option(names = "--batch", description = "Texts of a batch; without, each request is run alone.")
    private @Nullable Integer batch;

    @Option(names = "--window-ms", description = "How long a text waits for others of its batch.")
    private int windowMs;

    @Option(names = "--spin", description = "Lets ONNX Runtime's threads spin.")
    private boolean spin;

    @Option(names = "--cache", required = true, description = "Where the ONNX files lie.")
    private Path cache = Path.of("");

    public static void main(String[] args) {
        System.exit(new CommandLine(new OnnxServerCommand()).execute(args));
    }

    @Override
    public Integer call() throws InterruptedException {
        HELIDON_LOGGER.setLevel(Level.SEVERE);
        ModelSource source = ModelSource.embedded();
        try (TextModel text = TextModel.load("default", source);
                OnnxModel model = new OnnxModel(
                        OnnxFiles.of(text, source, cache, System.err::println).fusedInt8(), threads, spin);
                Predictor predictor = batch == null
                        ? new OneByOne(model, runs, MAX_WAITING)
                        : new WindowBatcher(model, batch, Duration.ofMillis(windowMs), MAX_WAITING)) {
            Handler handler = new Handler(text, predictor);
            WebServer server = WebServer.builder()
                    .host("127.0.0.1")
                    .port(0)
                    .backlog(BACKLOG)
                    .shutdownHook(false)
                    .featuresDiscoverServices(false)
                    .maxTcpConnections(MAX_CONNECTIONS)
                    .maxConcurrentRequests(MAX_CONNECTIONS)
                    .connectionOptions(options -> options.tcpNoDelay(true))
                    .routing(routing -> routing.post("/predict", handler::handle))
                    .build()
                    .start();
            System.out.println("ready http://127.0.0.1:" + server.port());
            Thread.currentThread().join(); // the process ends by a signal
        }
        return 0;
    }

    /** One request, one text. */
    private static final class Handler {
        private static final ObjectMapper JSON = new ObjectMapper();
        private static final ObjectReader TREE = JSON.reader();

        private final TextModel text;
        private final Predictor predictor;
        private final Head head;

        Handler(TextModel text, Predictor predictor) {
            this.text = text;
            this.predictor = predictor;
            this.head = text.defaultHead(Task.TEXT_CLASSIFICATION);
        }

        void handle(ServerRequest request, ServerResponse response)
                throws IOException, InterruptedException, ExecutionException {
            JsonNode body = TREE.readTree(request.content().as(byte[].class));
            int[] ids =
                    text.tokenizer().encode(body.path("inputs").asText(), true).ids();
            try {
                float[] logits = predictor.predict(ids).get();
                response.header(HeaderNames.CONTENT_TYPE, "application/json").send(json(logits));
            } catch (RejectedExecutionException e) {
                response.status(Status.SERVICE_UNAVAILABLE_503).send();
            }
        }

        private byte[] json(float[] logits) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (JsonGenerator out = JSON.createGenerator(bytes)) {
                LabelScore.write(TextClassification.scores(head, logits, false), out);
            }
            return bytes.toByteArray();
        }
    }
}
