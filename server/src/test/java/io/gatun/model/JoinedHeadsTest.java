package io.gatun.model;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Heads of several folders become one model where their encoder is one, and are refused with numbers where not. */
final class JoinedHeadsTest {
    private static final String WEIGHTS = "model.safetensors";
    private static final String CHANGED = "transformer.layer.1.ffn.lin1.weight";
    private static final int[] IDS = {2, 40, 71, 300, 4, 123, 599, 8, 3};

    @TempDir
    private Path folder;

    private Path base = Path.of("");
    private Path other = Path.of("");

    /** The same encoder, with a head of its own numbers. */
    @BeforeEach
    void copy() throws IOException {
        base = Files.createDirectory(folder.resolve("base"));
        other = Files.createDirectory(folder.resolve("other"));
        Checkpoints.copy("distilbert-small", base);
        Checkpoints.copy("distilbert-small", other);
        Random random = new Random(9);
        Map<String, Checkpoints.Tensor> tensors = Checkpoints.read(other.resolve(WEIGHTS));
        tensors.replaceAll((name, tensor) -> name.contains("classifier")
                ? Checkpoints.Tensor.random(random, tensor.shape().toArray(Integer[]::new))
                : tensor);
        Checkpoints.write(other.resolve(WEIGHTS), tensors);
    }

    @Test
    void aJoinedHeadAnswersAsInAModelOfItsOwn() throws IOException {
        Path joined = join(Map.of("other", other));
        Path alone = folder.resolve("alone.gguf");
        Converter.convert(other, alone, TensorType.Q8_0, (done, total) -> {});
        try (TextModel both = TextModel.load("m", ModelSource.file(joined));
                TextModel one = TextModel.load("m", ModelSource.file(alone))) {
            assertThat(both.description().heads()).extracting(Head::name).containsExactly("classification", "other");
            assertThat(both.description().heads().get(1).labels())
                    .isEqualTo(one.description().heads().getFirst().labels());
            assertThat(logits(both, 1)).containsExactly(logits(one, 0));
            assertThat(logits(both, 0)).isNotEqualTo(logits(one, 0));
        }
    }

    @Test
    void theFirstJoinedHeadOfABareModelIsItsDefault() throws IOException {
        Map<String, Checkpoints.Tensor> tensors = Checkpoints.read(base.resolve(WEIGHTS));
        tensors.keySet().removeIf(name -> name.contains("classifier"));
        Checkpoints.write(base.resolve(WEIGHTS), tensors);
        change(base, "DistilBertForSequenceClassification", "DistilBertModel");
        Map<String, Path> heads = new LinkedHashMap<>();
        heads.put("second", other);
        heads.put("first", other);
        try (TextModel model = TextModel.load("m", ModelSource.file(join(heads)), Compute.F32)) {
            assertThat(model.defaultHead(Task.TEXT_CLASSIFICATION).name()).isEqualTo("second");
            assertThat(logits(model, 0)).containsExactly(logits(model, 1));
        }
    }

    /** Checkpoints of four classes whose encoder is one: all their heads in one file. */
    @Test
    void headsOfEveryTaskJoin() throws IOException {
        Path golden = Path.of("src/test/resources/io/gatun/golden/bert-uncased");
        base = golden.resolve("text-classification");
        Map<String, Path> heads = new LinkedHashMap<>();
        for (String task : new String[] {"token-classification", "question-answering", "fill-mask"}) {
            heads.put(task, golden.resolve(task));
        }
        try (TextModel model = TextModel.load("m", ModelSource.file(join(heads)))) {
            assertThat(model.description().heads()).extracting(Head::task).containsExactly(Task.values());
            for (Head head : model.description().heads().subList(1, 4)) {
                Path alone = folder.resolve(head.name() + ".gguf");
                Converter.convert(golden.resolve(head.name()), alone, TensorType.Q8_0, (done, total) -> {});
                try (TextModel one = TextModel.load("m", ModelSource.file(alone))) {
                    assertThat(logits(model, head.index())).containsExactly(logits(one, 0));
                }
            }
        }
    }

    @Test
    void anEncoderThatDiffersIsRefusedWithTheNumbers() throws IOException {
        Map<String, Checkpoints.Tensor> tensors = Checkpoints.read(other.resolve(WEIGHTS));
        requireNonNull(tensors.get("distilbert." + CHANGED)).values()[77] += 0.125f;
        requireNonNull(tensors.get("distilbert.embeddings.LayerNorm.bias")).values()[3] -= 0.0625f;
        Checkpoints.write(other.resolve(WEIGHTS), tensors);
        Path third = Checkpoints.folder("distilbert-token-small");
        Map<String, Path> heads = new LinkedHashMap<>();
        heads.put("mine", other);
        heads.put("tags", third);
        heads.put("same", base);
        assertRefused(
                heads,
                "The encoder of " + base + " is not that of the head mine of " + other + " (2 of 36 tensors differ, "
                        + CHANGED + " the most: by up to 0.125) and of the head tags of " + third + " (");
    }

