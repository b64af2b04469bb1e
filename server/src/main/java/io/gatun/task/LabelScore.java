package io.gatun.task;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/**
 * A label and how sure the model is of it. The order of the two is that of text-embeddings-inference's JSON.
 *
 * @param score a probability or, where raw scores were asked for and in a regression, the logit
 */
public record LabelScore(float score, String label) {
    /** Writes the scores of one text as {@code [{"score":…,"label":…},…]}. */
    public static void write(List<LabelScore> scores, JsonGenerator out) throws IOException {
        out.writeStartArray();
        for (LabelScore score : scores) {
            score.write(out);
        }
        out.writeEndArray();
    }

    /** Writes {@code {"score":…,"label":…}}. */
    public void write(JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeNumberField("score", score);
        out.writeStringField("label", label);
        out.writeEndObject();
    }
}
