package io.gatun.service;

import io.gatun.metrics.Metrics;
import io.gatun.model.TextModel;
import io.gatun.text.CodePoints;
import io.gatun.text.Encoding;
import io.gatun.text.Tokenizer;
import io.gatun.text.TruncationDirection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;

/** A request's texts to tokens, within the limits, and back. Thread-safe. */
final class Encoder {
    /** Tokens of a request's windows: minutes of work. */
    static final long MAX_WINDOW_TOKENS = 1 << 20;
    /** Of all texts of a request; one of 100,000 words has some hundreds. */
    private static final int MAX_WINDOWS = 8192;

    private static final String WINDOWS = ", or a \"stride\" to have all of it read in windows";

    private final Tokenization tokenization;
    private final Inference inference;
    private final Metrics metrics;
    private final ServiceLimits limits;

    Encoder(Tokenization tokenization, Inference inference, Metrics metrics, ServiceLimits limits) {
        this.tokenization = tokenization;
        this.inference = inference;
        this.metrics = metrics;
        this.limits = limits;
    }

    /** Tokenizes for the kernel: no text is longer than the model reads. */
    List<Encoding> encode(Call call, ServedModel served, List<Input> inputs, Truncation truncation)
            throws InterruptedException {
        begins(call, served, inputs.size());
        inference.checkRoom(call, served, inputs, false);
        TextModel model = served.model();
        List<Encoding> encodings = tokenization.run(characters(inputs), call.caller(), () -> {
            List<Encoding> all = new ArrayList<>(inputs.size());
            for (int i = 0; i < inputs.size(); i++) {
                String place = place(inputs, i);
                all.add(fitted(model, place, encoding(model, place, inputs.get(i)), truncation, ""));
            }
            return all;
        });
        encodings.forEach(encoding -> call.timings().addTokens(encoding.length()));
        call.timings().tokenizationEnds(System.nanoTime());
        return encodings;
    }

    /** Tokenizes texts of any length, with where their tokens are: to be cut into windows before the kernel sees them. */
    List<Encoding> encodeWhole(Call call, ServedModel served, List<Input> inputs) throws InterruptedException {
        begins(call, served, inputs.size());
        inference.checkRoom(call, served, inputs, true);
        Tokenizer tokenizer = served.model().tokenizer();
        List<Encoding> encodings = tokenization.run(
                characters(inputs),
                call.caller(),
                () -> inputs.stream()
                        .map(input -> switch (input) {
                            case Input.Text(String text) -> tokenizer.encode(text, true);
                            case Input.Pair(String first, String second) -> tokenizer.encodePair(first, second);
                            case Input.Tokens(int[] ids) -> served.model().encoding(ids);
                        })
                        .toList());
        call.timings().tokenizationEnds(System.nanoTime());
        return encodings;
    }

    /** As {@link #encode}, with where the tokens are in their texts; for tasks that read long texts in windows, too. */
    List<Encoding> encodeWithOffsets(Call call, ServedModel served, List<Input> inputs, Truncation truncation)
            throws InterruptedException {
        List<Encoding> whole = encodeWhole(call, served, inputs);
        List<Encoding> encodings = new ArrayList<>(whole.size());
        for (int i = 0; i < whole.size(); i++) {
            encodings.add(fitted(served.model(), place(inputs, i), whole.get(i), truncation, WINDOWS));
        }
        encodings.forEach(encoding -> call.timings().addTokens(encoding.length()));
        return encodings;
    }

