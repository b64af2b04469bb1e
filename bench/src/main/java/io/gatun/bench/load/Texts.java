package io.gatun.bench.load;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * What servers are asked. The words are those of a few reviews, each one token of BERT's uncased vocabulary, so that a
 * text's tokens are its words and the two special ones.
 *
 * @param name what they are, in a word
 */
public record Texts(String name, List<String> all) {
    private static final List<String> WORDS = read("words.txt");
    private static final int SPECIAL_TOKENS = 2;
    private static final int EQUAL_TEXTS = 500;
    private static final long SEED = 2026;

    /** 2,000 texts as long as posts and comments are: 3 to 256 tokens, half of them at most 21, one in a hundred over 185. */
    public static Texts mixed() {
        return new Texts(
                "mixed",
                of(read("lengths.txt").stream().mapToInt(Integer::parseInt).toArray()));
    }

    /** Texts of one length. */
    public static Texts ofTokens(int tokens) {
        return new Texts(
                tokens + " tokens",
                of(IntStream.generate(() -> tokens).limit(EQUAL_TEXTS).toArray()));
    }

    public int size() {
        return all.size();
    }

    /** Each starts at another word: no two are the same but by chance. */
    private static List<String> of(int[] lengths) {
        Random random = new Random(SEED);
        return Arrays.stream(lengths)
                .mapToObj(length -> words(random.nextInt(WORDS.size()), length - SPECIAL_TOKENS))
                .toList();
    }

    private static String words(int start, int count) {
        return String.join(
                " ",
                IntStream.range(start, start + Math.max(1, count))
                        .mapToObj(i -> WORDS.get(i % WORDS.size()))
                        .toList());
    }

    private static List<String> read(String resource) {
        try (InputStream stream = Objects.requireNonNull(Texts.class.getResourceAsStream(resource))) {
            String whole = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            return Collections.unmodifiableList(Arrays.asList(whole.strip().split("\\s+", -1)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
