package io.gatun.http;

import io.gatun.service.RequestException;
import io.gatun.service.TextService;
import io.gatun.service.TokenOptions;
import io.gatun.service.Truncation;
import io.gatun.task.Entity;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Hugging Face's pipeline {@code token-classification}, with our {@code head}, {@code threshold} and {@code truncate}. */
final class TokenClassificationPipeline implements Pipeline {
    /** What an entity takes of the heap, as an object and as text. */
    private static final long HEAP_PER_ENTITY = 256;

    private final TextService service;

    TokenClassificationPipeline(TextService service) {
        this.service = service;
    }

    @Override
    public Reply answer(Asked asked, Optional<String> model, Fields fields) throws InterruptedException {
        Fields parameters = fields.object("parameters");
        if (parameters.flag("is_split_into_words", false)) {
            throw RequestException.validation(
                    "The parameter \"is_split_into_words\" is not served; send each text as it is, in one piece.");
        }
        Inputs inputs = Inputs.texts(
                fields.required("inputs", "{\"inputs\": \"a text\"}"),
                service.limits().maxTexts());
        Truncation truncation = fields.truncation();
        List<List<Entity>> entities = service.tokens()
                .entities(
                        asked.call(),
                        model,
                        fields.pipelineHead(),
                        inputs.asTexts(),
                        parameters.has("truncate") ? parameters.truncation() : truncation,
                        options(parameters, parameters.text("aggregation_strategy"), parameters.integer("stride")));
        asked.reserve(HEAP_PER_ENTITY * entities.stream().mapToLong(List::size).sum());
        return Reply.largeJson(Json.answers(inputs.batch(), entities, Entity::write));
    }

    /** How labels become entities, as a call's fields say beside its strategy and its stride. */
    static TokenOptions options(Fields parameters, Optional<String> strategy, OptionalInt stride) {
        return TokenOptions.of(
                strategy,
                parameters.has("ignore_labels")
                        ? Optional.of(parameters.texts("ignore_labels", "{\"ignore_labels\": [\"O\"]}"))
                        : Optional.empty(),
                parameters.number("threshold"),
                stride);
    }
}
