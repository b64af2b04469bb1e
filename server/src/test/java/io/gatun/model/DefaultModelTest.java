package io.gatun.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The embedded model's answers against those of its fp32 weights, on every reference text. */
final class DefaultModelTest {
    private static final List<String> HEADS = List.of("sentiment", "emotion", "toxicity", "entities");

    @Test
    void agreesWithFp32() {
        int[] equal = new int[HEADS.size()];
        int[] rows = new int[HEADS.size()];
        try (TextModel model = TextModel.load("default", ModelSource.embedded());
                Session session = Session.open(model.kernel(), new SessionLimits(512, 1))) {
            assertThat(model.description().heads()).extracting(Head::name).containsExactlyElementsOf(HEADS);
            for (JsonNode line : Checkpoints.lines("model/reference.jsonl")) {
                session.batch().clear();
                session.batch().add(Checkpoints.ints(line.get("ids")), null, 0b1111, false);
                session.run();
                for (Head head : model.description().heads()) {
                    float[] logits = session.logits(0, head.index());
                    float[] expected = Checkpoints.floats(line.get(head.name()));
                    int labels = head.labels().size();
                    assertThat(logits).hasSameSizeAs(expected);
                    for (int row = 0; row < logits.length; row += labels) {
                        rows[head.index()]++;
                        equal[head.index()] += largest(logits, row, labels) == largest(expected, row, labels) ? 1 : 0;
                    }
                }
            }
        }
        assertThat((double) equal[0] / rows[0]).as("sentiment label").isGreaterThanOrEqualTo(0.992);
        assertThat((double) equal[1] / rows[1]).as("top emotion").isGreaterThanOrEqualTo(0.985);
        assertThat((double) equal[2] / rows[2]).as("toxicity tags").isGreaterThanOrEqualTo(0.998);
        assertThat((double) equal[3] / rows[3]).as("entity tags").isGreaterThanOrEqualTo(0.998);
    }

    private static int largest(float[] values, int start, int count) {
        int best = start;
        for (int i = start; i < start + count; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best - start;
    }
}
