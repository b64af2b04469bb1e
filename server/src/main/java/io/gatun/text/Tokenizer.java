package io.gatun.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Hugging Face's own tokenizer library. It never cuts and never pads; {@link Encoding#truncate} cuts. Thread-safe; holds
 * native memory of the library's until it is closed.
 */
public final class Tokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;
    /** Shared by those who use the native memory; who frees it has it alone. */
    private final ReadWriteLock inUse = new ReentrantReadWriteLock();

    private boolean closed;

    private Tokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * Reads a {@code tokenizer.json}.
     *
     * @throws TokenizerException when the file is none, or the library could not be unpacked
     */
    public static Tokenizer fromJson(Path tokenizerJson) {
        try {
            return fromJson(Files.readString(tokenizerJson));
        } catch (IOException e) {
            throw new TokenizerException("The tokenizer " + tokenizerJson + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Builds the pipeline that every BERT tokenizer has from its vocabulary. */
    public static Tokenizer fromVocabulary(WordPieceVocabulary vocabulary) {
        return fromJson(vocabulary.toTokenizerJson());
    }

    private static Tokenizer fromJson(String json) {
        TokenizerLibrary.load();
        try {
            return new Tokenizer(HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
                    Map.of("truncation", "false", "padding", "false")));
        } catch (IOException | RuntimeException | LinkageError e) {
            throw new TokenizerException("The tokenizer could not be made: " + e.getMessage(), e);
        }
    }

    /**
     * Tokenizes a text.
     *
     * @throws TokenizerException when it is not valid Unicode
     */
    public Encoding encode(String text, boolean addSpecialTokens) {
        check(text);
        return use(() -> convert(tokenizer.encode(text, addSpecialTokens, false)));
    }

    /** Tokenizes two texts as one input, special tokens added. */
    public Encoding encodePair(String first, String second) {
        check(first);
        check(second);
        return use(() -> convert(tokenizer.encode(first, second, true, false)));
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

    private static Encoding convert(ai.djl.huggingface.tokenizers.Encoding encoding) {
        long[] ids = encoding.getIds();
        long[] types = encoding.getTypeIds();
        long[] special = encoding.getSpecialTokenMask();
        CharSpan[] spans = encoding.getCharTokenSpans();
        Encoding converted = new Encoding(
                new int[ids.length],
                new int[ids.length],
                new int[ids.length],
                new int[ids.length],
                new boolean[ids.length]);
        for (int i = 0; i < ids.length; i++) {
            converted.ids()[i] = (int) ids[i];
            converted.typeIds()[i] = (int) types[i];
            converted.special()[i] = special[i] != 0;
            if (spans[i] != null) {
                converted.starts()[i] = spans[i].getStart();
                converted.ends()[i] = spans[i].getEnd();
            }
        }
        return converted;
    }
}
