package io.gatun.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.BitSet;
import java.util.List;

/**
 * All that a BERT tokenizer is: its word pieces and the switches of its normalizer. From it comes the pipeline that
 * every such {@code tokenizer.json} describes: BertNormalizer, BertPreTokenizer, WordPiece with at most
 * {@value #MAX_WORD_CHARACTERS} characters a word, and the template [CLS] a [SEP] b [SEP].
 *
 * @param tokens by id, in Hugging Face's spelling: {@code ##x} continues a word
 * @param special ids of the tokens that a text may name verbatim and that no text is split into: [CLS] and its like
 * @param unused ids of places in the table that no token has
 */
public record WordPieceVocabulary(
        List<String> tokens, BitSet special, BitSet unused, Normalizer normalizer, SpecialIds ids) {
    static final int MAX_WORD_CHARACTERS = 100;

    /** The switches of Hugging Face's BertNormalizer. {@code stripAccents} is resolved: never "as lowercase". */
    public record Normalizer(boolean cleanText, boolean handleChineseChars, boolean stripAccents, boolean lowercase) {}

    /** The ids of the tokens that the pipeline itself uses; {@code pad} and {@code mask} are -1 when there is none. */
    public record SpecialIds(int unknown, int cls, int sep, int pad, int mask) {}

    public WordPieceVocabulary {
        tokens = List.copyOf(tokens);
        for (int id : new int[] {ids.unknown(), ids.cls(), ids.sep()}) {
            if (id < 0 || id >= tokens.size()) {
                throw new TokenizerException("The vocabulary of " + tokens.size() + " tokens has no special token " + id
                        + "; a BERT vocabulary names its unknown, [CLS] and [SEP] tokens.");
            }
        }
    }

    /** The {@code tokenizer.json} that Hugging Face's library reads. */
    String toTokenizerJson() {
        StringWriter text = new StringWriter(32 * tokens.size());
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("version", "1.0");
            json.writeNullField("truncation");
            json.writeNullField("padding");
            writeAddedTokens(json);
            writeNormalizer(json);
            json.writeObjectFieldStart("pre_tokenizer");
            json.writeStringField("type", "BertPreTokenizer");
            json.writeEndObject();
            writeTemplate(json);
            json.writeObjectFieldStart("decoder");
            json.writeStringField("type", "WordPiece");
            json.writeStringField("prefix", "##");
            json.writeBooleanField("cleanup", true);
            json.writeEndObject();
            writeModel(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new AssertionError("writing to a string", e);
        }
        return text.toString();
    }

    private void writeAddedTokens(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("added_tokens");
        for (int id = special.nextSetBit(0); id >= 0; id = special.nextSetBit(id + 1)) {
            json.writeStartObject();
            json.writeNumberField("id", id);
            json.writeStringField("content", tokens.get(id));
            json.writeBooleanField("single_word", false);
            json.writeBooleanField("lstrip", false);
            json.writeBooleanField("rstrip", false);
            json.writeBooleanField("normalized", false);
            json.writeBooleanField("special", true);
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void writeNormalizer(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("normalizer");
        json.writeStringField("type", "BertNormalizer");
        json.writeBooleanField("clean_text", normalizer.cleanText());
        json.writeBooleanField("handle_chinese_chars", normalizer.handleChineseChars());
        json.writeBooleanField("strip_accents", normalizer.stripAccents());
        json.writeBooleanField("lowercase", normalizer.lowercase());
        json.writeEndObject();
    }

    private void writeTemplate(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("post_processor");
        json.writeStringField("type", "TemplateProcessing");
        json.writeArrayFieldStart("single");
        writePiece(json, "SpecialToken", tokens.get(ids.cls()), 0);
        writePiece(json, "Sequence", "A", 0);
        writePiece(json, "SpecialToken", tokens.get(ids.sep()), 0);
        json.writeEndArray();
        json.writeArrayFieldStart("pair");
        writePiece(json, "SpecialToken", tokens.get(ids.cls()), 0);
        writePiece(json, "Sequence", "A", 0);
        writePiece(json, "SpecialToken", tokens.get(ids.sep()), 0);
        writePiece(json, "Sequence", "B", 1);
        writePiece(json, "SpecialToken", tokens.get(ids.sep()), 1);
        json.writeEndArray();
        json.writeObjectFieldStart("special_tokens");
        for (int id : new int[] {ids.cls(), ids.sep()}) {
            json.writeObjectFieldStart(tokens.get(id));
            json.writeStringField("id", tokens.get(id));
            json.writeArrayFieldStart("ids");
            json.writeNumber(id);
            json.writeEndArray();
            json.writeArrayFieldStart("tokens");
            json.writeString(tokens.get(id));
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void writePiece(JsonGenerator json, String kind, String id, int type) throws IOException {
        json.writeStartObject();
        json.writeObjectFieldStart(kind);
        json.writeStringField("id", id);
        json.writeNumberField("type_id", type);
        json.writeEndObject();
        json.writeEndObject();
    }

    private void writeModel(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("model");
        json.writeStringField("type", "WordPiece");
        json.writeStringField("unk_token", tokens.get(ids.unknown()));
        json.writeStringField("continuing_subword_prefix", "##");
        json.writeNumberField("max_input_chars_per_word", MAX_WORD_CHARACTERS);
        json.writeObjectFieldStart("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            if (!unused.get(id)) {
                json.writeNumberField(tokens.get(id), id);
            }
        }
        json.writeEndObject();
        json.writeEndObject();
    }
}
