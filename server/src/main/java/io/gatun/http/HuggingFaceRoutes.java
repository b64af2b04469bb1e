package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.model.Head;
import io.gatun.model.Task;
import io.gatun.service.Catalogue;
import io.gatun.service.Classified;
import io.gatun.service.ClassifiedDocuments;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.service.ZeroShotClassifier;
import io.gatun.task.LabelScore;
import io.gatun.task.TextClassification;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
    private static final Map<String, List<String>> OF_TASKS = Map.of(
            "feature-extraction", List.of("normalize", "dimensions", "encoding_format"),
            "token-classification", List.of("aggregation_strategy", "ignore_labels"),
            "fill-mask", List.of("targets"),
            "zero-shot-classification", List.of("candidate_labels", "hypothesis_template", "multi_label"));

    private final TextService service;
    private final TeiRoutes tei;
    /** By Hugging Face's name of the task. */
    private final Map<String, Pipeline> pipelines;

    HuggingFaceRoutes(TextService service, TeiRoutes tei) {
        this.service = service;
        this.tei = tei;
        this.pipelines = Map.of(
                "analyze",
                new AnalyzePipeline(service),
                "feature-extraction",
                tei::embed,
                "sentence-similarity",
                tei::similarity,
                "text-classification",
                (exchange, model, fields) -> classification(service, exchange, model, fields),
                "token-classification",
                new TokenClassificationPipeline(service),
                "zero-shot-classification",
                new ZeroShotPipeline(service),
                "fill-mask",
                new FillMaskPipeline(service),
                "question-answering",
                new QuestionAnsweringPipeline(service));
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
            return pipeline(model, exchange.path("task")).answer(exchange, model, exchange.fields());
        });
        task(routes, "/ner", "token-classification");
        task(routes, "/qa", "question-answering");
        task(routes, "/fill_mask", "fill-mask");
        task(routes, "/analyze", "analyze");
    }

    private void task(Routes routes, String path, String task) {
        TeiRoutes.task(routes, path, exchange -> {
            Fields fields = exchange.fields();
            return pipeline(fields.text("model"), task).answer(exchange, fields.text("model"), fields);
        });
    }

    private Pipeline pipeline(Optional<String> model, String task) {
        Pipeline pipeline = pipelines.get(task);
        if (pipeline == null) {
            throw unsupported(model, task);
        }
        return pipeline;
    }

    private RequestException unsupported(Optional<String> name, String task) {
        try (Catalogue.Lease lease = service.catalogue().lease(name)) {
            TreeSet<String> tasks = new TreeSet<>();
            tasks.add("feature-extraction");
            tasks.add("sentence-similarity");
            List<Head> heads = lease.served().model().description().heads();
            if (heads.stream().anyMatch(ZeroShotClassifier::infers)) {
                tasks.add("zero-shot-classification");
            }
            heads.stream()
                    .map(Head::task)
                    .map(Task::id)
                    .filter(pipelines::containsKey)
                    .forEach(tasks::add);
            return RequestException.validation("The task " + task + " is none that the model \""
                    + lease.served().name() + "\" is served for; it does " + String.join(", ", tasks) + ".");
        }
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
        return pipeline(model, taskOf(fields).orElseGet(() -> taskOfHead(model, fields)))
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
        Optional<String> name = fields.object("parameters").text("head").or(() -> fields.text("head"));
        try (Catalogue.Lease lease = service.catalogue().lease(model)) {
            List<Head> heads = lease.served().model().description().heads();
            return heads.stream()
                    .filter(head -> name.isEmpty() || head.name().equals(name.get()))
                    .map(head -> head.task().id())
                    .findFirst()
                    .orElse("text-classification"); // which says what heads there are
        }
    }

    /**
     * What a client of Hugging Face's servers reads for one text, too, is a list of lists. Pairs, which only users of
     * the pipeline send, are answered as the pipeline does.
     */
    static Reply classification(TextService service, Exchange exchange, Optional<String> model, Fields fields)
            throws InterruptedException {
        Fields parameters = fields.object("parameters");
        JsonNode given = fields.required("inputs", "{\"inputs\": \"a text\"}");
        Inputs inputs = Inputs.documents(given, service.limits().maxTexts());
        OptionalInt topK = parameters.integer("top_k");
        if (topK.isPresent() && topK.getAsInt() < 1) {
            throw RequestException.validation("The parameter \"top_k\" must be above 0.");
        }
        Optional<TextClassification.Function> function =
                parameters.text("function_to_apply").map(HuggingFaceRoutes::function);
        if (DocumentParameters.in(parameters)) {
            DocumentParameters document = DocumentParameters.of(parameters);
            ClassifiedDocuments documents = service.documents()
                    .classify(
                            exchange.call(),
                            model,
                            parameters.text("head").or(() -> fields.text("head")),
                            inputs.all(),
                            document.size());
            return new DocumentAnswers(document, documents, inputs.all(), function, topK.orElse(Integer.MAX_VALUE))
                    .reply(true);
        }
        Classified classified = service.classify(
                exchange.call(),
                model,
                parameters.text("head").or(() -> fields.text("head")),
                inputs.all(),
                fields.pipelineTruncation());
        List<List<LabelScore>> scores = new ArrayList<>();
        for (float[] logits : classified.logits()) {
            List<LabelScore> all = function.isPresent()
                    ? TextClassification.scores(classified.head(), logits, function.get())
                    : TextClassification.scores(classified.head(), logits, false);
            scores.add(all.subList(0, Math.min(all.size(), topK.orElse(all.size()))));
        }
        boolean pairs = given.isObject() || given.path(0).isObject();
        boolean bestOnly = pairs && !parameters.names("top_k");
        boolean list = !pairs || inputs.batch();
        return Reply.json(out -> {
            if (list) {
                out.writeStartArray();
            }
            for (List<LabelScore> text : scores) {
                if (bestOnly) {
                    text.getFirst().write(out);
                } else {
                    LabelScore.write(text, out);
                }
            }
            if (list) {
                out.writeEndArray();
            }
        });
    }

    private static TextClassification.Function function(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "softmax" -> TextClassification.Function.SOFTMAX;
            case "sigmoid" -> TextClassification.Function.SIGMOID;
            case "none" -> TextClassification.Function.NONE;
            default ->
                throw RequestException.validation(
                        "The parameter \"function_to_apply\" must be \"softmax\", \"sigmoid\" or \"none\".");
        };
    }
}