    /**
     * Texts of any length in windows that the model reads.
     *
     * @throws RequestException when the windows are longer than the model reads, have no room for the stride, or are too
     *     many
     */
    List<List<Encoding>> encodeWindows(Call call, ServedModel served, List<Input> inputs, WindowSize size)
            throws InterruptedException {
        TextModel model = served.model();
        int most = Math.min(model.maxTokens(), limits.maxTokens());
        int room = size.tokens().orElse(most);
        if (room < 1 || room > most) {
            throw RequestException.validation("The parameter \"max_length\" must be from 1 to " + most + ", and not "
                    + room + ": more tokens the model \"" + served.name() + "\" does not read at once.");
        }
        int stride = size.stride();
        List<Encoding> whole = encodeWhole(call, served, inputs);
        for (Encoding encoding : whole) {
            int ofText = encoding.room(room);
            if (ofText < 1) {
                throw RequestException.validation(
                        "A window of " + room
                                + " tokens has no room for the text; send a larger \"max_length\" or, of a pair, a shorter first text.");
            }
            if (stride < 0 || stride >= ofText) {
                throw RequestException.validation("The parameter \"stride\" must be from 0 to " + (ofText - 1)
                        + ", and not " + stride + ": a window of the model \"" + served.name() + "\" has " + ofText
                        + " tokens of a text.");
            }
        }
        int windowCount = whole.stream()
                .mapToInt(encoding -> encoding.windowCount(room, stride))
                .sum();
        if (windowCount > Math.max(MAX_WINDOWS, whole.size())) {
            throw RequestException.validation("With a stride of " + stride + " the request has " + windowCount
                    + " windows, more than the limit of " + MAX_WINDOWS
                    + "; send a smaller stride, or fewer or shorter texts.");
        }
        long tokens = 0;
        for (Encoding encoding : whole) {
            tokens += (long) encoding.windowCount(room, stride) * Math.min(room, encoding.length());
        }
        if (tokens > MAX_WINDOW_TOKENS) {
            throw RequestException.validation("In windows with a stride of " + stride + " the request has " + tokens
                    + " tokens, more than the limit of " + MAX_WINDOW_TOKENS
                    + "; send a smaller stride, or fewer or shorter texts.");
        }
        whole.forEach(encoding -> count(model, encoding));
        List<List<Encoding>> windows =
                whole.stream().map(encoding -> encoding.windows(room, stride)).toList();
        windows.forEach(text -> text.forEach(window -> call.timings().addTokens(window.length())));
        return windows;
    }

    private static String place(List<Input> inputs, int index) {
        return inputs.size() == 1 ? "The input" : "inputs[" + index + "]";
    }

    /**
     * Tokenizes pairs for the kernel, a text once in however many pairs it is. Of a pair that is longer than the model
     * reads the first text is cut at its end, as Hugging Face's {@code only_first} does.
     *
     * @throws RequestException when a second text alone is too long
     */
    List<Encoding> encodePairs(Call call, ServedModel served, List<Input.Pair> pairs) throws InterruptedException {
        begins(call, served, pairs.size());
        inference.checkRoom(call, served, List.copyOf(pairs), false);
        TextModel model = served.model();
        Set<String> texts = new LinkedHashSet<>();
        for (Input.Pair pair : pairs) {
            texts.add(pair.first());
            texts.add(pair.second());
        }
        Map<String, Encoding> parts = each(call, texts, model.tokenizer()::encodeForModel);
        List<Encoding> encodings = new ArrayList<>(pairs.size());
        for (Input.Pair pair : pairs) {
            Encoding second = Objects.requireNonNull(parts.get(pair.second()));
            encodings.add(fitted(model, Objects.requireNonNull(parts.get(pair.first())), second, pair));
        }
        encodings.forEach(encoding -> call.timings().addTokens(encoding.length()));
        call.timings().tokenizationEnds(System.nanoTime());
        return encodings;
    }

    /**
     * Tokenizes texts of any length, each once, with where its tokens are: what inputs are put together from, in windows.
     *
     * @param inputs how many
     */
    Map<String, Encoding> encodeEach(Call call, ServedModel served, int inputs, Set<String> texts)
            throws InterruptedException {
        begins(call, served, inputs);
        inference.checkRoom(call, served, Input.texts(texts), true);
        Tokenizer tokenizer = served.model().tokenizer();
        Map<String, Encoding> encodings = each(call, texts, text -> tokenizer.encode(text, true));
        encodings.values().forEach(encoding -> count(served.model(), encoding));
        call.timings().tokenizationEnds(System.nanoTime());
        return encodings;
    }

    private Map<String, Encoding> each(Call call, Set<String> texts, Function<String, Encoding> encode)
            throws InterruptedException {
        long characters = texts.stream().mapToLong(String::length).sum();
        return tokenization.run(characters, call.caller(), () -> {
            Map<String, Encoding> encodings = new HashMap<>();
            texts.forEach(text -> encodings.put(text, encode.apply(text)));
            return encodings;
        });
    }

    private Encoding fitted(TextModel model, Encoding first, Encoding second, Input.Pair pair) {
        int room = Math.min(model.maxTokens(), limits.maxTokens()) - second.length() + 1;
        // the first text's own special tokens, and one of the text
        if (room < Math.min(first.length(), 3)) {
            throw RequestException.validation("\"" + pair.second() + "\" has " + (second.length() - 2)
                    + " tokens and leaves no room for a text; shorten it.");
        }
        if (first.length() > room) {
            metrics.truncated(model.name());
        }
        Encoding encoding = first.truncate(room, TruncationDirection.RIGHT).followedBy(second);
        count(model, encoding);
        return encoding;
    }

