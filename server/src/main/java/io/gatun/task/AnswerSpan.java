package io.gatun.task;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/**
 * An answer to a question, as it stands in the context. The fields and their order are those of Hugging Face's JSON.
 *
 * @param score how sure the model is; of an answer that was found in several places or windows it is their sum
 * @param start where it begins in the context, in Unicode code points
 * @param end where it ends, exclusive
 * @param answer the piece itself; empty where there is no answer
 */
public record AnswerSpan(float score, int start, int end, String answer) {
    /** Writes one as {@code {"score":…,"start":…,"end":…,"answer":…}}, and any other number of them as a list. */
    public static void write(List<AnswerSpan> answers, JsonGenerator out) throws IOException {
        if (answers.size() == 1) {
            answers.getFirst().write(out);
            return;
        }
        out.writeStartArray();
        for (AnswerSpan answer : answers) {
            answer.write(out);
        }
        out.writeEndArray();
    }

    private void write(JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeNumberField("score", score);
        out.writeNumberField("start", start);
        out.writeNumberField("end", end);
        out.writeStringField("answer", answer);
        out.writeEndObject();
    }
}
