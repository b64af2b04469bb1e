package io.gatun.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.model.TextModel;
import io.gatun.text.Encoding;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The small checkpoints, run by the kernel alone: what all golden tests stand on. */
final class GoldenModelsTest {
    static final List<String> MODELS = GoldenModels.NAMES;

    @ParameterizedTest
    @FieldSource("MODELS")
    void windowsOfLongTextsHaveTheLogitsAndPlacesOfTransformers(String name) {
        List<GoldenCase> cases = GoldenCase.of(name, "text-classification", "documents.jsonl");
        assertThat(cases).hasSizeGreaterThan(15);
        try (TextModel model = GoldenModels.load(name, "text-classification", Compute.F32);
                Session session = Session.open(model.kernel(), new SessionLimits(128, 1))) {
            for (GoldenCase golden : cases) {
                Encoding whole =
                        model.tokenizer().encode(golden.call().path("inputs").asText(), true);
                ObjectNode answer = JsonNodeFactory.instance.objectNode();
                ArrayNode logits = answer.putArray("windows");
                ArrayNode spans = answer.putArray("spans");
                for (Encoding window : whole.windows(
                        golden.call().at("/parameters/max_length").asInt(),
                        golden.call().at("/parameters/stride").asInt())) {
                    session.batch().clear();
                    session.batch().add(window.ids(), model.typeIds(window), 1, false);
                    session.run();
                    ArrayNode row = logits.addArray();
                    for (float logit : session.logits(0, 0)) {
                        row.add(logit);
                    }
                    spans.addArray().add(window.starts()[1]).add(window.ends()[window.length() - 2]);
                }
                golden.assertAnswer(answer, 1e-4);
            }
        }
    }
}
