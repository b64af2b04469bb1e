package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code inputs} holds: one text, one pair, or a batch of texts and pairs.
 *
 * @param batch whether the answer is a list of answers
 */
record Inputs(List<Input> all, boolean batch) {
    private static final String FORMS =
            "send a text, a pair [\"a\", \"b\"], or a batch [[\"a\"], [\"b\"], [\"c\", \"d\"]]";

    /** A text, or two that are read as one input. */
    record Input(String first, @Nullable String second) {}

    /** Reads the forms of {@code /predict}, where a flat list is one input: a text, or a pair. */
    static Inputs pairs(JsonNode node, int maxTexts) {
        if (node.isTextual()) {
            return new Inputs(List.of(new Input(node.textValue(), null)), false);
        }
        requireList(node, maxTexts);
        if (!node.get(0).isArray()) {
            return flat(node);
        }
        List<Input> all = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            JsonNode entry = node.get(i);
            String place = "inputs[" + i + "]";
            if (!entry.isArray()) {
                throw RequestException.validation(
                        place + " must be a list of one or two texts, not " + Fields.kind(entry) + "; " + FORMS + ".");
            }
            if (entry.isEmpty() || entry.size() > 2) {
                throw RequestException.validation(
                        place + " must hold one or two texts, not " + entry.size() + "; " + FORMS + ".");
            }
            String second = entry.size() == 2 ? text(entry.get(1), place + "[1]") : null;
            all.add(new Input(text(entry.get(0), place + "[0]"), second));
        }
        return new Inputs(all, true);
    }

    /** Reads the forms of {@code /tokenize}, where a flat list is a batch. */
    static Inputs texts(JsonNode node, int maxTexts) {
        if (node.isTextual()) {
            return new Inputs(List.of(new Input(node.textValue(), null)), false);
        }
        requireList(node, maxTexts);
        List<Input> all = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            all.add(new Input(text(node.get(i), "inputs[" + i + "]"), null));
        }
        return new Inputs(all, true);
    }

    private static Inputs flat(JsonNode node) {
        if (node.size() > 2) {
            text(node.get(0), "inputs[0]");
            throw RequestException.validation("A flat list of " + node.size()
                    + " is neither a pair nor a batch; send a batch as [[\"a\"], [\"b\"], [\"c\"]].");
        }
        String first = text(node.get(0), "inputs[0]");
        String second = node.size() == 1 ? null : text(node.get(1), "inputs[1]");
        return new Inputs(List.of(new Input(first, second)), false);
    }

    private static void requireList(JsonNode node, int maxTexts) {
        if (!node.isArray()) {
            throw RequestException.validation(
                    "The field \"inputs\" must hold texts, not " + Fields.kind(node) + "; " + FORMS + ".");
        }
        if (node.isEmpty()) {
            throw new RequestException(ErrorType.EMPTY, "The list \"inputs\" is empty; send at least one text.");
        }
        if (node.size() > maxTexts) {
            throw RequestException.validation(node.size() + " inputs are more than the limit of " + maxTexts
                    + "; send them in several requests.");
        }
    }

    /** UTF-16 units of all texts. */
    long characters() {
        long sum = 0;
        for (Input input : all) {
            sum += input.first().length()
                    + (input.second() == null ? 0 : input.second().length());
        }
        return sum;
    }

    private static String text(JsonNode node, String place) {
        if (!node.isTextual()) {
            throw RequestException.validation(place + " must be a text, not " + Fields.kind(node) + "; " + FORMS + ".");
        }
        return node.textValue();
    }
}
