package io.gatun.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * One batch that every engine computes.
 *
 * @param name sequences by tokens, as {@code 8x32}, or {@code mixed}
 * @param sequences {@code [token]}, each from [CLS] to [SEP], as long as its text
 */
public record Shape(String name, List<int[]> sequences) {
    public static final String MIXED = "mixed";

    private static final List<String> SIZES = List.of("1x8", "1x16", "1x32", "1x64", "1x128", "1x512", "8x32", "8x128");

    /**
     * The shapes that are compared. Those of a size hold the texts of {@code mixed.txt} one behind the other, cut where
     * a sequence is full.
     *
     * @param tokenize gives a text's ids, from [CLS] to [SEP]
     */
    public static List<Shape> all(Function<String, int[]> tokenize) {
        List<int[]> texts = texts().stream().map(tokenize).toList();
        List<Shape> shapes = new ArrayList<>();
        for (String size : SIZES) {
            int by = size.indexOf('x');
            shapes.add(cut(
                    size, Integer.parseInt(size.substring(0, by)), Integer.parseInt(size.substring(by + 1)), texts));
        }
        shapes.add(new Shape(MIXED, texts));
        return shapes;
    }

    /**
     * The shape of that name.
     *
     * @throws java.util.NoSuchElementException when there is none
     */
    static Shape named(String name, Function<String, int[]> tokenize) {
        return all(tokenize).stream()
                .filter(shape -> shape.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** The texts of {@code mixed}: 16, from 4 to 128 tokens, one a line. */
    public static List<String> texts() {
        try (InputStream stream = Objects.requireNonNull(Shape.class.getResourceAsStream("mixed.txt"))) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Shape cut(String name, int count, int length, List<int[]> texts) {
        int[] run = texts.stream()
                .flatMapToInt(ids -> Arrays.stream(ids, 1, ids.length - 1))
                .toArray();
        List<int[]> sequences = new ArrayList<>();
        int next = 0;
        for (int s = 0; s < count; s++) {
            int[] sequence = new int[length];
            sequence[0] = texts.getFirst()[0];
            for (int i = 1; i < length - 1; i++) {
                sequence[i] = run[next++ % run.length];
            }
            sequence[length - 1] = texts.getFirst()[texts.getFirst().length - 1];
            sequences.add(sequence);
        }
        return new Shape(name, List.copyOf(sequences));
    }

    /** Tokens that say something: padding is none. */
    public int tokens() {
        return sequences.stream().mapToInt(ids -> ids.length).sum();
    }

    /** The longest sequence, to which an engine that takes rectangles pads the others. */
    public int longest() {
        return sequences.stream().mapToInt(ids -> ids.length).max().orElse(0);
    }

    /**
     * The multiplies that the answer of a classifier of texts needs: all of a layer's matrices for each token, but in
     * the last layer, of which only [CLS] is read, keys and values for each token and the rest for one row a sequence.
     * Attention's own products and the classifier are not counted.
     *
     * @param wide the feed-forward's width
     */
    public long neededMultiplies(int layers, int width, int wide) {
        long square = (long) width * width;
        long rest = 2 * square + 2L * width * wide; // query and attention's output, and the feed-forward
        return tokens() * (layers * 2L * square + (layers - 1) * rest) + sequences.size() * rest;
    }
}
