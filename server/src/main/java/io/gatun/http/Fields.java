package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.text.TruncationDirection;
import java.util.Locale;
import java.util.Optional;

/** The fields of a request's object. One that is absent or null takes its default; one that is unknown is ignored. */
final class Fields {
    private final JsonNode object;

    Fields(JsonNode object) {
        this.object = object;
    }

    /** A field that must be there. */
    JsonNode required(String name, String example) {
        JsonNode node = object.get(name);
        if (node == null || node.isNull()) {
            throw RequestException.validation("The field \"" + name + "\" is missing; send " + example + ".");
        }
        return node;
    }

    boolean flag(String name, boolean otherwise) {
        JsonNode node = object.get(name);
        if (node == null || node.isNull()) {
            return otherwise;
        }
        if (!node.isBoolean()) {
            throw RequestException.validation(
                    "The field \"" + name + "\" must be true or false, not " + kind(node) + ".");
        }
        return node.booleanValue();
    }

    Optional<String> text(String name) {
        JsonNode node = object.get(name);
        if (node == null || node.isNull()) {
            return Optional.empty();
        }
        if (!node.isTextual()) {
            throw RequestException.validation("The field \"" + name + "\" must be a text, not " + kind(node) + ".");
        }
        return Optional.of(node.textValue());
    }

    TruncationDirection truncationDirection() {
        String direction = text("truncation_direction").orElse("right");
        return switch (direction.toLowerCase(Locale.ROOT)) {
            case "left" -> TruncationDirection.LEFT;
            case "right" -> TruncationDirection.RIGHT;
            default ->
                throw RequestException.validation("The field \"truncation_direction\" must be \"left\" or \"right\".");
        };
    }

    /** What a node is, in words. */
    static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> "a list";
            case BOOLEAN -> "true or false";
            case NULL, MISSING -> "null";
            case NUMBER -> "a number";
            case STRING -> "a text";
            case BINARY, OBJECT, POJO -> "an object";
        };
    }
}
