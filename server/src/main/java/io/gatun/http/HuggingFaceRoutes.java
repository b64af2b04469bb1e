package io.gatun.http;

import io.gatun.model.Head;
import io.gatun.service.Catalogue;
import io.gatun.service.TextService;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The routes of Hugging Face's inference clients, {@code {"inputs", "parameters"}} to a pipeline's output. A client that
 * was given only the server's address posts to {@code /}: what it wants there shows in what it sends.
 */
final class HuggingFaceRoutes {
    private static final List<String> OF_EMBEDDINGS =
            List.of("normalize", "prompt_name", "dimensions", "encoding_format");

    /** By task: the parameters that only it has. */
    private static final Map<String, List<String>> OF_TASKS = Map.of(
            "feature-extraction", List.of("normalize", "dimensions", "encoding_format"),
            "token-classification", List.of("aggregation_strategy", "ignore_labels"),
            "fill-mask", List.of("targets"),
            "zero-shot-classification", List.of("candidate_labels", "hypothesis_template", "multi_label"));

    private final TextService service;
    private final TeiRoutes tei;
    private final Pipelines pipelines;

    HuggingFaceRoutes(TextService service, TeiRoutes tei, Pipelines pipelines) {
        this.service = service;
        this.tei = tei;
        this.pipelines = pipelines;
    }

    void register(Routes routes) {
        TeiRoutes.task(routes, "/", exchange -> {
            Fields fields = exchange.fields();
            // All of a client's tasks send parameters but feature extraction, which may send nothing but inputs.
            return fields.has("parameters") || isSimilarity(fields) || isQuestion(fields)
                    ? answer(exchange, fields.text("model"), fields)
                    : tei.embed(exchange, fields);
        });
        routes.task(
                "/models/{name}",
                ErrorStyle.PLAIN,
                exchange -> answer(exchange, Optional.of(exchange.path("name")), exchange.fields()));
        routes.task("/models/{name}/pipeline/{task}", ErrorStyle.PLAIN, exchange -> {
            Optional<String> model = Optional.of(exchange.path("name"));
            return pipelines.of(model, exchange.path("task")).answer(exchange, model, exchange.fields());
        });
        task(routes, "/ner", "token-classification");
        task(routes, "/qa", "question-answering");
        task(routes, "/fill_mask", "fill-mask");
        task(routes, "/analyze", "analyze");
    }

    private void task(Routes routes, String path, String task) {
        TeiRoutes.task(routes, path, exchange -> {
            Fields fields = exchange.fields();
            return pipelines.of(fields.text("model"), task).answer(exchange, fields.text("model"), fields);
        });
    }

    private static boolean isSimilarity(Fields fields) {
        return fields.isObject("inputs") && fields.object("inputs").has("source_sentence");
    }

    /** One question, several over one context, or a list of questions that have a context each. */
    private static boolean isQuestion(Fields fields) {
        return fields.first("inputs").has("question");
    }

    /** By what only one task is asked or, where nothing tells, by the task of the head that answers. */
    private Reply answer(Exchange exchange, Optional<String> model, Fields fields)
            throws IOException, InterruptedException {
        return pipelines
                .of(model, taskOf(fields).orElseGet(() -> taskOfHead(model, fields)))
                .answer(exchange, model, fields);
    }

    private static Optional<String> taskOf(Fields fields) {
        if (isSimilarity(fields)) {
            return Optional.of("sentence-similarity");
        }
        if (OF_EMBEDDINGS.stream().anyMatch(fields::has)) {
            return Optional.of("feature-extraction");
        }
        if (isQuestion(fields)) {
            return Optional.of("question-answering");
        }
        Fields parameters = fields.object("parameters");
        return OF_TASKS.entrySet().stream()
                .filter(task -> task.getValue().stream().anyMatch(parameters::has))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    private String taskOfHead(Optional<String> model, Fields fields) {
        Optional<String> name = fields.pipelineHead();
        try (Catalogue.Lease lease = service.catalogue().lease(model)) {
            List<Head> heads = lease.served().model().description().heads();
            return heads.stream()
                    .filter(head -> name.isEmpty() || head.name().equals(name.get()))
                    .map(head -> head.task().id())
                    .findFirst()
                    .orElse("text-classification"); // which says what heads there are
        }
    }
}
