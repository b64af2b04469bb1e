package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.service.TextService;
import io.gatun.service.ZeroShotOptions;
import io.gatun.task.LabelScore;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Hugging Face's pipeline {@code zero-shot-classification}, with our {@code head}. Its own inference clients cannot read
 * what the pipeline gives: they are answered as Hugging Face's servers answer them, with a list of labels and scores.
 */
final class ZeroShotPipeline implements Pipeline {
    private static final String LABELS =
            "{\"inputs\": \"a text\", \"parameters\": {\"candidate_labels\": [\"sport\", \"politics\"]}}";

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
        boolean list = asked.isInferenceClient();
        return Reply.json(out -> {
            if (inputs.batch()) {
                out.writeStartArray();
            }
            for (int i = 0; i < texts.size(); i++) {
                if (list) {
                    LabelScore.write(scores.get(i), out);
                } else {
                    write(texts.get(i), scores.get(i), out);
                }
            }
            if (inputs.batch()) {
                out.writeEndArray();
            }
        });
    }

    private static List<String> labels(Fields parameters) {
        JsonNode labels = parameters.required("candidate_labels", LABELS);
        return labels.isTextual()
                ? ZeroShotOptions.split(labels.textValue())
                : parameters.texts("candidate_labels", LABELS);
    }

    private static void write(String text, List<LabelScore> scores, JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("sequence", text);
        out.writeArrayFieldStart("labels");
        for (LabelScore score : scores) {
            out.writeString(score.label());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("scores");
        for (LabelScore score : scores) {
            out.writeNumber(score.score());
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
