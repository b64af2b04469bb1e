package io.gatun.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;

/**
 * Gatun's own {@code heads.json}: several heads over one encoder. The default head comes first in the model.
 *
 * <p>{@code docs/heads.md} says what it holds.
 */
final class HeadsFile {
    private static final double MAX_WEIGHT = 1000; // far from where a folded float would overflow

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
        if (!Head.isName(name)) {
            throw wrong("name", "is not " + Head.NAMES + ": " + name);
        }
        Task task = Task.of(text(node, "task"));
        List<String> tensors = texts(node, "tensors");
        JsonNode reads = node.path("reads");
        checkRows(name, task, reads);
        List<Integer> layers = layers(name, reads);
        List<Double> shares = shares(name, reads, layers.size());
        List<String> labels = labels(name, task, node);
        String activation = activation(name, node);
        Weights file = weights.apply(text(node, "file"));
        Head head = new Head(index, name, task, problemType(node, labels), labels, activation, layers, threshold(node));
        return task == Task.FILL_MASK ? words(head, shares, file, tensors) : labels(head, shares, file, tensors);
    }

    private HeadWeights labels(Head head, List<Double> shares, Weights file, List<String> tensors) {
        if (tensors.size() > 2) {
            throw wrong("tensors", "of head " + head.name() + " names " + tensors.size() + " layers, not 1 or 2");
        }
        boolean dense = tensors.size() == 2;
        if (dense == head.activation().equals("none")) {
            throw wrong(
                    "activation",
                    "of head " + head.name() + " is " + head.activation()
                            + (dense
                                    ? "; behind a dense layer it is relu, tanh, gelu or gelu_tanh"
                                    : "; without a dense layer there is none"));
        }
        return new HeadWeights.Labels(
                head,
                shares,
                dense ? new HeadWeights.Part(file, tensors.getFirst()) : null,
                new HeadWeights.Part(file, tensors.getLast()));
    }

    private HeadWeights words(Head head, List<Double> shares, Weights file, List<String> tensors) {
        if (tensors.size() != 3) {
            throw wrong(
                    "tensors",
                    "of head " + head.name() + " names " + tensors.size()
                            + " parts; one that fills masks has 3, a dense layer, a norm and an output");
        }
        if (head.layers().size() != 1 || !shares.isEmpty()) {
            throw wrong("reads.layers", "of head " + head.name() + " are joined; one that fills masks reads one layer");
        }
        return new HeadWeights.Words(
                head,
                new HeadWeights.Part(file, tensors.get(0)),
                new HeadWeights.Part(file, tensors.get(1)),
                file,
                tensors.get(2) + ".weight",
                tensors.get(2) + ".bias");
    }

    private String activation(String name, JsonNode node) {
        String activation = node.path("activation").asText("none");
        if (!Set.of("none", "relu", "tanh", "gelu", "gelu_tanh").contains(activation)) {
            throw wrong(
                    "activation",
                    "of head " + name + " is " + activation + ", not none, relu, tanh, gelu or gelu_tanh");
        }
        return activation;
    }

    private List<String> labels(String name, Task task, JsonNode node) {
        return switch (task) {
            case TEXT_CLASSIFICATION, TOKEN_CLASSIFICATION -> texts(node, "labels");
            case QUESTION_ANSWERING -> {
                if (node.has("labels") && !texts(node, "labels").equals(Task.ANSWER_LABELS)) {
                    throw wrong(
                            "labels",
                            "of head " + name + " is " + node.path("labels")
                                    + "; one that answers questions has start and end, or leaves them out");
                }
                yield Task.ANSWER_LABELS;
            }
            case FILL_MASK -> {
                if (!node.path("labels").isEmpty()) {
                    throw wrong("labels", "of head " + name + " is not for one that fills masks; leave it out");
                }
                yield List.of();
            }
        };
    }

    private void checkRows(String name, Task task, JsonNode reads) {
        String expected = switch (task) {
            case TEXT_CLASSIFICATION -> "first";
            case TOKEN_CLASSIFICATION, QUESTION_ANSWERING -> "all";
            case FILL_MASK -> "masks";
        };
        String rows = reads.path("rows").asText(expected);
        if (!rows.equals(expected)) {
            throw wrong("reads.rows", "of head " + name + " is " + rows + "; " + task.id() + " reads " + expected);
        }
    }

    private List<Integer> layers(String name, JsonNode reads) {
        List<Integer> layers = new ArrayList<>();
        for (JsonNode layer : reads.path("layers")) {
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

    /** How much of each layer's rows goes into the sum that a head reads; empty where it reads them side by side. */
    private List<Double> shares(String name, JsonNode reads, int layers) {
        String join = reads.path("join").asText("concatenate");
        if (reads.has("weights") && !join.equals("weighted")) {
            throw wrong("reads.weights", "of head " + name + " is there and its join is " + join + ", not weighted");
        }
        return switch (join) {
            case "concatenate" -> List.of();
            case "average" -> Collections.nCopies(layers, 1.0 / layers);
            case "weighted" -> {
                List<Double> weights = new ArrayList<>();
                for (JsonNode weight : reads.path("weights")) {
                    if (!weight.isNumber() || Math.abs(weight.doubleValue()) > MAX_WEIGHT) {
                        throw wrong(
                                "reads.weights",
                                "of head " + name + " holds " + weight + ", which is no number from -1000 to 1000");
                    }
                    weights.add(weight.doubleValue());
                }
                if (weights.size() != layers) {
                    throw wrong(
                            "reads.weights",
                            "of head " + name + " holds " + weights.size() + " weights for " + layers + " layers");
                }
                yield weights;
            }
            default ->
                throw wrong(
                        "reads.join",
                        "of head " + name + " is " + join + "; layers are joined by concatenate, average or weighted");
        };
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
