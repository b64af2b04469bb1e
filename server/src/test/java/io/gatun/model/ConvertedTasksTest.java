package io.gatun.model;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.TensorType;
import io.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of the classes that answer questions and fill masks, converted, against what Hugging Face answers with them. */
final class ConvertedTasksTest {
    private static final Path GOLDEN = Path.of("src/test/resources/io/gatun/golden");
    private static final String WEIGHTS = "model.safetensors";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"distilbert-uncased", "distilbert-cased", "bert-uncased"})
    void masksAreFilledAsTheClassDoes(String name) throws IOException {
        try (TextModel model = converted(GOLDEN.resolve(name).resolve("fill-mask"), TensorType.F32)) {
            Head head = model.description().heads().getFirst();
            assertThat(head.name()).isEqualTo("words");
            assertThat(head.task()).isEqualTo(Task.FILL_MASK);
            assertThat(head.labels()).isEmpty();
            int checked = 0;
            for (JsonNode line : Checkpoints.lines("golden/" + name + "/fill-mask/golden.jsonl")) {
                JsonNode call = line.path("call");
                if (!call.path("inputs").isTextual()
                        || call.has("parameters")
                        || !line.at("/answer/0").has("score")) {
                    continue;
                }
                Encoding encoding = model.tokenizer().encode(call.path("inputs").asText(), true);
                double[] scores = softmax(logits(model, encoding));
                for (JsonNode word : line.path("answer")) {
                    int token = word.path("token").asInt();
                    assertThat(scores[token])
                            .as("%s: %s", call, word)
                            .isCloseTo(word.path("score").asDouble(), offset(1e-4));
                    checked++;
                }
            }
            assertThat(checked).isGreaterThan(4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"distilbert-uncased", "distilbert-cased", "bert-uncased"})
    void answersStartAndEndAsTheClassSays(String name) throws IOException {
        Path source = GOLDEN.resolve(name).resolve("question-answering");
        Map<String, Checkpoints.Tensor> tensors = Checkpoints.read(source.resolve(WEIGHTS));
        float[] weight = requireNonNull(tensors.get("qa_outputs.weight")).values();
        float[] bias = requireNonNull(tensors.get("qa_outputs.bias")).values();
        try (TextModel model = converted(source, TensorType.F32);
                Session session = Session.open(model.kernel(), new SessionLimits(128, 1))) {
            Head head = model.description().heads().getFirst();
            assertThat(head.name()).isEqualTo("answers");
            assertThat(head.task()).isEqualTo(Task.QUESTION_ANSWERING);
            assertThat(head.labels()).containsExactly("start", "end");
            Encoding encoding = model.tokenizer().encodePair("Who flew to Berlin?", "Anna Smith flew to Berlin.");
            session.batch().clear();
            session.batch().add(encoding.ids(), model.typeIds(encoding), 1, true);
            session.run();
            float[] logits = session.logits(0, 0);
            float[] rows = session.states(0);
            int width = model.description().embeddingLength();
            assertThat(logits).hasSize(2 * encoding.length());
            for (int i = 0; i < logits.length; i++) {
                double expected = bias[i % 2];
                for (int j = 0; j < width; j++) {
                    expected += weight[i % 2 * width + j] * rows[i / 2 * width + j];
                }
                assertThat((double) logits[i]).isCloseTo(expected, offset(1e-4));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-uncased", "distilbert-cased"})
    void theWordEmbeddingsMayBeStoredOnceMore(String name) throws IOException {
        boolean distil = name.startsWith("distil");
        Map<String, Checkpoints.Tensor> tensors = copied(name);
        String embeddings = (distil ? "distilbert" : "bert") + ".embeddings.word_embeddings.weight";
        String decoder = distil ? "vocab_projector.weight" : "cls.predictions.decoder.weight";
        Checkpoints.Tensor words = requireNonNull(tensors.get(embeddings));
        tensors.put(
                decoder, new Checkpoints.Tensor(words.shape(), words.values().clone()));
        Checkpoints.write(folder.resolve(WEIGHTS), tensors);
        float[] logits;
        try (TextModel model = converted(folder, TensorType.F32)) {
            logits = logits(model, model.tokenizer().encode("a [MASK] b", true));
        }
        try (TextModel model = converted(GOLDEN.resolve(name).resolve("fill-mask"), TensorType.F32)) {
            assertThat(logits).containsExactly(logits(model, model.tokenizer().encode("a [MASK] b", true)));
        }
        requireNonNull(tensors.get(decoder)).values()[5] += 0.5f;
        Checkpoints.write(folder.resolve(WEIGHTS), tensors);
        assertThatThrownBy(() -> converted(folder, TensorType.F32))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("the tensor " + decoder + " differs from the word embeddings, by up to 0.500;");
    }

    @Test
    void theBiasOfBertsWordsHasTwoNames() throws IOException {
        Map<String, Checkpoints.Tensor> tensors = copied("bert-uncased");
        tensors.put("cls.predictions.decoder.bias", requireNonNull(tensors.remove("cls.predictions.bias")));
        Checkpoints.write(folder.resolve(WEIGHTS), tensors);
        Path file = folder.resolve("m.gguf");
        Converter.convert(folder, file, TensorType.Q8_0, (done, total) -> {});
        Path other = folder.resolve("other.gguf");
        tensors.put("cls.predictions.bias", requireNonNull(tensors.remove("cls.predictions.decoder.bias")));
        Checkpoints.write(folder.resolve(WEIGHTS), tensors);
        Converter.convert(folder, other, TensorType.Q8_0, (done, total) -> {});
        assertThat(file).hasSameBinaryContentAs(other);
    }

    /** The head has the encoder's own activation, of which there are several; each way to compute knows them all. */
    @ParameterizedTest
    @ValueSource(strings = {"gelu_new", "relu"})
    void aHeadHasTheActivationOfItsEncoder(String activation) throws IOException {
        copied("bert-uncased");
        Path config = folder.resolve("config.json");
        Files.writeString(
                config,
                Files.readString(config).replace("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"" + activation + "\""));
        Path file = folder.resolve("m.gguf");
        Converter.convert(folder, file, TensorType.F32, (done, total) -> {});
        try (TextModel fused = TextModel.load("m", ModelSource.file(file), Compute.F32);
                TextModel graph = TextModel.load("m", ModelSource.file(file), Compute.GGML)) {
            assertThat(fused.description().heads().getFirst().activation())
                    .isEqualTo(activation.equals("relu") ? "relu" : "gelu_tanh");
            Encoding encoding = fused.tokenizer().encode("a [MASK] b", true);
            assertThat(logits(fused, encoding)).containsExactly(logits(graph, encoding), offset(1e-2f));
        }
    }

    /** The same head in heads.json, and beside it one that answers questions. */
    @Test
    void headsOfBothKindsInHeadsJson() throws IOException {
        String name = "distilbert-uncased";
        copied(name);
        ObjectNode json = new ObjectMapper().createObjectNode();
        ObjectNode words = json.putArray("heads").addObject();
        words.put("name", "cloze").put("task", "fill-mask").put("file", WEIGHTS).put("activation", "gelu");
        words.putArray("tensors").add("vocab_transform").add("vocab_layer_norm").add("vocab_projector");
        words.withObject("/reads").putArray("layers").add(2);
        ObjectNode spans = json.withArray("/heads").addObject();
        spans.put("name", "spans").put("task", "question-answering").put("file", "spans.safetensors");
        spans.putArray("tensors").add("qa_outputs");
        spans.withObject("/reads").putArray("layers").add(2);
        Files.writeString(folder.resolve("heads.json"), json.toString());
        Map<String, Checkpoints.Tensor> answers = Checkpoints.read(
                GOLDEN.resolve(name).resolve("question-answering").resolve(WEIGHTS));
        answers.keySet().removeIf(tensor -> !tensor.startsWith("qa_outputs"));
        Checkpoints.write(folder.resolve("spans.safetensors"), answers);
        try (TextModel model = converted(folder, TensorType.Q8_0);
                TextModel alone = converted(GOLDEN.resolve(name).resolve("fill-mask"), TensorType.Q8_0)) {
            assertThat(model.description().heads())
                    .extracting(Head::task)
                    .containsExactly(Task.FILL_MASK, Task.QUESTION_ANSWERING);
            assertThat(model.description().heads().get(1).labels()).isEqualTo(List.of("start", "end"));
            Encoding encoding = model.tokenizer().encode("[MASK] is [MASK].", true);
            assertThat(logits(model, encoding))
                    .hasSize(2 * model.description().vocabularySize())
                    .containsExactly(logits(alone, encoding));
        }
        words.withObject("/reads").putArray("layers").add(1).add(2);
        Files.writeString(folder.resolve("heads.json"), json.toString());
        assertThatThrownBy(() -> converted(folder, TensorType.F32)).hasMessageContaining("reads one layer");
        words.putArray("tensors").add("vocab_projector");
        Files.writeString(folder.resolve("heads.json"), json.toString());
        assertThatThrownBy(() -> converted(folder, TensorType.F32)).hasMessageContaining("names 1 parts");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mean_tokens", "cls_token", "lasttoken", "max_tokens"})
    void poolingIsThatOfSentenceTransformers(String mode) throws IOException {
        copied("bert-uncased");
        Path pooling = Files.createDirectories(folder.resolve("1_Pooling")).resolve("config.json");
        Files.writeString(
                pooling,
                "{\"word_embedding_dimension\": 32, \"pooling_mode_cls_token\": false, \"pooling_mode_" + mode
                        + "\": true}");
        try (TextModel model = converted(folder, TensorType.F32)) {
            assertThat(model.description().pooling())
                    .isEqualTo(
                            switch (mode) {
                                case "mean_tokens" -> Pooling.MEAN;
                                case "cls_token" -> Pooling.CLS;
                                case "lasttoken" -> Pooling.LAST;
                                default -> Pooling.MAX;
                            });
        }
        Files.writeString(pooling, "{\"pooling_mode_weightedmean_tokens\": true}");
        assertThatThrownBy(() -> converted(folder, TensorType.F32)).hasMessageContaining("weightedmean_tokens");
        Files.writeString(pooling, "{\"pooling_mode_mean_tokens\": true, \"pooling_mode_max_tokens\": true}");
        assertThatThrownBy(() -> converted(folder, TensorType.F32)).hasMessageContaining("2 poolings");
    }

    /** Puts the fill-mask folder of that golden model into the test's own. */
    private Map<String, Checkpoints.Tensor> copied(String name) throws IOException {
        Path source = GOLDEN.resolve(name).resolve("fill-mask");
        for (String file : List.of("config.json", "tokenizer.json", WEIGHTS)) {
            Files.copy(source.resolve(file), folder.resolve(file));
        }
        return Checkpoints.read(folder.resolve(WEIGHTS));
    }

    private TextModel converted(Path source, TensorType type) {
        Path file = folder.resolve("converted.gguf");
        Converter.convert(source, file, type, (done, total) -> {});
        return TextModel.load("m", ModelSource.file(file), Compute.F32);
    }

    /** The first head's logits. */
    private static float[] logits(TextModel model, Encoding encoding) {
        try (Session session = Session.open(model.kernel(), new SessionLimits(128, 1))) {
            session.batch().clear();
            session.batch().add(encoding.ids(), model.typeIds(encoding), 1, false);
            session.run();
            return session.logits(0, 0);
        }
    }

    private static double[] softmax(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double[] scores = new double[logits.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Math.exp(logits[i] - largest);
        }
        double sum = Arrays.stream(scores).sum();
        return Arrays.stream(scores).map(score -> score / sum).toArray();
    }
}
