package io.gatun.task;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/**
 * A token for a mask.
 *
 * @param score how likely it is, of all tokens of the vocabulary
 * @param text the token as text
 * @param sequence the text with the token in the mask's place
 */
public record MaskFill(float score, int token, String text, String sequence) {
    /**
     * Writes what Hugging Face's {@code FillMaskPipeline} gives for one text: {@code [{"score", "token", "token_str",
     * "sequence"}]} or, with several masks, a list of such lists.
     */
    public static void write(List<List<MaskFill>> masks, JsonGenerator out) throws IOException {
        if (masks.size() == 1) {
            writeMask(masks.getFirst(), out);
            return;
        }
        out.writeStartArray();
        for (List<MaskFill> mask : masks) {
            writeMask(mask, out);
        }
        out.writeEndArray();
    }

    private static void writeMask(List<MaskFill> fills, JsonGenerator out) throws IOException {
        out.writeStartArray();
        for (MaskFill fill : fills) {
            out.writeStartObject();
            out.writeNumberField("score", fill.score);
            out.writeNumberField("token", fill.token);
            out.writeStringField("token_str", fill.text);
            out.writeStringField("sequence", fill.sequence);
            out.writeEndObject();
        }
        out.writeEndArray();
    }
}
