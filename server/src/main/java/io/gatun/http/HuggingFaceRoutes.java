package io.gatun.http;

import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.service.Catalogue;
import io.gatun.service.Classified;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.service.Truncation;
import io.gatun.task.LabelScore;
import io.gatun.task.TextClassification;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * The routes of Hugging Face's inference clients, {@code {"inputs", "parameters"}} to a pipeline's output. A client that
 * was given only the server's address posts to {@code /}: what it wants there shows in what it sends.
 */
final class HuggingFaceRoutes {
    private static final List<String> OF_EMBEDDINGS =
            List.of("normalize", "prompt_name", "dimensions", "encoding_format");

    /** By task: the parameters that only it has. */
    private static final Map<String, List<String>> OF_OTHER_TASKS = Map.of(
            "token-classification", List.of("aggregation_strategy", "ignore_labels", "stride"),
            "fill-mask", List.of("targets"),
            "zero-shot-classification", List.of("candidate_labels", "hypothesis_template", "multi_label"));

    private final TextService service;
    private final TeiRoutes tei;

    HuggingFaceRoutes(TextService service, TeiRoutes tei) {
        this.service = service;
        this.tei = tei;
    }

    void register(Routes routes) {
        TeiRoutes.task(routes, "/", exchange -> {
            Fields fields = exchange.fields();
            // All of a client's tasks send parameters but feature extraction, which may send nothing but inputs.
            return fields.has("parameters") || isSimilarity(fields)
                    ? pipeline(exchange, fields.text("model"), fields)
                    : tei.embed(exchange, fields);
        });
        routes.task(
                "/models/{name}",
                ErrorStyle.PLAIN,
                exchange -> pipeline(exchange, Optional.of(exchange.path("name")), exchange.fields()));
        routes.task("/models/{name}/pipeline/{task}", ErrorStyle.PLAIN, this::task);
        unsupported(routes, "/ner", "token-classification");
        unsupported(routes, "/qa", "question-answering");
        unsupported(routes, "/fill_mask", "fill-mask");
        unsupported(routes, "/analyze", "analyze");
    }

    private void unsupported(Routes routes, String path, String task) {
        TeiRoutes.task(routes, path, exchange -> {
            throw unsupported(exchange.fields().text("model"), task);
        });
    }

    private RequestException unsupported(Optional<String> name, String task) {
        try (Catalogue.Lease lease = service.catalogue().lease(name)) {
            TreeSet<String> tasks = new TreeSet<>();
            tasks.add("feature-extraction");
            tasks.add("sentence-similarity");
            lease.served().model().description().heads().stream()
                    .map(Head::task)
                    .filter(Task.TEXT_CLASSIFICATION::equals)
                    .forEach(served -> tasks.add(served.id()));
            return RequestException.validation("The task " + task + " is none that the model \""
                    + lease.served().name() + "\" is served for; it does " + String.join(", ", tasks) + ".");
        }
    }

    private static boolean isSimilarity(Fields fields) {
        return fields.isObject("inputs") && fields.object("inputs").has("source_sentence");
    }

    private Reply pipeline(Exchange exchange, Optional<String> model, Fields fields) throws InterruptedException {
        if (isSimilarity(fields)) {
            return tei.similarity(exchange, model, fields);
        }
        if (OF_EMBEDDINGS.stream().anyMatch(fields::has)) {
            return tei.embed(exchange, model, fields);
        }
        if (fields.isObject("inputs") && fields.object("inputs").has("question")) {
            throw unsupported(model, "question-answering");
        }
        Fields parameters = fields.object("parameters");
        for (Map.Entry<String, List<String>> task : OF_OTHER_TASKS.entrySet()) {
            if (task.getValue().stream().anyMatch(parameters::has)) {
                throw unsupported(model, task.getKey());
            }
        }
        return classification(service, exchange, model, fields);
    }

    private Reply task(Exchange exchange) throws IOException, InterruptedException {
        Optional<String> model = Optional.of(exchange.path("name"));
        Fields fields = exchange.fields();
        return switch (exchange.path("task")) {
            case "feature-extraction" -> tei.embed(exchange, model, fields);
            case "sentence-similarity" -> tei.similarity(exchange, model, fields);
            case "text-classification" -> classification(service, exchange, model, fields);
            default -> throw unsupported(model, exchange.path("task"));
        };
    }

    /** What the client reads for one text, too, is a list of lists. */
    static Reply classification(TextService service, Exchange exchange, Optional<String> model, Fields fields)
            throws InterruptedException {
        Fields parameters = fields.object("parameters");
        Inputs inputs = Inputs.texts(
                fields.required("inputs", "{\"inputs\": \"a text\"}"),
                service.limits().maxTexts());
        OptionalInt topK = parameters.integer("top_k");
        if (topK.isPresent() && topK.getAsInt() < 1) {
            throw RequestException.validation("The parameter \"top_k\" must be above 0.");
        }
        Optional<TextClassification.Function> function =
                parameters.text("function_to_apply").map(HuggingFaceRoutes::function);
        Truncation truncation = parameters.has("truncation") ? parameters.truncation() : fields.truncation();
        Classified classified = service.classify(
                exchange.call(),
                model,
                parameters.text("head").or(() -> fields.text("head")),
                inputs.all(),
                truncation);
        List<List<LabelScore>> scores = new ArrayList<>();
        for (float[] logits : classified.logits()) {
            List<LabelScore> all = function.isPresent()
                    ? TextClassification.scores(classified.head(), logits, function.get())
                    : TextClassification.scores(classified.head(), logits, false);
            scores.add(all.subList(0, Math.min(all.size(), topK.orElse(all.size()))));
        }
        return Reply.json(out -> {
            out.writeStartArray();
            for (List<LabelScore> text : scores) {
                LabelScore.write(text, out);
            }
            out.writeEndArray();
        });
    }

    private static TextClassification.Function function(String name) {
        return switch (name) {
            case "softmax" -> TextClassification.Function.SOFTMAX;
            case "sigmoid" -> TextClassification.Function.SIGMOID;
            case "none" -> TextClassification.Function.NONE;
            default ->
                throw RequestException.validation(
                        "The parameter \"function_to_apply\" must be \"softmax\", \"sigmoid\" or \"none\".");
        };
    }
}
