package io.gatun.service;

import io.gatun.metrics.Metrics;
import io.gatun.model.TextModel;
import io.gatun.text.CodePoints;
import io.gatun.text.Encoding;
import io.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/** A request's texts to tokens, within the limits, and back. Thread-safe. */
final class Encoder {
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
        inference.checkRoom(call, served, inputs);
        TextModel model = served.model();
        List<Encoding> encodings = tokenization.run(characters(inputs), call.caller(), () -> {
            List<Encoding> all = new ArrayList<>(inputs.size());
            for (int i = 0; i < inputs.size(); i++) {
                String place = inputs.size() == 1 ? "The input" : "inputs[" + i + "]";
                all.add(fitted(model, place, encoding(model, place, inputs.get(i)), truncation));
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
        inference.checkRoom(call, served, inputs);
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

    private Encoding fitted(TextModel model, String place, Encoding whole, Truncation truncation) {
        int room = Math.min(model.maxTokens(), limits.maxTokens());
        Encoding encoding = whole;
        if (whole.length() > room) {
            if (!truncation.enabled()) {
                throw RequestException.validation(place + " has " + whole.length() + " tokens, more than the limit of "
                        + room + "; shorten it, or send \"truncate\": true.");
            }
            encoding = whole.truncate(room, truncation.direction());
            metrics.truncated(model.name());
        }
        metrics.inputLength(encoding.length());
        int unknown = 0;
        for (int id : encoding.ids()) {
            unknown += id == model.unknownToken() ? 1 : 0;
        }
        if (unknown > 0) {
            metrics.unknownTokens(model.name(), unknown);
        }
        return encoding;
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
