package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.service.FillOptions;
import io.gatun.service.TextService;
import io.gatun.service.Truncation;
import io.gatun.task.MaskFill;
import java.util.List;
import java.util.Optional;

/** Hugging Face's pipeline {@code fill-mask}, with our {@code head} and {@code truncate}. */
final class FillMaskPipeline implements Pipeline {
    /** What a token for a mask takes of the heap beside its sequence. */
    private static final long HEAP_PER_FILL = 128;

    private final TextService service;

    FillMaskPipeline(TextService service) {
        this.service = service;
    }

    @Override
    public Reply answer(Asked asked, Optional<String> model, Fields fields) throws InterruptedException {
        Fields parameters = fields.object("parameters");
        Inputs inputs = Inputs.texts(
                fields.required("inputs", "{\"inputs\": \"Paris is the [MASK] of France.\"}"),
                service.limits().maxTexts());
        List<List<List<MaskFill>>> fills = service.masks()
                .fill(
                        asked.call(),
                        model,
                        fields.pipelineHead(),
                        inputs.asTexts(),
                        truncation(fields, parameters),
                        new FillOptions(
                                parameters.integer("top_k").orElse(FillOptions.DEFAULT.topK()), targets(parameters)));
        asked.reserve(heap(fills));
        // The pipeline, too, answers a batch of one as a text.
        return Reply.largeJson(Json.answers(fills.size() > 1, fills, MaskFill::write));
    }

    /** This pipeline, alone, has what it tells the tokenizer in an object of its own. */
    private static Truncation truncation(Fields fields, Fields parameters) {
        return parameters.object("tokenizer_kwargs").truncates() ? Truncation.RIGHT : fields.pipelineTruncation();
    }

    private static Optional<List<String>> targets(Fields parameters) {
        if (!parameters.has("targets")) {
            return Optional.empty();
        }
        String example = "{\"targets\": [\"a word\", \"another\"]}";
        JsonNode targets = parameters.required("targets", example);
        return Optional.of(targets.isTextual() ? List.of(targets.textValue()) : parameters.texts("targets", example));
    }

    private static long heap(List<List<List<MaskFill>>> fills) {
        return fills.stream()
                .flatMap(List::stream)
                .flatMap(List::stream)
                .mapToLong(fill -> HEAP_PER_FILL + fill.sequence().length())
                .sum();
    }
}
