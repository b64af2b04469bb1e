package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.service.ErrorType;
import io.gatun.service.Input;
import io.gatun.service.RequestException;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code inputs} holds: one text, one pair, or a batch of texts and pairs.
 *
 * @param batch whether the answer is a list of answers
 */
record Inputs(List<Input> all, boolean batch) {
    private static final String FORMS =
            "send a text, a pair [\"a\", \"b\"], or a batch [[\"a\"], [\"b\"], [\"c\", \"d\"]]";

    private static final String OBJECTS =
            "send a text, a pair {\"text\": \"a\", \"text_pair\": \"b\"}, or a list of texts or of pairs";

    /** Reads the forms of {@code /predict}, where a flat list is one input: a text, or a pair. */
    static Inputs pairs(JsonNode node, int maxTexts) {
        if (node.isTextual()) {
            return new Inputs(List.of(new Input.Text(node.textValue())), false);
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
            String first = text(entry.get(0), place + "[0]");
            all.add(
                    entry.size() == 1
                            ? new Input.Text(first)
                            : new Input.Pair(first, text(entry.get(1), place + "[1]")));
        }
        return new Inputs(all, true);
    }

    /** Reads the forms of {@code /embed} and {@code /tokenize}, where a flat list is a batch. */
    static Inputs texts(JsonNode node, int maxTexts) {
        if (node.isTextual()) {
            return new Inputs(List.of(new Input.Text(node.textValue())), false);
        }
        requireList(node, maxTexts);
        List<Input> all = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            all.add(new Input.Text(text(node.get(i), "inputs[" + i + "]")));
        }
        return new Inputs(all, true);
    }

    /** Reads the forms of Hugging Face's text classification: as {@link #texts}, and pairs as objects. */
    static Inputs documents(JsonNode node, int maxTexts) {
        if (node.isObject()) {
            return new Inputs(List.of(document(node, "inputs")), false);
        }
        if (!node.isArray()) {
            return texts(node, maxTexts);
        }
        requireList(node, maxTexts);
        List<Input> all = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            all.add(document(node.get(i), "inputs[" + i + "]"));
        }
        return new Inputs(all, true);
    }

    private static Input document(JsonNode node, String place) {
        if (!node.isObject()) {
            return new Input.Text(text(node, place, OBJECTS));
        }
        String text = text(node.path("text"), place + ".text", OBJECTS);
        return node.hasNonNull("text_pair")
                ? new Input.Pair(text, text(node.get("text_pair"), place + ".text_pair", OBJECTS))
                : new Input.Text(text);
    }

    /** Reads OpenAI's forms: a text, the ids of one, or a list of texts or of lists of ids. */
    static Inputs textsOrTokens(JsonNode node, int maxTexts) {
        if (node.isTextual()) {
            return texts(node, maxTexts);
        }
        requireList(node, node.isArray() && node.path(0).isNumber() ? Integer.MAX_VALUE : maxTexts);
        if (node.get(0).isNumber()) {
            return new Inputs(List.of(new Input.Tokens(Fields.ids(node, "input"))), false);
        }
        List<Input> all = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            String place = "input[" + i + "]";
            all.add(
                    node.get(i).isArray()
                            ? new Input.Tokens(Fields.ids(node.get(i), place))
                            : new Input.Text(text(node.get(i), place)));
        }
        return new Inputs(all, true);
    }

    /** The texts of {@link #texts}. */
    List<String> asTexts() {
        return all.stream().map(input -> ((Input.Text) input).text()).toList();
    }

    private static Inputs flat(JsonNode node) {
        if (node.size() > 2) {
            text(node.get(0), "inputs[0]");
            throw RequestException.validation("A flat list of " + node.size()
                    + " is neither a pair nor a batch; send a batch as [[\"a\"], [\"b\"], [\"c\"]].");
        }
        String first = text(node.get(0), "inputs[0]");
        Input input = node.size() == 1 ? new Input.Text(first) : new Input.Pair(first, text(node.get(1), "inputs[1]"));
        return new Inputs(List.of(input), false);
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

    private static String text(JsonNode node, String place) {
        return text(node, place, FORMS);
    }

    private static String text(JsonNode node, String place, String forms) {
        if (!node.isTextual()) {
            throw RequestException.validation(place + " must be a text, not " + Fields.kind(node) + "; " + forms + ".");
        }
        return node.textValue();
    }
}
