package io.gatun.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;

/**
 * Gatun's own {@code heads.json}: several heads over one encoder. The default head comes first in the model.
 *
 * <p>A head has a {@code name}, a {@code task}, its {@code labels}, a {@code file} and the names of its {@code tensors}
 * there (a dense layer and an output, or an output alone), {@code reads} with {@code layers} (0 is the embeddings'
 * output) and {@code rows} ({@code first} or {@code all}), an {@code activation} when it has a dense layer, and for
 * text classification a {@code problem_type} and perhaps a {@code threshold}.
 */
final class HeadsFile {
    private final Path path;
    private final int layerCount;
    private final Function<String, Weights> weights;

    /** {@code weights} opens a file of the folder by its name. */
    HeadsFile(Path path, int layerCount, Function<String, Weights> weights) {
        this.path = path;
        this.layerCount = layerCount;
        this.weights = weights;
    }

    List<HeadWeights> read(JsonNode json) {
        List<JsonNode> nodes = new ArrayList<>();
        json.path("heads").forEach(nodes::add);
        if (nodes.isEmpty() || nodes.size() > 31) {
            throw wrong("heads", "holds " + nodes.size() + " heads, not 1 to 31");
        }
        String first = json.path("default").asText(nodes.getFirst().path("name").asText());
        Set<String> names = new HashSet<>();
        for (JsonNode node : nodes) {
            if (!names.add(text(node, "name"))) {
                throw wrong("name", "is there twice: " + text(node, "name"));
            }
        }
        if (!names.contains(first)) {
            throw wrong("default", "names no head: " + first);
        }
        nodes.sort((a, b) ->
                Boolean.compare(text(b, "name").equals(first), text(a, "name").equals(first)));
        List<HeadWeights> heads = new ArrayList<>();
        for (JsonNode node : nodes) {
            heads.add(head(heads.size(), node));
        }
        return heads;
    }

    private HeadWeights head(int index, JsonNode node) {
        String name = text(node, "name");
        if (!name.matches("[a-z0-9_-]{1,63}")) {
            throw wrong("name", "is not 1 to 63 of a-z, 0-9, - and _: " + name);
        }
        Task task = Task.of(text(node, "task"));
        List<String> labels = texts(node, "labels");
        List<String> tensors = texts(node, "tensors");
        if (tensors.size() > 2) {
            throw wrong("tensors", "of head " + name + " names " + tensors.size() + " layers, not 1 or 2");
        }
        boolean dense = tensors.size() == 2;
        String activation = node.path("activation").asText("none");
        if (!Set.of("none", "relu", "tanh", "gelu").contains(activation) || dense == activation.equals("none")) {
            throw wrong(
                    "activation",
                    "of head " + name + " is " + activation
                            + (dense
                                    ? "; behind a dense layer it is relu, tanh or gelu"
                                    : "; without a dense layer there is none"));
        }
        checkReads(name, task, node.path("reads"));
        Weights file = weights.apply(text(node, "file"));
        return new HeadWeights(
                new Head(
                        index,
                        name,
                        task,
                        problemType(node, labels),
                        labels,
                        activation,
                        layers(name, node),
                        threshold(node)),
                dense ? new HeadWeights.Linear(file, tensors.getFirst()) : null,
                new HeadWeights.Linear(file, tensors.getLast()));
    }

    private void checkReads(String name, Task task, JsonNode reads) {
        String rows = reads.path("rows").asText("absent");
        String expected = task == Task.TOKEN_CLASSIFICATION ? "all" : "first";
        if (!rows.equals(expected)) {
            throw wrong("reads.rows", "of head " + name + " is " + rows + "; " + task.id() + " reads " + expected);
        }
        String join = reads.path("join").asText("concatenate");
        if (!join.equals("concatenate")) {
            throw wrong("reads.join", "of head " + name + " is " + join + "; layers are only concatenated");
        }
    }

    private List<Integer> layers(String name, JsonNode node) {
        List<Integer> layers = new ArrayList<>();
        for (JsonNode layer : node.path("reads").path("layers")) {
            if (!layer.isInt() || layer.asInt() < 0 || layer.asInt() > layerCount) {
                throw wrong(
                        "reads.layers", "of head " + name + " names layer " + layer + "; there are 0 to " + layerCount);
            }
            layers.add(layer.asInt());
        }
        if (layers.isEmpty() || layers.size() > 16) {
            throw wrong("reads.layers", "of head " + name + " names " + layers.size() + " layers, not 1 to 16");
        }
        return layers;
    }

    private static ProblemType problemType(JsonNode node, List<String> labels) {
        return node.hasNonNull("problem_type")
                ? ProblemType.of(node.path("problem_type").asText())
                : ProblemType.byLabels(labels.size());
    }

    private OptionalDouble threshold(JsonNode node) {
        JsonNode threshold = node.path("threshold");
        if (threshold.isMissingNode() || threshold.isNull()) {
            return OptionalDouble.empty();
        }
        if (!threshold.isNumber() || threshold.asDouble() < 0 || threshold.asDouble() > 1) {
            throw wrong("threshold", "is " + threshold + ", not a number from 0 to 1");
        }
        return OptionalDouble.of(threshold.asDouble());
    }

    private String text(JsonNode node, String field) {
        if (!node.path(field).isTextual() || node.path(field).asText().isEmpty()) {
            throw wrong(field, "is missing or is no text");
        }
        return node.path(field).asText();
    }

    private List<String> texts(JsonNode node, String field) {
        List<String> texts = new ArrayList<>();
        for (JsonNode text : node.path(field)) {
            if (!text.isTextual()) {
                throw wrong(field, "holds what is no text");
            }
            texts.add(text.asText());
        }
        if (texts.isEmpty() || texts.size() > 4096) {
            throw wrong(field, "holds " + texts.size() + " texts, not 1 to 4096");
        }
        return texts;
    }

    private ModelException wrong(String field, String how) {
        return new ModelException(path + ": the field " + field + " " + how + ".");
    }
}
