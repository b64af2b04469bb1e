package io.gatun.task;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/**
 * What a head for tokens found in a text: a token with its label, or several that belong together.
 *
 * @param label with {@code B-} or {@code I-} before it, as the head has it, only where it is a single token's
 * @param score a probability
 * @param index the place of the single token among those that the model read, special tokens counted; {@link #GROUP} of
 *     what tokens were grouped to
 * @param word what the tokens spell, which need not be what the text has from {@code start} to {@code end}
 * @param start where it starts in the text, in Unicode code points
 * @param end where it ends, exclusive
 */
public record Entity(String label, float score, int index, String word, int start, int end) {
    /** The index of what has none. */
    public static final int GROUP = -1;

    private int length() {
        return end - start;
    }

    /** Whether it starts within another. */
    boolean startsIn(Entity other) {
        return other.start <= start && start < other.end;
    }

    /** Whether of two that overlap this is the one to keep: the longer, or of the same length the surer. */
    boolean isBetterThan(Entity other) {
        return length() > other.length() || (length() == other.length() && score > other.score);
    }

    /** Writes what was found in a text as Hugging Face's pipeline does. */
    public static void write(List<Entity> entities, JsonGenerator out) throws IOException {
        out.writeStartArray();
        for (Entity entity : entities) {
            boolean single = entity.index != GROUP;
            out.writeStartObject();
            out.writeStringField(single ? "entity" : "entity_group", entity.label);
            out.writeNumberField("score", entity.score);
            if (single) {
                out.writeNumberField("index", entity.index);
            }
            out.writeStringField("word", entity.word);
            out.writeNumberField("start", entity.start);
            out.writeNumberField("end", entity.end);
            out.writeEndObject();
        }
        out.writeEndArray();
    }
}