    @Test
    void roundingToACoarserTypeIsNoDifference() throws IOException {
        for (String type : new String[] {"F16", "BF16"}) {
            Path rounded = Files.createDirectory(folder.resolve(type));
            Checkpoints.copy("distilbert-small", rounded);
            round(rounded.resolve(WEIGHTS), type);
            assertThat(join(Map.of("rounded", rounded))).isRegularFile();
        }
    }

    @Test
    void anotherArchitectureOrTokenizerIsRefused() throws IOException {
        assertRefused(Map.of("b", Checkpoints.folder("bert-small")), "its model_type is bert, not distilbert");
        change(other, "\"n_heads\": 4", "\"n_heads\": 2");
        assertRefused(Map.of("b", other), "its number of attention heads is 2, not 4");
        change(other, "\"n_heads\": 2", "\"n_heads\": 4");
        Path tokenizer = other.resolve("tokenizer.json");
        Files.writeString(
                tokenizer, Files.readString(tokenizer).replace("\"lowercase\": true", "\"lowercase\": false"));
        assertRefused(Map.of("b", other), "its tokenizer is another one");
        Files.delete(tokenizer);
        Files.delete(other.resolve("vocab.txt"));
        assertThat(join(Map.of("b", other))).isRegularFile();
    }

    @Test
    void namesAndFoldersThatCannotJoin() {
        assertRefused(Map.of("Big", other), "The head's name Big is not 1 to 63");
        assertRefused(Map.of("classification", other), "has a head classification already");
        assertRefused(Map.of("many", Checkpoints.folder("distilbert-heads-small")), "has 4 heads");
        assertRefused(Map.of("none", folder.resolve("none")), "is no folder");
        Map<String, Path> heads = new LinkedHashMap<>();
        for (int i = 0; i < 31; i++) {
            heads.put("h" + i, other);
        }
        assertRefused(heads, "32 heads are too many");
    }

    private Path join(Map<String, Path> heads) {
        Path file = folder.resolve("joined.gguf");
        Converter.convert(base, heads, file, TensorType.Q8_0, (done, total) -> {});
        return file;
    }

    private void assertRefused(Map<String, Path> heads, String message) {
        assertThatThrownBy(() -> join(heads))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining(message)
                .hasMessageEndingWith(".");
        assertThat(folder.resolve("joined.gguf")).doesNotExist();
    }

    private static float[] logits(TextModel model, int head) {
        try (Session session = Session.open(model.kernel(), new SessionLimits(64, 1))) {
            session.batch().clear();
            session.batch().add(IDS, null, 1 << head, false);
            session.run();
            return session.logits(0, head);
        }
    }

    private static void change(Path folder, String found, String changed) throws IOException {
        Path config = folder.resolve("config.json");
        assertThat(Files.readString(config)).contains(found);
        Files.writeString(config, Files.readString(config).replace(found, changed));
    }

    /** Stores every tensor in 16 bits. */
    private static void round(Path file, String type) throws IOException {
        Map<String, Checkpoints.Tensor> tensors = Checkpoints.read(file);
        int numbers = tensors.values().stream()
                .mapToInt(tensor -> tensor.values().length)
                .sum();
        ByteBuffer data = ByteBuffer.allocate(2 * numbers).order(ByteOrder.LITTLE_ENDIAN);
        for (Checkpoints.Tensor tensor : tensors.values()) {
            for (float value : tensor.values()) {
                data.putShort(
                        type.equals("F16")
                                ? Float.floatToFloat16(value)
                                : (short) ((Float.floatToIntBits(value) + 0x8000) >> 16));
            }
        }
        Checkpoints.write(file, tensors);
        byte[] written = Files.readAllBytes(file);
        int header = 8 + ByteBuffer.wrap(written).order(ByteOrder.LITTLE_ENDIAN).getInt();
        Files.write(
                file,
                ByteBuffer.allocate(header + 2 * numbers)
                        .put(written, 0, header)
                        .put(data.array())
                        .array());
        Checkpoints.rewrite(
                file,
                node -> node.properties().forEach(entry -> {
                    var tensor = (ObjectNode) entry.getValue();
                    long start = tensor.at("/data_offsets/0").asLong() / 2;
                    long end = tensor.at("/data_offsets/1").asLong() / 2;
                    tensor.put("dtype", type);
                    tensor.putArray("data_offsets").add(start).add(end);
                }),
                0);
    }
}
