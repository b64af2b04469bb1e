package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.service.TextService;
import io.gatun.service.ZeroShotOptions;
import io.gatun.task.LabelScore;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Hugging Face's pipeline {@code zero-shot-classification}, with our {@code head}. Its own inference clients cannot read
 * what the pipeline gives: they are answered as Hugging Face's servers answer them, with a list of labels and scores.
 */
final class ZeroShotPipeline implements Pipeline {
    private static final String LABELS =
            "{\"inputs\": \"a text\", \"parameters\": {\"candidate_labels\": [\"sport\", \"politics\"]}}";

    /** A text and its labels, the best first. */
    private record Scored(String text, List<LabelScore> scores) {}

    private final TextService service;

    ZeroShotPipeline(TextService service) {
        this.service = service;
    }

    @Override
    public Reply answer(Asked asked, Optional<String> model, Fields fields) throws InterruptedException {
        Fields parameters = fields.object("parameters");
        Inputs inputs =
                Inputs.texts(fields.required("inputs", LABELS), service.limits().maxTexts());
        List<String> texts = inputs.asTexts();
        ZeroShotOptions options = new ZeroShotOptions(
                labels(parameters),
                parameters.text("hypothesis_template").orElse(ZeroShotOptions.HYPOTHESIS_TEMPLATE),
                parameters.flag("multi_label", false));
        List<List<LabelScore>> scores =
                service.zeroShot().classify(asked.call(), model, fields.pipelineHead(), texts, options);
        if (asked.isInferenceClient()) {
            return Reply.json(Json.answers(inputs.batch(), scores, LabelScore::write));
        }
        List<Scored> scored = IntStream.range(0, texts.size())
                .mapToObj(i -> new Scored(texts.get(i), scores.get(i)))
                .toList();
        return Reply.json(Json.answers(inputs.batch(), scored, ZeroShotPipeline::write));
    }

    private static List<String> labels(Fields parameters) {
        JsonNode labels = parameters.required("candidate_labels", LABELS);
        return labels.isTextual()
                ? ZeroShotOptions.split(labels.textValue())
                : parameters.texts("candidate_labels", LABELS);
    }

    private static void write(Scored scored, JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("sequence", scored.text);
        out.writeArrayFieldStart("labels");
        for (LabelScore score : scored.scores) {
            out.writeString(score.label());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("scores");
        for (LabelScore score : scored.scores) {
            out.writeNumber(score.score());
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