    /** Other work of a request with the tokenizer's library, on about so many characters. */
    <T> T tokenizing(Call call, long characters, Callable<T> work) throws InterruptedException {
        return tokenization.run(characters, call.caller(), work);
    }

    private static long characters(List<Input> inputs) {
        return inputs.stream().mapToLong(Input::characters).sum();
    }

    private static Encoding encoding(TextModel model, String place, Input input) {
        return switch (input) {
            case Input.Text(String text) -> model.tokenizer().encodeForModel(text);
            case Input.Pair(String first, String second) -> model.tokenizer().encodeForModel(first, second);
            case Input.Tokens(int[] ids) -> {
                checkVocabulary(model, place, ids);
                yield model.encoding(ids);
            }
        };
    }

    /** {@code orElse}: what a caller may do beside shortening and cutting, or an empty text. */
    private Encoding fitted(TextModel model, String place, Encoding whole, Truncation truncation, String orElse) {
        int room = Math.min(model.maxTokens(), limits.maxTokens());
        Encoding encoding = whole;
        if (whole.length() > room) {
            if (!truncation.enabled()) {
                throw RequestException.validation(place + " has " + whole.length() + " tokens, more than the limit of "
                        + room + "; shorten it, or send \"truncate\": true" + orElse + ".");
            }
            encoding = whole.truncate(room, truncation.direction());
            metrics.truncated(model.name());
        }
        count(model, encoding);
        return encoding;
    }

    private void count(TextModel model, Encoding encoding) {
        metrics.inputLength(encoding.length());
        int unknown = 0;
        for (int id : encoding.ids()) {
            unknown += id == model.unknownToken() ? 1 : 0;
        }
        if (unknown > 0) {
            metrics.unknownTokens(model.name(), unknown);
        }
    }

    List<List<Token>> tokenize(Call call, ServedModel served, List<String> texts, boolean addSpecialTokens)
            throws InterruptedException {
        begins(call, served, texts.size());
        Tokenizer tokenizer = served.model().tokenizer();
        long characters = texts.stream().mapToLong(String::length).sum();
        List<List<Token>> tokens = tokenization.run(
                characters,
                call.caller(),
                () -> texts.stream()
                        .map(text -> tokens(tokenizer, text, tokenizer.encode(text, addSpecialTokens)))
                        .toList());
        tokens.forEach(text -> call.timings().addTokens(text.size()));
        call.timings().tokenizationEnds(System.nanoTime());
        return tokens;
    }

    private static List<Token> tokens(Tokenizer tokenizer, String text, Encoding encoding) {
        CodePoints source = new CodePoints(text);
        List<Token> tokens = new ArrayList<>(encoding.length());
        for (int i = 0; i < encoding.length(); i++) {
            int id = encoding.ids()[i];
            boolean special = encoding.special()[i];
            int start = encoding.starts()[i];
            int end = encoding.ends()[i];
            String piece = special ? tokenizer.decode(new int[] {id}, false) : source.piece(start, end);
            tokens.add(new Token(id, piece, special, start, end));
        }
        return tokens;
    }

    List<String> decode(Call call, ServedModel served, List<int[]> sequences, boolean skipSpecialTokens)
            throws InterruptedException {
        begins(call, served, sequences.size());
        for (int i = 0; i < sequences.size(); i++) {
            checkVocabulary(served.model(), sequences.size() == 1 ? "ids" : "ids[" + i + "]", sequences.get(i));
        }
        long tokens = sequences.stream().mapToLong(sequence -> sequence.length).sum();
        List<String> texts = tokenization.run(
                tokens,
                call.caller(),
                () -> sequences.stream()
                        .map(sequence -> served.model().tokenizer().decode(sequence, skipSpecialTokens))
                        .toList());
        call.timings().addTokens(Math.toIntExact(tokens));
        call.timings().tokenizationEnds(System.nanoTime());
        return texts;
    }

    private void begins(Call call, ServedModel served, int texts) {
        if (texts == 0) {
            throw new RequestException(ErrorType.EMPTY, "There is no text in the request; send at least one.");
        }
        if (texts > limits.maxTexts()) {
            throw RequestException.validation(texts + " inputs are more than the limit of " + limits.maxTexts()
                    + "; send them in several requests.");
        }
        call.isFor(served.name(), texts);
        metrics.request(call.method());
        call.timings().tokenizationStarts(System.nanoTime());
    }

    private static void checkVocabulary(TextModel model, String place, int[] ids) {
        int vocabulary = model.description().vocabularySize();
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= vocabulary) {
                throw RequestException.validation(
                        place + "[" + i + "] must be a whole number from 0 to " + (vocabulary - 1) + ".");
            }
        }
    }
}
