package io.gatun.model;

import io.gatun.kernel.TensorType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What a model file says of itself.
 *
 * @param architecture as GGUF names it: {@code bert} for the whole family
 * @param name the model's own name, or an empty text
 * @param contextLength tokens of the longest sequence
 * @param parameters numbers of all tensors and heads together
 * @param typeBytes bytes of the tensors of each type
 */
public record ModelDescription(
        String architecture,
        String name,
        int vocabularySize,
        int contextLength,
        int embeddingLength,
        int layerCount,
        int attentionHeadCount,
        int feedForwardLength,
        int tokenTypeCount,
        Pooling pooling,
        List<Head> heads,
        long parameters,
        Map<TensorType, Long> typeBytes,
        long bytes) {
    private static final List<String> HEAD_PARTS =
            List.of("dense.weight", "dense.bias", "norm.weight", "norm.bias", "output.weight", "output.bias");

    /**
     * Reads the description.
     *
     * @throws ModelException when the file says too little, or contradicts itself
     */
    public static ModelDescription of(GgufFile file) {
        String architecture = file.text("general.architecture").orElse("absent");
        if (!architecture.equals("bert")) {
            throw new ModelException("its architecture is " + architecture + "; Gatun runs bert");
        }
        Map<TensorType, Long> typeBytes = new EnumMap<>(TensorType.class);
        long parameters = 0;
        int vocabulary = 0;
        for (GgufFile.Tensor tensor : file.tensors()) {
            typeBytes.merge(tensor.type(), tensor.bytes(), Long::sum);
            parameters += tensor.elements();
            if (tensor.name().equals("token_embd.weight")) {
                vocabulary = Math.toIntExact(Math.min(tensor.shape().getLast(), Integer.MAX_VALUE));
            }
        }
        List<Head> heads = heads(file);
        for (int i = 0; i < heads.size(); i++) {
            for (String part : HEAD_PARTS) {
                parameters += file.count("gatun.head." + i + "." + part);
            }
        }
        return new ModelDescription(
                architecture,
                file.text("general.name").orElse(""),
                vocabulary,
                size(file, "bert.context_length"),
                size(file, "bert.embedding_length"),
                size(file, "bert.block_count"),
                size(file, "bert.attention.head_count"),
                size(file, "bert.feed_forward_length"),
                Math.max(1, file.integer("tokenizer.ggml.token_type_count").orElse(1)),
                pooling(file),
                heads,
                parameters,
                typeBytes,
                file.bytes());
    }

    private static Pooling pooling(GgufFile file) {
        Optional<String> own = file.text("gatun.pooling");
        if (own.isEmpty()) {
            return Pooling.of(file.integer("bert.pooling_type"));
        }
        return Pooling.named(own.get())
                .orElseThrow(() -> new ModelException(
                        "the key gatun.pooling is " + own.get() + ", a pooling that Gatun does not do"));
    }

    private static int size(GgufFile file, String key) {
        OptionalInt size = file.integer(key);
        return size.orElseThrow(() -> new ModelException("the key " + key + " is missing"));
    }

    private static List<Head> heads(GgufFile file) {
        OptionalInt count = file.integer("gatun.head_count");
        if (count.isEmpty()) {
            return foreignHead(file);
        }
        if (count.getAsInt() > 31) {
            throw new ModelException("it has " + count.getAsInt() + " heads, more than 31");
        }
        return IntStream.range(0, count.getAsInt()).mapToObj(i -> head(file, i)).toList();
    }

    private static Head head(GgufFile file, int index) {
        String prefix = "gatun.head." + index + ".";
        List<String> labels = file.texts(prefix + "labels");
        return new Head(
                index,
                text(file, prefix + "name"),
                Task.of(text(file, prefix + "task")),
                file.text(prefix + "problem_type").map(ProblemType::of).orElse(ProblemType.byLabels(labels.size())),
                labels,
                file.text(prefix + "activation").orElse("none"),
                IntStream.of(file.integers(prefix + "layers")).boxed().toList(),
                file.number(prefix + "threshold"));
    }

    private static String text(GgufFile file, String key) {
        return file.text(key).orElseThrow(() -> new ModelException("the key " + key + " is missing"));
    }

    /** llama.cpp's own files say of a classifier only its tensors and, mostly, its labels. */
    private static List<Head> foreignHead(GgufFile file) {
        Map<String, GgufFile.Tensor> tensors = new HashMap<>();
        file.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
        GgufFile.Tensor output = tensors.get("cls.output.weight");
        if (output == null) {
            return List.of();
        }
        List<String> labels = new ArrayList<>(file.texts("bert.classifier.output_labels"));
        if (labels.isEmpty()) {
            long count = Math.min(output.shape().size() > 1 ? output.shape().get(1) : 1, 4096);
            for (int i = 0; i < count; i++) {
                labels.add("LABEL_" + i);
            }
        }
        String activation = !tensors.containsKey("cls.weight")
                ? "none"
                : tensors.containsKey("token_types.weight") ? "tanh" : "relu";
        return List.of(new Head(
                0,
                "classification",
                Task.TEXT_CLASSIFICATION,
                ProblemType.byLabels(labels.size()),
                labels,
                activation,
                List.of(size(file, "bert.block_count")),
                OptionalDouble.empty()));
    }
}
