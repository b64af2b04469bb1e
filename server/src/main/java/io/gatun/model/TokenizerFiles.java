package io.gatun.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.gatun.text.TokenizerException;
import io.gatun.text.WordPieceVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads a BERT tokenizer from {@code tokenizer.json} or, where that is missing, from {@code vocab.txt} and
 * {@code tokenizer_config.json}. One that does more than BERT's is refused: the model file could not say it.
 */
final class TokenizerFiles {
    private final Path folder;
    private final Map<Integer, String> tokens = new TreeMap<>();
    private final BitSet special = new BitSet();

    private TokenizerFiles(Path folder) {
        this.folder = folder;
    }

    /**
     * The vocabulary of a folder.
     *
     * @param size rows of the model's embedding table; ids that no token has are marked unused
     */
    static WordPieceVocabulary read(Path folder, int size) throws IOException {
        TokenizerFiles files = new TokenizerFiles(folder);
        WordPieceVocabulary.Normalizer normalizer = Files.exists(folder.resolve("tokenizer.json"))
                ? files.readTokenizerJson(HuggingFaceFolder.json(folder.resolve("tokenizer.json")))
                : files.readVocabulary();
        return files.vocabulary(size, normalizer);
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
        for (String token : Files.readAllLines(file)) {
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

    private void add(int id, String token) {
        if (id < 0 || token.indexOf('\0') >= 0) {
            throw refused("the token " + token + " has no place in a vocabulary");
        }
        tokens.put(id, token);
    }

    private WordPieceVocabulary vocabulary(int size, WordPieceVocabulary.Normalizer normalizer) {
        List<String> table = new ArrayList<>(size);
        BitSet unused = new BitSet();
        for (int id = 0; id < size; id++) {
            String token = tokens.get(id);
            unused.set(id, token == null);
            table.add(token == null ? "[PAD" + id + "]" : token);
        }
        if (!tokens.isEmpty() && ((TreeMap<Integer, String>) tokens).lastKey() >= size) {
            throw refused("it has more tokens than the model's " + size);
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
