package io.gatun.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.model.Pooling;
import io.gatun.service.RequestException;
import io.gatun.service.Truncation;
import io.gatun.service.VectorOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.BiConsumer;

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

    boolean isObject(String name) {
        return object.path(name).isObject();
    }

    boolean has(String name) {
        return object.hasNonNull(name);
    }

    /** Whether it is there, even if it is null. */
    boolean names(String name) {
        return object.has(name);
    }

    /** A field that is an object; one without fields where it is absent. */
    Fields object(String name) {
        JsonNode node = object.get(name);
        if (node == null || node.isNull()) {
            return new Fields(JsonNodeFactory.instance.objectNode());
        }
        if (!node.isObject()) {
            throw RequestException.validation("The field \"" + name + "\" must be an object, not " + kind(node) + ".");
        }
        return new Fields(node);
    }

    /** A field that is an object, or the first of a list of objects; one without fields where it is neither. */
    Fields first(String name) {
        JsonNode node = object.path(name);
        JsonNode first = node.isArray() ? node.path(0) : node;
        return new Fields(first.isObject() ? first : JsonNodeFactory.instance.objectNode());
    }

    /** These fields and those of an object within, which come first. */
    Fields with(String name) {
        ObjectNode all = JsonNodeFactory.instance.objectNode();
        forEach(all::set);
        object(name).forEach((field, value) -> {
            if (!value.isNull()) {
                all.set(field, value);
            }
        });
        return new Fields(all);
    }

    /** A list of objects; none where it is absent. */
    List<Fields> objects(String name) {
        JsonNode list = object.get(name);
        if (list == null || list.isNull()) {
            return List.of();
        }
        if (!list.isArray()) {
            throw RequestException.validation("The field \"" + name + "\" must be a list, not " + kind(list) + ".");
        }
        List<Fields> objects = new ArrayList<>(list.size());
        for (JsonNode each : list) {
            if (!each.isObject()) {
                throw RequestException.validation(
                        name + "[" + objects.size() + "] must be an object, not " + kind(each) + ".");
            }
            objects.add(new Fields(each));
        }
        return objects;
    }

    void forEach(BiConsumer<String, JsonNode> action) {
        object.properties().forEach(field -> action.accept(field.getKey(), field.getValue()));
    }

    OptionalInt integer(String name) {
        JsonNode node = object.get(name);
        if (node == null || node.isNull()) {
            return OptionalInt.empty();
        }
        if (!node.isIntegralNumber() || !node.canConvertToInt()) {
            throw RequestException.validation("The field \"" + name + "\" must be a whole number.");
        }
        return OptionalInt.of(node.intValue());
    }

    OptionalDouble number(String name) {
        JsonNode node = object.get(name);
        if (node == null || node.isNull()) {
            return OptionalDouble.empty();
        }
        if (!node.isNumber()) {
            throw RequestException.validation("The field \"" + name + "\" must be a number, not " + kind(node) + ".");
        }
        return OptionalDouble.of(node.doubleValue());
    }

    /** A field that must be a list of texts, none of them missing. */
    List<String> texts(String name, String example) {
        JsonNode node = required(name, example);
        if (!node.isArray()) {
            throw RequestException.validation("The field \"" + name + "\" must be a list of texts, not " + kind(node)
                    + "; send " + example + ".");
        }
        List<String> texts = new ArrayList<>(node.size());
        for (int i = 0; i < node.size(); i++) {
            if (!node.get(i).isTextual()) {
                throw RequestException.validation(
                        name + "[" + i + "] must be a text, not " + kind(node.get(i)) + "; send " + example + ".");
            }
            texts.add(node.get(i).textValue());
        }
        return texts;
    }

    /** Token ids. Whether the vocabulary has them is not known here. */
    static int[] ids(JsonNode list, String place) {
        if (!list.isArray()) {
            throw RequestException.validation(place + " must be a list of token ids, not " + kind(list) + ".");
        }
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = list.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
                throw RequestException.validation(place + "[" + i + "] must be a whole number from 0 up.");
            }
            ids[i] = id.intValue();
        }
        return ids;
    }

    /**
     * {@code pooling}, {@code normalize} and {@code dimensions}.
     *
     * @param normalize whether vectors are brought to length 1 unless the request says otherwise
     */
    VectorOptions vectorOptions(boolean normalize) {
        return new VectorOptions(
                text("pooling").map(Fields::pooling), flag("normalize", normalize), integer("dimensions"));
    }

    private static Pooling pooling(String name) {
        return Pooling.named(name)
                .orElseThrow(() -> RequestException.validation(
                        "The field \"pooling\" must be \"mean\", \"cls\", \"last\" or \"max\"."));
    }

    /** {@code truncate} and {@code truncation_direction}. */
    Truncation truncation() {
        return Truncation.of(flag("truncate", false), text("truncation_direction"));
    }

    /**
     * What a pipeline's call says, among its parameters or beside them: {@code truncation}, which may name one of Hugging
     * Face's strategies, or {@code truncate}, and {@code truncation_direction}.
     */
    Truncation pipelineTruncation() {
        Fields parameters = object("parameters");
        boolean enabled = parameters.has("truncation")
                ? parameters.truncates()
                : parameters.flag("truncate", flag("truncate", false));
        return Truncation.of(enabled, parameters.text("truncation_direction").or(() -> text("truncation_direction")));
    }

    /** The head that a pipeline's call names, among its parameters or beside them. */
    Optional<String> pipelineHead() {
        return object("parameters").text("head").or(() -> text("head"));
    }

    /** Reads {@code truncation} as Hugging Face's tokenizers do. */
    boolean truncates() {
        JsonNode strategy = object.path("truncation");
        return strategy.isTextual() ? !strategy.textValue().equals("do_not_truncate") : flag("truncation", false);
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
