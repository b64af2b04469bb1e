package io.gatun.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.gatun.text.TokenizerException;
import io.gatun.text.WordPieceVocabulary;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Reads a BERT tokenizer from {@code tokenizer.json} or, where that is missing, from {@code vocab.txt} and
 * {@code tokenizer_config.json}. One that does more than BERT's is refused: the model file could not say it.
 */
final class TokenizerFiles {
    private final Path folder;
    private final int size;
    private final Map<Integer, String> tokens = new HashMap<>();
    private final BitSet special = new BitSet();

    private TokenizerFiles(Path folder, int size) {
        this.folder = folder;
        this.size = size;
    }

    /**
     * The vocabulary of a folder.
     *
     * @param size rows of the model's embedding table; ids that no token has are marked unused
     */
    static WordPieceVocabulary read(Path folder, int size) throws IOException {
        TokenizerFiles files = new TokenizerFiles(folder, size);
        WordPieceVocabulary.Normalizer normalizer = Files.exists(folder.resolve("tokenizer.json"))
                ? files.readTokenizerJson(HuggingFaceFolder.json(folder.resolve("tokenizer.json")))
                : files.readVocabulary();
        return files.vocabulary(normalizer);
    }

    private WordPieceVocabulary.Normalizer readTokenizerJson(JsonNode json) {
        expect(json, "model", "type", "WordPiece");
        expect(json, "model", "continuing_subword_prefix", "##");
        expect(json, "model", "max_input_chars_per_word", "100");
        expect(json, "normalizer", "type", "BertNormalizer");
        expect(json, "pre_tokenizer", "type", "BertPreTokenizer");
        for (Map.Entry<String, JsonNode> token :
                json.path("model").path("vocab").properties()) {
            add(token.getValue().asInt(-1), token.getKey());
        }
        for (JsonNode token : json.path("added_tokens")) {
            if (!token.path("special").asBoolean()
                    || token.path("lstrip").asBoolean()
                    || token.path("rstrip").asBoolean()
                    || token.path("single_word").asBoolean()
                    || token.path("normalized").asBoolean()) {
                throw refused("the added token " + token.path("content") + " is no plain special token");
            }
            add(token.path("id").asInt(-1), token.path("content").asText());
            special.set(token.path("id").asInt());
        }
        String unknown = json.path("model").path("unk_token").asText();
        if (!unknown.equals("[UNK]")) {
            throw refused("its unknown token is " + unknown + ", not [UNK]");
        }
        expectTemplate(json.path("post_processor"));
        JsonNode normalizer = json.path("normalizer");
        boolean lowercase = normalizer.path("lowercase").asBoolean(true);
        return new WordPieceVocabulary.Normalizer(
                normalizer.path("clean_text").asBoolean(true),
                normalizer.path("handle_chinese_chars").asBoolean(true),
                normalizer.path("strip_accents").asBoolean(lowercase),
                lowercase);
    }

    private WordPieceVocabulary.Normalizer readVocabulary() throws IOException {
        Path file = folder.resolve("vocab.txt");
        if (!Files.exists(file)) {
            throw new ModelException("The folder " + folder + " has neither tokenizer.json nor vocab.txt.");
        }
        for (String token : lines(file)) {
            add(tokens.size(), token);
            if (List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]").contains(token)) {
                special.set(tokens.size() - 1);
            }
        }
        Path config = folder.resolve("tokenizer_config.json");
        JsonNode json = Files.exists(config) ? HuggingFaceFolder.json(config) : MissingNode.getInstance();
        boolean lowercase = json.path("do_lower_case").asBoolean(true);
        return new WordPieceVocabulary.Normalizer(
                true,
                json.path("tokenize_chinese_chars").asBoolean(true),
                json.path("strip_accents").asBoolean(lowercase),
                lowercase);
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw new ModelException(file + " is not in UTF-8; save it in that encoding.", e);
        }
    }

    private void add(int id, String token) {
        if (id < 0 || token.indexOf('\0') >= 0) {
            throw refused("the token " + token + " has no place in a vocabulary");
        }
        if (id >= size) {
            throw refused("the token " + token + " has the id " + id + " and the model has " + size + " tokens");
        }
        tokens.put(id, token);
    }

    private WordPieceVocabulary vocabulary(WordPieceVocabulary.Normalizer normalizer) {
        List<String> table = new ArrayList<>(size);
        BitSet unused = new BitSet();
        for (int id = 0; id < size; id++) {
            String token = tokens.get(id);
            unused.set(id, token == null);
            table.add(token == null ? "[PAD" + id + "]" : token);
        }
        try {
            return new WordPieceVocabulary(
                    table,
                    special,
                    unused,
                    normalizer,
                    new WordPieceVocabulary.SpecialIds(
                            table.indexOf("[UNK]"),
                            table.indexOf("[CLS]"),
                            table.indexOf("[SEP]"),
                            table.indexOf("[PAD]"),
                            table.indexOf("[MASK]")));
        } catch (TokenizerException e) {
            throw refused(String.valueOf(e.getMessage()));
        }
    }

    /** Special tokens around the texts, and a type for each, are built anew from the vocabulary: only BERT's can be. */
    private void expectTemplate(JsonNode processor) {
        String type = processor.path("type").asText("absent");
        switch (type) {
            case "BertProcessing" -> {
                expectAdded("[CLS]", processor.path("cls").path(1));
                expectAdded("[SEP]", processor.path("sep").path(1));
            }
            case "TemplateProcessing" -> {
                expectPieces(processor.path("single"), "[CLS]:0 $A:0 [SEP]:0");
                expectPieces(processor.path("pair"), "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1");
                for (String token : List.of("[CLS]", "[SEP]")) {
                    JsonNode ids = processor.path("special_tokens").path(token).path("ids");
                    expectAdded(token, ids.size() == 1 ? ids.path(0) : ids);
                }
            }
            default ->
                throw refused("its post_processor.type is " + type + ", not TemplateProcessing or BertProcessing");
        }
    }

    /** Compares a template in the short spelling of Hugging Face's library. */
    private void expectPieces(JsonNode template, String expected) {
        StringJoiner found = new StringJoiner(" ").setEmptyValue("nothing");
        for (JsonNode piece : template) {
            boolean text = piece.has("Sequence");
            JsonNode named = piece.path(text ? "Sequence" : "SpecialToken");
            found.add((text ? "$" : "") + named.path("id").asText() + ":" + named.path("type_id"));
        }
        if (!found.toString().equals(expected)) {
            throw refused("its post_processor makes " + found + ", not " + expected);
        }
    }

    private void expectAdded(String token, JsonNode id) {
        if (!token.equals(tokens.get(id.asInt(-1)))) {
            throw refused("its post_processor adds the token of id " + id + " for " + token);
        }
    }

    private void expect(JsonNode json, String part, String field, String value) {
        String found = json.path(part).path(field).asText("absent");
        if (!found.equals(value)) {
            throw refused(part + "." + field + " is " + found + ", not " + value);
        }
    }

    private ModelException refused(String how) {
        return new ModelException("The tokenizer in " + folder + " is none of BERT's: " + how + ".");
    }
}
