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
import org.jspecify.annotations.Nullable;

/**
 * A model as Hugging Face's classes save it: {@code config.json}, {@code model.safetensors} or its shards, the
 * tokenizer's files, and perhaps Gatun's {@code heads.json} with the heads that those classes cannot hold. Keeps its
 * files open.
 */
final class HuggingFaceFolder implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
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
        if (modes.size() != 1) {
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
        boolean distil = config.kind() == HuggingFaceConfig.Kind.DISTILBERT;
        return switch (task) {
            case "Model" -> List.of();
            case "ForSequenceClassification" ->
                List.of(head(
                        "classification",
                        Task.TEXT_CLASSIFICATION,
                        distil ? "relu" : "tanh",
                        distil ? "pre_classifier" : "bert.pooler.dense"));
            case "ForTokenClassification" -> List.of(head("tokens", Task.TOKEN_CLASSIFICATION, "none", null));
            default ->
                throw new ModelException("The folder " + folder + " was saved by " + config.architecture()
                        + "; Gatun converts the bare model, ForSequenceClassification and ForTokenClassification.");
        };
    }

    /** A tensor of the encoder, whose name has the model's prefix or not. */
    Weights.Source encoder(String name, long rows, long columns) {
        return source(weights("model.safetensors"), List.of(config.kind().prefix() + name, name), rows, columns);
    }

    /** A tensor of a head. */
    Weights.Source tensor(Weights file, String name, long rows, long columns) {
        return source(file, List.of(name), rows, columns);
    }

    /** Rows of a tensor without a bound on them: a dense layer may be of any width. */
    long rows(Weights file, String name) {
        return file.find(name)
                .map(source -> source.tensor().rows())
                .orElseThrow(() -> new ModelException(file.path() + " has no tensor " + name + "."));
    }

    /** A tensor that is there and has the right shape. */
    private static Weights.Source source(Weights file, List<String> names, long rows, long columns) {
        for (String name : names) {
            // TensorFlow's names of a norm's parameters live on in old checkpoints.
            String old = name.replaceFirst("LayerNorm\\.weight$", "LayerNorm.gamma")
                    .replaceFirst("LayerNorm\\.bias$", "LayerNorm.beta");
            Optional<Weights.Source> source = file.find(name).or(() -> file.find(old));
            if (source.isPresent()) {
                return checked(source.get(), rows, columns);
            }
        }
        throw new ModelException(file.path() + " has no tensor " + names.getFirst() + ".");
    }

    private static Weights.Source checked(Weights.Source source, long rows, long columns) {
        Path path = source.file().path();
        Safetensors.Tensor tensor = source.tensor();
        List<Long> expected = rows == 1 && tensor.shape().size() == 1 ? List.of(columns) : List.of(rows, columns);
        if (!tensor.shape().equals(expected)) {
            throw new ModelException(path + ": the tensor " + tensor.name() + " has the shape " + tensor.shape()
                    + ", not " + expected + ".");
        }
        if (!Safetensors.isFloat(tensor.type())) {
            throw new ModelException(path + ": the tensor " + tensor.name() + " is of type " + tensor.type()
                    + "; Gatun converts F32, F16 and BF16.");
        }
        return source;
    }

    private HeadWeights head(String name, Task task, String activation, @Nullable String dense) {
        Weights file = weights("model.safetensors");
        Head head = new Head(
                0,
                name,
                task,
                config.problemType(),
                config.labels(),
                activation,
                List.of(config.layerCount()),
                OptionalDouble.empty());
        return new HeadWeights(
                head,
                dense == null ? null : new HeadWeights.Linear(file, dense),
                new HeadWeights.Linear(file, "classifier"));
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
