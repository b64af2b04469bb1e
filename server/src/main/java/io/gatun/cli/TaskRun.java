package io.gatun.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.batch.LaneSettings;
import io.gatun.batch.Priority;
import io.gatun.http.Pipelines;
import io.gatun.metrics.Metrics;
import io.gatun.service.Call;
import io.gatun.service.CallOptions;
import io.gatun.service.Caller;
import io.gatun.service.Catalogue;
import io.gatun.service.ModelLoader;
import io.gatun.service.RequestException;
import io.gatun.service.ServiceLimits;
import io.gatun.service.TextService;
import io.gatun.text.TokenizerException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/** A command that has a task done on many texts by the same code as the server's routes. */
final class TaskRun {
    /** More would only wait: each lane has its next batches. */
    private static final int TEXTS_A_LANE = 128;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final CallOptions BULK = new CallOptions(Optional.of(Priority.BULK), Optional.empty());
    /** Whoever started this waits for it, however long it takes. */
    private static final ServiceLimits LIMITS = new ServiceLimits(1024, 1 << 20, 8192, 0, Duration.ofDays(365));

    private static final Caller STAYS = new Caller() {
        @Override
        public void whenGone(Runnable action) {
            // The process ends with its caller.
        }

        @Override
        public void isAnswered() {}
    };

    private final Pipelines pipelines;
    private final String task;
    private final ObjectNode fields;
    private final Optional<BiConsumer<String, ObjectNode>> texts;

    private TaskRun(
            Pipelines pipelines, String task, ObjectNode fields, Optional<BiConsumer<String, ObjectNode>> texts) {
        this.pipelines = pipelines;
        this.task = task;
        this.fields = fields;
        this.texts = texts;
    }

    /** As the other, where a line that is no JSON is the whole of a request's inputs. */
    static int run(BulkOptions options, String task, ObjectNode fields) throws InterruptedException {
        return run(options, task, fields, (text, body) -> body.put("inputs", text));
    }

    /**
     * Has the task done on all texts.
     *
     * @param fields of every request's body, beside its inputs
     * @param inputs puts a line that is no JSON into a body
     */
    static int run(BulkOptions options, String task, ObjectNode fields, BiConsumer<String, ObjectNode> inputs)
            throws InterruptedException {
        Metrics metrics = new Metrics();
        int cores = Runtime.getRuntime().availableProcessors();
        ModelOption model = options.model();
        try (Source source = options.source()) {
            ModelLoader loader = new ModelLoader(
                    options.computing().compute(), m -> LaneSettings.of(m, cores), Long.MAX_VALUE, metrics, metrics);
            try (Catalogue catalogue = new Catalogue(Map.of(model.name(), model.source()), loader);
                    TextService service = new TextService(catalogue, metrics, LIMITS);
                    Progress progress = Progress.of(source, Terminal.showsErrors())) {
                TaskRun run = new TaskRun(
                        Pipelines.of(service), task, fields, options.json() ? Optional.empty() : Optional.of(inputs));
                new Bulk(run::answer, window(catalogue)).run(source, Output.standard(), progress);
                progress.ends(source);
            }
        } catch (IOException e) {
            throw new CommandException("The texts cannot be read: " + e.getMessage() + ".", e);
        }
        return 0;
    }

    /** So many texts, however long, always fit the lanes' queue. */
    private static int window(Catalogue catalogue) {
        try (Catalogue.Lease lease = catalogue.lease(Optional.empty())) {
            LaneSettings settings = lease.served().lanes().settings();
            long fitting = settings.maxQueuedTokens(Priority.BULK)
                            / lease.served().model().maxTokens()
                    - 2;
            return Math.clamp(fitting, 1, settings.lanes() * TEXTS_A_LANE);
        }
    }

    private String answer(Source.Line line) throws InterruptedException {
        try {
            String answer = pipelines.answer(new Call(STAYS, BULK, System.nanoTime()), task, body(line));
            // A vector of one text comes in a list, as clients of its route read it.
            return texts.isPresent() && task.equals("feature-extraction")
                    ? answer.substring(1, answer.length() - 1)
                    : answer;
        } catch (RequestException | TokenizerException e) {
            throw new CommandException(sentence(line, String.valueOf(e.getMessage())), e);
        }
    }

    /** In the words of a command: what the routes say of an input is said of the line, and options have dashes. */
    private static String sentence(Source.Line line, String said) {
        String message = said.replace("send \"truncate\": true", "pass --truncate");
        String input = "The input ";
        return message.startsWith(input)
                ? line.place() + " " + message.substring(input.length())
                : line.place() + ": " + message;
    }

    private ObjectNode body(Source.Line line) {
        ObjectNode body = fields.deepCopy();
        if (texts.isPresent()) {
            texts.get().accept(line.text(), body);
            return body;
        }
        try {
            JsonNode given = JSON.readTree(line.text());
            if (!given.isObject()) {
                throw new CommandException(line.place() + " is no JSON object, such as {\"inputs\": \"a text\"}.");
            }
            JsonNode parameters = body.path("parameters");
            body.setAll((ObjectNode) given);
            if (parameters.isObject() && given.path("parameters").isObject()) {
                body.set("parameters", ((ObjectNode) parameters).setAll((ObjectNode) given.get("parameters")));
            }
            return body;
        } catch (JsonProcessingException e) {
            throw new CommandException(line.place() + " is no JSON: " + e.getOriginalMessage() + ".", e);
        }
    }
}
