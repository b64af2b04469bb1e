package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.service.Classified;
import io.gatun.service.ClassifiedDocuments;
import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.task.LabelScore;
import io.gatun.task.TextClassification;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Hugging Face's pipeline {@code text-classification}, with our {@code head} and windows: the best label unless {@code
 * top_k} is sent, and all of them where that is null. What Hugging Face's own client reads, for one text too, is a list of
 * lists of all labels.
 */
final class TextClassificationPipeline implements Pipeline {
    private final TextService service;

    TextClassificationPipeline(TextService service) {
        this.service = service;
    }

    @Override
    public Reply answer(Asked asked, Optional<String> model, Fields fields) throws InterruptedException {
        Fields parameters = fields.object("parameters");
        JsonNode given = fields.required("inputs", "{\"inputs\": \"a text\"}");
        boolean inferenceClient = asked.isInferenceClient();
        Inputs inputs = Inputs.documents(given, service.limits().maxTexts());
        OptionalInt topK = parameters.integer("top_k");
        if (topK.isPresent() && topK.getAsInt() < 1) {
            throw RequestException.validation("The parameter \"top_k\" must be above 0.");
        }
        Optional<TextClassification.Function> function =
                parameters.text("function_to_apply").map(TextClassificationPipeline::function);
        if (DocumentParameters.in(parameters)) {
            DocumentParameters document = DocumentParameters.of(parameters);
            ClassifiedDocuments documents = service.documents()
                    .classify(asked.call(), model, fields.pipelineHead(), inputs.all(), document.size());
            return new DocumentAnswers(document, documents, inputs.all(), function, topK.orElse(Integer.MAX_VALUE))
                    .reply(asked, inputs.batch() || inferenceClient);
        }
        Classified classified =
                service.classify(asked.call(), model, fields.pipelineHead(), inputs.all(), fields.pipelineTruncation());
        List<List<LabelScore>> scores = new ArrayList<>();
        for (float[] logits : classified.logits()) {
            List<LabelScore> all = function.isPresent()
                    ? TextClassification.scores(classified.head(), logits, function.get())
                    : TextClassification.scores(classified.head(), logits, false);
            scores.add(all.subList(0, Math.min(all.size(), topK.orElse(all.size()))));
        }
        boolean bestOnly = !inferenceClient && !parameters.names("top_k");
        // the pipeline answers one text with a list even where it tells the best label only
        boolean list = inputs.batch() || inferenceClient || (bestOnly && given.isTextual());
        return Reply.json(Json.answers(list, scores, (text, out) -> {
            if (bestOnly) {
                text.getFirst().write(out);
            } else {
                LabelScore.write(text, out);
            }
        }));
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
