package io.gatun.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.text.WordPieceVocabulary;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A model as Hugging Face's classes save it: {@code config.json}, {@code model.safetensors} or its shards, the
 * tokenizer's files, and perhaps Gatun's {@code heads.json} with the heads that those classes cannot hold. Keeps its
 * files open.
 */
final class HuggingFaceFolder implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MODEL = "model.safetensors";
    private static final String POOLING_MODE = "pooling_mode_";

    private final Path folder;
    private final HuggingFaceConfig config;
    private final Map<String, Weights> weights = new HashMap<>();

    private HuggingFaceFolder(Path folder, HuggingFaceConfig config) {
        this.folder = folder;
        this.config = config;
    }

    static HuggingFaceFolder open(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new ModelException(
                    folder + " is no folder; give the one that holds config.json and model.safetensors.");
        }
        Path file = folder.resolve("config.json");
        if (!Files.isRegularFile(file)) {
            throw new ModelException("The folder " + folder + " has no file config.json.");
        }
        return new HuggingFaceFolder(folder, HuggingFaceConfig.read(file, json(file)));
    }

    Path path() {
        return folder;
    }

    HuggingFaceConfig config() {
        return config;
    }

    /** The folder's own name. */
    String name() {
        return String.valueOf(folder.toAbsolutePath().normalize().getFileName());
    }

    WordPieceVocabulary vocabulary() throws IOException {
        return TokenizerFiles.read(folder, config.vocabularySize());
    }

    /** A folder from training may have none; a model can be made of it only together with one that does. */
    boolean hasTokenizer() {
        return Files.exists(folder.resolve("tokenizer.json")) || Files.exists(folder.resolve("vocab.txt"));
    }

    /** How sentence-transformers pools the rows, where the folder says it. */
    Optional<Pooling> pooling() throws IOException {
        Path file = folder.resolve("1_Pooling").resolve("config.json");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        JsonNode json = json(file);
        List<String> modes = new ArrayList<>();
        if (json.path("pooling_mode").isTextual()) {
            modes.add(json.path("pooling_mode").asText());
        }
        json.properties().forEach(field -> {
            if (field.getKey().startsWith(POOLING_MODE) && field.getValue().asBoolean()) {
                modes.add(field.getKey().substring(POOLING_MODE.length()));
            }
        });
        if (modes.isEmpty()) {
            return Optional.empty();
        }
        if (modes.size() > 1) {
            throw new ModelException(file + " turns on " + modes.size() + " poolings; Gatun does one.");
        }
        return Optional.of(
                switch (modes.getFirst()) {
                    case "mean_tokens", "mean" -> Pooling.MEAN;
                    case "cls_token", "cls" -> Pooling.CLS;
                    case "lasttoken" -> Pooling.LAST;
                    case "max_tokens", "max" -> Pooling.MAX;
                    default ->
                        throw new ModelException(file + ": the pooling is " + modes.getFirst()
                                + "; Gatun does mean_tokens, cls_token, lasttoken and max_tokens.");
                });
    }

    /** The heads of {@code heads.json} or, without one, the head of the class that saved the folder. */
    List<HeadWeights> heads() throws IOException {
        Path file = folder.resolve("heads.json");
        if (Files.exists(file)) {
            return new HeadsFile(file, config.layerCount(), this::weights).read(json(file));
        }
        String kind = config.kind().className();
        String task = config.architecture().startsWith(kind)
                ? config.architecture().substring(kind.length())
                : config.architecture();
        return switch (task) {
            case "Model" -> List.of();
            case "ForSequenceClassification" -> List.of(textHead());
            case "ForTokenClassification" ->
                List.of(tokenHead("tokens", Task.TOKEN_CLASSIFICATION, config.labels(), "classifier"));
            case "ForQuestionAnswering" ->
                List.of(tokenHead("answers", Task.QUESTION_ANSWERING, Task.ANSWER_LABELS, "qa_outputs"));
            case "ForMaskedLM", "ForPreTraining" -> List.of(wordHead());
            default ->
                throw new ModelException("The folder " + folder + " was saved by " + config.architecture()
                        + "; Gatun converts the bare model, ForSequenceClassification, ForTokenClassification,"
                        + " ForQuestionAnswering and ForMaskedLM.");
        };
    }

    /** A tensor of the encoder, whose name has the model's prefix or not. */
    Weights.Source encoder(EncoderTensor tensor) {
        return weights(MODEL)
                .tensor(tensor.rows(), tensor.columns(), config.kind().prefix() + tensor.source(), tensor.source());
    }

    private HeadWeights textHead() {
        boolean distil = config.kind() == HuggingFaceConfig.Kind.DISTILBERT;
        return new HeadWeights.Labels(
                head("classification", Task.TEXT_CLASSIFICATION, config.labels(), distil ? "relu" : "tanh"),
                List.of(),
                part(distil ? "pre_classifier" : "bert.pooler.dense"),
                part("classifier"));
    }

    private HeadWeights tokenHead(String name, Task task, List<String> labels, String output) {
        return new HeadWeights.Labels(head(name, task, labels, "none"), List.of(), null, part(output));
    }

    /** The classes call the same layers by names of their own; BERT's bias has two. */
    private HeadWeights wordHead() {
        String activation = config.activation().equals("gelu_erf") ? "gelu" : config.activation();
        Head head = head("words", Task.FILL_MASK, List.of(), activation);
        Weights file = weights(MODEL);
        if (config.kind() == HuggingFaceConfig.Kind.DISTILBERT) {
            return new HeadWeights.Words(
                    head,
                    part("vocab_transform"),
                    part("vocab_layer_norm"),
                    file,
                    "vocab_projector.weight",
                    "vocab_projector.bias");
        }
        String bias = "cls.predictions.bias";
        return new HeadWeights.Words(
                head,
                part("cls.predictions.transform.dense"),
                part("cls.predictions.transform.LayerNorm"),
                file,
                "cls.predictions.decoder.weight",
                file.find(bias).isPresent() ? bias : "cls.predictions.decoder.bias");
    }

    private Head head(String name, Task task, List<String> labels, String activation) {
        return new Head(
                0,
                name,
                task,
                config.problemType(),
                labels,
                activation,
                List.of(config.layerCount()),
                OptionalDouble.empty());
    }

    private HeadWeights.Part part(String name) {
        return new HeadWeights.Part(weights(MODEL), name);
    }

    private Weights weights(String name) {
        return weights.computeIfAbsent(name, key -> {
            try {
                return Weights.open(folder, key);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    static JsonNode json(Path file) throws IOException {
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new ModelException(file + " is no JSON: " + e.getOriginalMessage() + ".", e);
        } catch (CharConversionException e) {
            throw new ModelException(file + " is not in UTF-8; save it in that encoding.", e);
        }
    }

    @Override
    public void close() throws IOException {
        for (Weights file : weights.values()) {
            file.close();
        }
    }
}
