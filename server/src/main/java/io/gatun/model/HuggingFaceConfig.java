package io.gatun.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What {@code config.json} says of an encoder of the BERT family.
 *
 * @param architecture the class that wrote the folder, or the bare model's
 * @param activation of the feed-forward, in GGUF's spelling
 * @param labels by index; empty for a bare model
 */
record HuggingFaceConfig(
        Kind kind,
        String architecture,
        int vocabularySize,
        int contextLength,
        int embeddingLength,
        int layerCount,
        int attentionHeadCount,
        int feedForwardLength,
        int tokenTypeCount,
        float epsilon,
        String activation,
        List<String> labels,
        ProblemType problemType) {

    /** The models whose tensors Gatun knows. */
    enum Kind {
        DISTILBERT("distilbert", "DistilBert"),
        BERT("bert", "Bert");

        private final String id;
        private final String className;

        Kind(String id, String className) {
            this.id = id;
            this.className = className;
        }

        /** The prefix of the encoder's tensors in a folder that has a head. */
        String prefix() {
            return id + ".";
        }

        String className() {
            return className;
        }
    }

    static HuggingFaceConfig read(Path file, JsonNode json) {
        String type = json.path("model_type").asText("absent");
        Kind kind = switch (type) {
            case "distilbert" -> Kind.DISTILBERT;
            case "bert" -> Kind.BERT;
            default ->
                throw new ModelException(
                        file + ": the model_type is " + type + "; Gatun converts distilbert and bert.");
        };
        boolean distil = kind == Kind.DISTILBERT;
        String positions = json.path("position_embedding_type").asText("absolute");
        if (!positions.equals("absolute")) {
            throw new ModelException(file + ": the position_embedding_type is " + positions + "; only absolute runs.");
        }
        List<String> labels = labels(file, json);
        String problem = json.path("problem_type").asText("null");
        return new HuggingFaceConfig(
                kind,
                json.path("architectures").path(0).asText(kind.className() + "Model"),
                size(file, json, "vocab_size"),
                size(file, json, "max_position_embeddings"),
                size(file, json, distil ? "dim" : "hidden_size"),
                size(file, json, distil ? "n_layers" : "num_hidden_layers"),
                size(file, json, distil ? "n_heads" : "num_attention_heads"),
                size(file, json, distil ? "hidden_dim" : "intermediate_size"),
                distil ? 1 : size(file, json, "type_vocab_size"),
                (float) (distil ? 1e-12 : json.path("layer_norm_eps").asDouble(1e-12)),
                activation(file, json.path(distil ? "activation" : "hidden_act").asText("gelu")),
                labels,
                problem.equals("null") ? ProblemType.byLabels(labels.size()) : problemType(file, problem));
    }

    /** What is different about the encoder that another config describes, if anything is. */
    Optional<String> otherEncoder(HuggingFaceConfig other) {
        return other(kind.id, other.kind.id, "model_type")
                .or(() -> other(vocabularySize, other.vocabularySize, "vocabulary"))
                .or(() -> other(contextLength, other.contextLength, "number of positions"))
                .or(() -> other(embeddingLength, other.embeddingLength, "width"))
                .or(() -> other(layerCount, other.layerCount, "number of layers"))
                .or(() -> other(attentionHeadCount, other.attentionHeadCount, "number of attention heads"))
                .or(() -> other(feedForwardLength, other.feedForwardLength, "feed-forward width"))
                .or(() -> other(tokenTypeCount, other.tokenTypeCount, "number of token types"))
                .or(() -> other(epsilon, other.epsilon, "layer_norm_eps"))
                .or(() -> other(activation, other.activation, "activation"));
    }

    private static Optional<String> other(Object own, Object others, String what) {
        return own.equals(others) ? Optional.empty() : Optional.of("its " + what + " is " + others + ", not " + own);
    }

    private static int size(Path file, JsonNode json, String name) {
        int size = json.path(name).asInt(0);
        if (size < 1) {
            throw new ModelException(file + ": the field " + name + " is missing or is no positive number.");
        }
        return size;
    }

    private static String activation(Path file, String name) {
        return switch (name) {
            case "gelu", "gelu_python" -> "gelu_erf";
            case "gelu_new", "gelu_fast", "gelu_pytorch_tanh" -> "gelu_tanh";
            case "relu" -> "relu";
            default ->
                throw new ModelException(
                        file + ": the activation is " + name + "; Gatun runs gelu, gelu_new and relu.");
        };
    }

    /** {@code id2label} by its number; Hugging Face's classes make two of them when a config names none. */
    private static List<String> labels(Path file, JsonNode json) {
        JsonNode byId = json.path("id2label");
        List<String> labels = new ArrayList<>();
        for (int id = 0; id < byId.size(); id++) {
            JsonNode label = byId.path(String.valueOf(id));
            if (label.isMissingNode()) {
                throw new ModelException(file + ": the field id2label has " + byId.size() + " labels and none of " + id
                        + "; its keys are the numbers from 0 on, without a gap.");
            }
            labels.add(label.asText());
        }
        return labels.isEmpty() ? List.of("LABEL_0", "LABEL_1") : labels;
    }

    private static ProblemType problemType(Path file, String id) {
        try {
            return ProblemType.of(id);
        } catch (ModelException e) {
            throw new ModelException(file + ": " + e.getMessage(), e);
        }
    }
}
