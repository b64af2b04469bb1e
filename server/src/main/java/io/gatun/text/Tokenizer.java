package io.gatun.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Hugging Face's own tokenizer library. It never cuts and never pads; {@link Encoding#truncate} cuts. Thread-safe; holds
 * native memory of the library's until it is closed.
 */
public final class Tokenizer implements AutoCloseable {
    private static final TokenizersLibrary LIB = TokenizersLibrary.LIB;

    private final HuggingFaceTokenizer tokenizer;
    private final TokenTable table;
    /** Shared by those who use the native memory; who frees it has it alone. */
    private final ReadWriteLock inUse = new ReentrantReadWriteLock();

    private boolean closed;

    private Tokenizer(HuggingFaceTokenizer tokenizer, TokenTable table) {
        this.tokenizer = tokenizer;
        this.table = table;
    }

    /**
     * Reads a {@code tokenizer.json}.
     *
     * @throws TokenizerException when the file is none, or the library could not be unpacked
     */
    public static Tokenizer fromJson(Path tokenizerJson) {
        try {
            String json = Files.readString(tokenizerJson);
            return create(json, table(new ObjectMapper().readTree(json)));
        } catch (IOException e) {
            throw new TokenizerException("The tokenizer " + tokenizerJson + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Builds the pipeline that every BERT tokenizer has from its vocabulary. */
    public static Tokenizer fromVocabulary(WordPieceVocabulary vocabulary) {
        return create(vocabulary.toTokenizerJson(), new TokenTable(vocabulary.tokens(), vocabulary.unused()));
    }

    private static Tokenizer create(String json, TokenTable table) {
        TokenizerLibrary.load();
        try {
            HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
                    Map.of("truncation", "false", "padding", "false"));
            return new Tokenizer(tokenizer, table);
        } catch (IOException | RuntimeException | LinkageError e) {
            throw new TokenizerException("The tokenizer could not be made: " + e.getMessage(), e);
        }
    }

    private static TokenTable table(JsonNode json) {
        TreeMap<Integer, String> tokens = new TreeMap<>();
        for (Map.Entry<String, JsonNode> token :
                json.path("model").path("vocab").properties()) {
            tokens.put(token.getValue().asInt(), token.getKey());
        }
        for (JsonNode token : json.path("added_tokens")) {
            tokens.put(token.path("id").asInt(), token.path("content").asText());
        }
        BitSet unused = new BitSet();
        List<String> all = new ArrayList<>();
        for (Map.Entry<Integer, String> token : tokens.entrySet()) {
            for (int id = all.size(); id < token.getKey(); id++) {
                unused.set(id);
                all.add("");
            }
            all.add(token.getValue());
        }
        return new TokenTable(all, unused);
    }

    /** The id of a token, spelt as in the vocabulary ({@code ##x} continues a word), if the vocabulary has it. */
    public OptionalInt idOf(String token) {
        return table.idOf(token);
    }

    /**
     * The token of an id, spelt as in the vocabulary.
     *
     * @throws IndexOutOfBoundsException when the vocabulary has none of that id
     */
    public String tokenOf(int id) {
        return table.tokenOf(id);
    }

    /**
     * Tokenizes a text.
     *
     * @throws TokenizerException when it is not valid Unicode
     */
    public Encoding encode(String text, boolean addSpecialTokens) {
        check(text);
        return use(() -> read(LIB.encode(tokenizer.getHandle(), text, addSpecialTokens), true));
    }

    /** Tokenizes a text for a model, special tokens added, without where its tokens are: all starts, ends and words are 0. */
    public Encoding encodeForModel(String text) {
        check(text);
        return use(() -> read(LIB.encode(tokenizer.getHandle(), text, true), false));
    }

    /** As {@link #encodeForModel(String)}, two texts as one input. */
    public Encoding encodeForModel(String first, String second) {
        check(first);
        check(second);
        return use(() -> read(LIB.encodeDual(tokenizer.getHandle(), first, second, true), false));
    }

    /** Tokenizes two texts as one input, special tokens added. */
    public Encoding encodePair(String first, String second) {
        check(first);
        check(second);
        return use(() -> read(LIB.encodeDual(tokenizer.getHandle(), first, second, true), true));
    }

    /** Joins tokens to a text. An id that the vocabulary lacks gives nothing. */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            wide[i] = ids[i];
        }
        return use(() -> tokenizer.decode(wide, skipSpecialTokens));
    }

    private <T> T use(Supplier<T> call) {
        inUse.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("the tokenizer is closed");
            }
            return call.get();
        } finally {
            inUse.readLock().unlock();
        }
    }

    /** Waits for the texts that are being tokenized. A second call does nothing. */
    @Override
    public void close() {
        inUse.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                tokenizer.close();
            }
        } finally {
            inUse.writeLock().unlock();
        }
    }

    /** The library would silently drop half of a surrogate pair, and shift every offset behind it. */
    private static void check(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isHighSurrogate(c)
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1))) {
                    i++;
                } else {
                    throw new TokenizerException(
                            "The text is not valid Unicode: the character at position %d is the lone surrogate \\u%04X; send both halves of a pair, or none."
                                    .formatted(text.codePointCount(0, i), (int) c));
                }
            }
        }
    }

    /**
     * Reads what the library made of a text, and frees it. The library's own Java copies everything that it knows of each
     * token, names included, which takes longer than to tokenize a short text.
     */
    private static Encoding read(long encoding, boolean offsets) {
        try {
            int[] ids = ints(LIB.getTokenIds(encoding));
            int[] starts = new int[ids.length];
            int[] ends = new int[ids.length];
            int[] words = new int[ids.length];
            if (offsets) {
                CharSpan[] spans = LIB.getTokenCharSpans(encoding);
                for (int i = 0; i < ids.length; i++) {
                    if (spans[i] != null) {
                        starts[i] = spans[i].getStart();
                        ends[i] = spans[i].getEnd();
                    }
                }
                words = ints(LIB.getWordIds(encoding));
            }
            return new Encoding(
                    ids, ints(LIB.getTypeIds(encoding)), starts, ends, words, flags(LIB.getSpecialTokenMask(encoding)));
        } finally {
            LIB.deleteEncoding(encoding);
        }
    }

    private static int[] ints(long[] wide) {
        int[] values = new int[wide.length];
        for (int i = 0; i < wide.length; i++) {
            values[i] = (int) wide[i];
        }
        return values;
    }

    private static boolean[] flags(long[] wide) {
        boolean[] values = new boolean[wide.length];
        for (int i = 0; i < wide.length; i++) {
            values[i] = wide[i] != 0;
        }
        return values;
    }
}
