package io.gatun.model;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.Slab;
import io.gatun.kernel.TensorType;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders that Hugging Face's classes wrote, converted and run by the kernel, against torch and ONNX Runtime in fp32. */
final class ConverterTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "distilbert-small, F32, 1e-4",
        "distilbert-small, F16, 2e-2",
        "distilbert-small, BF16, 1e-1",
        "distilbert-small, Q8_0, 2e-1",
        "distilbert-small, Q4_0, 3",
        "bert-small, F32, 1e-4",
        "bert-small, Q8_0, 2e-1",
        "distilbert-token-small, F32, 1e-4",
        "distilbert-token-small, Q8_0, 1",
        "bert-token-small, F32, 1e-4",
        "bert-token-small, Q8_0, 1",
        "distilbert-heads-small, F32, 1e-4",
        "distilbert-heads-small, Q8_0, 1"
    })
    void logitsAreThoseOfTheCheckpoint(String name, TensorType type, float tolerance) throws Exception {
        long before = Slab.allocatedBytes();
        Path file = Checkpoints.convert(name, type, folder);
        List<JsonNode> lines = Checkpoints.lines("model/" + name + "/reference.jsonl");
        assertThat(lines).hasSize(20);
        try (TextModel model = TextModel.load(name, ModelSource.file(file), Compute.F32);
                Session session = Session.open(model.kernel(), new SessionLimits(256, 4));
                OrtSession reference = OrtEnvironment.getEnvironment()
                        .createSession(
                                Checkpoints.folder(name).resolve("model.onnx").toString())) {
            List<Head> heads = model.description().heads();
            for (JsonNode line : lines) {
                int[] ids = Checkpoints.ints(line.get("ids"));
                int @Nullable [] types = line.has("type_ids") ? Checkpoints.ints(line.get("type_ids")) : null;
                session.batch().clear();
                session.batch().add(ids, types, (1 << heads.size()) - 1, false);
                session.run();
                Map<String, float[]> expected = run(reference, ids, types);
                for (Head head : heads) {
                    String output = line.has("logits") ? "logits" : head.name();
                    float[] logits = session.logits(0, head.index());
                    assertClose(logits, Checkpoints.floats(line.get(output)), tolerance);
                    assertClose(logits, expected.get(output), tolerance);
                }
            }
        }
        assertThat(Slab.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void keepsWhatTheFolderSays() {
        Path file = Checkpoints.convert("distilbert-heads-small", TensorType.Q8_0, folder);
        try (TextModel model = TextModel.load("m", ModelSource.file(file))) {
            ModelDescription description = model.description();
            assertThat(description.layerCount()).isEqualTo(3);
            assertThat(description.heads())
                    .extracting(Head::name)
                    .containsExactly("tone", "topics", "spans", "entities");
            Head topics = model.head("topics").orElseThrow();
            assertThat(topics.problemType()).isEqualTo(ProblemType.MULTI_LABEL_CLASSIFICATION);
            assertThat(topics.labels()).containsExactly("art", "sport", "food", "travel");
            assertThat(topics.threshold().orElseThrow()).isCloseTo(0.4, org.assertj.core.data.Offset.offset(1e-6));
            Head spans = model.head("spans").orElseThrow();
            assertThat(spans.task()).isEqualTo(Task.TOKEN_CLASSIFICATION);
            assertThat(spans.layers()).containsExactly(1, 2);
            assertThat(model.head("nothing")).isEmpty();
            assertThat(model.defaultHead(Task.TEXT_CLASSIFICATION))
                    .isEqualTo(description.heads().getFirst());
        }
    }

    @Test
    void aRowOfALinearHasOneScale() throws Exception {
        Path file = Checkpoints.convert("distilbert-small", TensorType.Q8_0, folder);
        byte[] bytes = Files.readAllBytes(file);
        try (Safetensors source =
                Safetensors.open(Checkpoints.folder("distilbert-small").resolve("model.safetensors"))) {
            Safetensors.Tensor tensor = source.find("distilbert.transformer.layer.0.ffn.lin1.weight")
                    .orElseThrow();
            float[] row = new float[64];
            source.read(tensor, 5, 1, row);
            float largest = 0;
            for (float value : row) {
                largest = Math.max(largest, Math.abs(value));
            }
            short scale = Float.floatToFloat16(largest / 127);
            byte[] expected = new byte[2 * 34];
            for (int i = 0; i < 64; i++) {
                int block = i / 32 * 34;
                expected[block] = (byte) scale;
                expected[block + 1] = (byte) (scale >> 8);
                expected[block + 2 + i % 32] =
                        (byte) Math.clamp(Math.round(row[i] / Float.float16ToFloat(scale)), -127, 127);
            }
            assertThat(indexOf(bytes, expected)).isPositive();
        }
    }

    @Test
    void shardsAreTheSameModelAsOneFile() throws Exception {
        Path split = Files.createDirectory(folder.resolve("bert-small"));
        Checkpoints.copy("bert-small", split);
        Checkpoints.split(split);
        Path file = folder.resolve("split.gguf");
        Converter.convert(split, file, TensorType.Q8_0, (done, total) -> {});
        assertThat(file).hasSameBinaryContentAs(Checkpoints.convert("bert-small", TensorType.Q8_0, folder));
    }

    @Test
    void bothSpellingsOfBertsTemplateAreTheSame() throws Exception {
        Path other = Files.createDirectory(folder.resolve("bert-small"));
        Checkpoints.copy("bert-small", other);
        Path json = other.resolve("tokenizer.json");
        ObjectNode tokenizer = (ObjectNode) new ObjectMapper().readTree(json.toFile());
        tokenizer.withObject("/truncation").put("max_length", 8);
        tokenizer.withObject("/padding").put("pad_id", 1);
        ObjectNode processor = tokenizer.putObject("post_processor").put("type", "BertProcessing");
        processor.putArray("cls").add("[CLS]").add(2);
        processor.putArray("sep").add("[SEP]").add(3);
        Files.writeString(json, tokenizer.toString());
        Path file = folder.resolve("other.gguf");
        Converter.convert(other, file, TensorType.Q8_0, (done, total) -> {});
        assertThat(file).hasSameBinaryContentAs(Checkpoints.convert("bert-small", TensorType.Q8_0, folder));
    }

    @Test
    void progressReachesTheEndAndNothingIsLeftBeside() throws Exception {
        List<long[]> seen = new ArrayList<>();
        Path file = folder.resolve("m.gguf");
        Converter.convert(
                Checkpoints.folder("bert-small"),
                file,
                TensorType.F16,
                (done, total) -> seen.add(new long[] {done, total}));
        assertThat(seen.getLast()[0]).isEqualTo(seen.getLast()[1]).isPositive();
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    private static Map<String, float[]> run(OrtSession session, int[] ids, int @Nullable [] types) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        long[] shape = {1, ids.length};
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try {
            for (String name : session.getInputNames()) {
                long[] values = switch (name) {
                    case "input_ids" -> Arrays.stream(ids).asLongStream().toArray();
                    case "attention_mask" ->
                        LongStream.generate(() -> 1).limit(ids.length).toArray();
                    default ->
                        types == null
                                ? new long[ids.length]
                                : Arrays.stream(types).asLongStream().toArray();
                };
                inputs.put(name, OnnxTensor.createTensor(environment, LongBuffer.wrap(values), shape));
            }
            Map<String, float[]> outputs = new HashMap<>();
            try (OrtSession.Result result = session.run(inputs)) {
                for (var entry : result) {
                    FloatBuffer buffer = ((OnnxTensor) entry.getValue()).getFloatBuffer();
                    float[] values = new float[buffer.remaining()];
                    buffer.get(values);
                    outputs.put(entry.getKey(), values);
                }
            }
            return outputs;
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private static void assertClose(float[] actual, float @Nullable [] expected, float tolerance) {
        assertThat(actual).isNotNull().containsExactly(expected, org.assertj.core.data.Offset.offset(tolerance));
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        for (int at = 0; at + part.length <= bytes.length; at++) {
            if (Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
                return at;
            }
        }
        return -1;
    }
}
