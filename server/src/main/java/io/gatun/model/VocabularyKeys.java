package io.gatun.model;

import io.gatun.kernel.GgufWriter;
import io.gatun.text.TokenizerException;
import io.gatun.text.WordPieceVocabulary;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A BERT vocabulary among the keys of a GGUF file, in llama.cpp's spelling: {@code ##x} is stored as {@code x}, the
 * start of a word with U+2581 before it, control tokens verbatim.
 */
final class VocabularyKeys {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final String OWN = "gatun.tokenizer.";
    private static final String WORD_START = "\u2581";
    private static final int NORMAL = 1;
    private static final int CONTROL = 3;
    private static final int UNUSED = 5;

    private VocabularyKeys() {}

    static void write(WordPieceVocabulary vocabulary, GgufWriter writer) {
        List<String> tokens = new ArrayList<>();
        int[] types = new int[vocabulary.tokens().size()];
        for (int id = 0; id < types.length; id++) {
            String token = vocabulary.tokens().get(id);
            types[id] =
                    vocabulary.unused().get(id) ? UNUSED : vocabulary.special().get(id) ? CONTROL : NORMAL;
            tokens.add(types[id] != NORMAL ? token : token.startsWith("##") ? token.substring(2) : WORD_START + token);
        }
        WordPieceVocabulary.SpecialIds ids = vocabulary.ids();
        writer.put(PREFIX + "model", "bert")
                .put(PREFIX + "pre", "bert-bge")
                .putStrings(PREFIX + "tokens", tokens)
                .putSigned(PREFIX + "token_type", types)
                .put(PREFIX + "bos_token_id", ids.cls())
                .put(PREFIX + "eos_token_id", ids.sep())
                .put(PREFIX + "cls_token_id", ids.cls())
                .put(PREFIX + "seperator_token_id", ids.sep())
                .put(PREFIX + "unknown_token_id", ids.unknown());
        if (ids.pad() >= 0) {
            writer.put(PREFIX + "padding_token_id", ids.pad());
        }
        if (ids.mask() >= 0) {
            writer.put(PREFIX + "mask_token_id", ids.mask());
        }
        WordPieceVocabulary.Normalizer normalizer = vocabulary.normalizer();
        writer.put(PREFIX + "normalizer.lowercase", normalizer.lowercase())
                .put(PREFIX + "normalizer.strip_accents", normalizer.stripAccents())
                .put(OWN + "clean_text", normalizer.cleanText())
                .put(OWN + "handle_chinese_chars", normalizer.handleChineseChars());
    }

    static WordPieceVocabulary read(GgufFile file) {
        String model = file.text(PREFIX + "model").orElse("absent");
        if (!model.equals("bert")) {
            throw new ModelException("its tokenizer is " + model + "; Gatun tokenizes BERT's word pieces");
        }
        List<String> stored = file.texts(PREFIX + "tokens");
        int[] types = file.integers(PREFIX + "token_type");
        if (types.length != 0 && types.length != stored.size()) {
            throw new ModelException("it has " + stored.size() + " tokens and " + types.length + " types of token");
        }
        List<String> tokens = new ArrayList<>(stored.size());
        BitSet special = new BitSet();
        BitSet unused = new BitSet();
        for (int id = 0; id < stored.size(); id++) {
            String token = stored.get(id);
            // Older files have no types; what is in brackets was left verbatim.
            int type = types.length > 0 ? types[id] : token.startsWith("[") && token.endsWith("]") ? CONTROL : NORMAL;
            special.set(id, type == CONTROL);
            unused.set(id, type == UNUSED);
            tokens.add(
                    type == CONTROL || type == UNUSED
                            ? token
                            : token.startsWith(WORD_START) ? token.substring(1) : "##" + token);
        }
        boolean lowercase = file.flag(PREFIX + "normalizer.lowercase").orElse(true);
        try {
            return new WordPieceVocabulary(
                    tokens,
                    special,
                    unused,
                    new WordPieceVocabulary.Normalizer(
                            file.flag(OWN + "clean_text").orElse(true),
                            file.flag(OWN + "handle_chinese_chars").orElse(true),
                            file.flag(PREFIX + "normalizer.strip_accents").orElse(lowercase),
                            lowercase),
                    new WordPieceVocabulary.SpecialIds(
                            id(file, "unknown", tokens.indexOf("[UNK]")),
                            id(file, "cls", id(file, "bos", tokens.indexOf("[CLS]"))),
                            id(file, "seperator", id(file, "eos", tokens.indexOf("[SEP]"))),
                            id(file, "padding", -1),
                            id(file, "mask", -1)));
        } catch (TokenizerException e) {
            throw new ModelException(String.valueOf(e.getMessage()), e);
        }
    }

    private static int id(GgufFile file, String name, int otherwise) {
        return file.integer(PREFIX + name + "_token_id").orElse(otherwise);
    }
}
