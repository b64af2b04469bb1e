package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.model.TextModel;
import io.gatun.text.Encoding;
import io.gatun.text.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** {@code POST /tokenize} and {@code POST /decode}: texts to tokens, and back. */
final class TokenizeHandler {
    private final Models models;
    private final Tokenization tokenization;
    private final int maxTexts;

    TokenizeHandler(Models models, Tokenization tokenization, ServerSettings settings) {
        this.models = models;
        this.tokenization = tokenization;
        this.maxTexts = settings.maxTexts();
    }

    Reply tokenize(Fields fields, Client client, long start) throws InterruptedException {
        Timings timings = new Timings(start);
        Tokenizer tokenizer = models.named(fields.text("model")).model().tokenizer();
        boolean special = fields.flag("add_special_tokens", true);
        Inputs inputs = Inputs.texts(fields.required("inputs", "{\"inputs\": \"a text\"}"), maxTexts);
        timings.tokenizationStarts(System.nanoTime());
        List<Encoding> encodings = tokenization.run(
                inputs.characters(),
                client,
                () -> inputs.all().stream()
                        .map(input -> tokenizer.encode(input.first(), special))
                        .toList());
        encodings.forEach(encoding -> timings.addTokens(encoding.length()));
        timings.tokenizationEnds(System.nanoTime());
        byte[] body = Json.bytes(out -> {
            out.writeStartArray();
            for (int i = 0; i < encodings.size(); i++) {
                write(out, tokenizer, inputs.all().get(i).first(), encodings.get(i));
            }
            out.writeEndArray();
        });
        timings.ends(System.nanoTime());
        return Reply.json(body, timings.headers());
    }

    private static void write(JsonGenerator out, Tokenizer tokenizer, String text, Encoding encoding)
            throws IOException {
        CodePoints source = new CodePoints(text);
        out.writeStartArray();
        for (int i = 0; i < encoding.length(); i++) {
            int id = encoding.ids()[i];
            boolean special = encoding.special()[i];
            int start = encoding.starts()[i];
            int end = encoding.ends()[i];
            out.writeStartObject();
            out.writeNumberField("id", id);
            out.writeStringField("text", special ? tokenizer.decode(new int[] {id}, false) : source.piece(start, end));
            out.writeBooleanField("special", special);
            if (special) {
                out.writeNullField("start");
                out.writeNullField("stop");
            } else {
                out.writeNumberField("start", start);
                out.writeNumberField("stop", end);
            }
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    Reply decode(Fields fields, Client client, long start) throws InterruptedException {
        Timings timings = new Timings(start);
        TextModel model = models.named(fields.text("model")).model();
        boolean skip = fields.flag("skip_special_tokens", true);
        JsonNode ids = fields.required("ids", "{\"ids\": [101, 102]}");
        if (!ids.isArray()) {
            throw RequestException.validation(
                    "The field \"ids\" must be a list of token ids, or a list of such lists, not " + Fields.kind(ids)
                            + ".");
        }
        if (ids.isEmpty()) {
            throw new RequestException(ErrorType.EMPTY, "The list \"ids\" is empty; send at least one token id.");
        }
        List<int[]> sequences = new ArrayList<>();
        if (ids.get(0).isArray()) {
            if (ids.size() > maxTexts) {
                throw RequestException.validation(ids.size() + " lists are more than the limit of " + maxTexts
                        + "; send them in several requests.");
            }
            for (int i = 0; i < ids.size(); i++) {
                sequences.add(sequence(ids.get(i), "ids[" + i + "]", model));
            }
        } else {
            sequences.add(sequence(ids, "ids", model));
        }
        timings.tokenizationStarts(System.nanoTime());
        long tokens = sequences.stream().mapToLong(sequence -> sequence.length).sum();
        List<String> texts = tokenization.run(
                tokens,
                client,
                () -> sequences.stream()
                        .map(sequence -> model.tokenizer().decode(sequence, skip))
                        .toList());
        timings.addTokens(Math.toIntExact(tokens));
        timings.tokenizationEnds(System.nanoTime());
        byte[] body = Json.bytes(out -> {
            out.writeStartArray();
            for (String text : texts) {
                out.writeString(text);
            }
            out.writeEndArray();
        });
        timings.ends(System.nanoTime());
        return Reply.json(body, timings.headers());
    }

    private static int[] sequence(JsonNode list, String place, TextModel model) {
        if (!list.isArray()) {
            throw RequestException.validation(place + " must be a list of token ids, not " + Fields.kind(list) + ".");
        }
        int vocabulary = model.description().vocabularySize();
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = list.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= vocabulary) {
                throw RequestException.validation(
                        place + "[" + i + "] must be a whole number from 0 to " + (vocabulary - 1) + ".");
            }
            ids[i] = id.intValue();
        }
        return ids;
    }
}
