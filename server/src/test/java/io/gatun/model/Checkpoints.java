package io.gatun.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The checkpoints and golden rows that Hugging Face's classes wrote. */
public final class Checkpoints {
    private static final Path RESOURCES = Path.of("src/test/resources/io/gatun");
    private static final ObjectMapper JSON = new ObjectMapper();

    private Checkpoints() {}

    /** A Hugging Face folder, as {@code distilbert-small}. */
    public static Path folder(String name) {
        return RESOURCES.resolve("model").resolve(name);
    }

    /** That folder as a model file in another one. */
    public static Path convert(String name, TensorType type, Path into) {
        Path file = into.resolve(name + "-" + type + ".gguf");
        Converter.convert(folder(name), file, type, (done, total) -> {});
        return file;
    }

    /** Copies that folder into another one. */
    public static void copy(String name, Path into) throws IOException {
        try (Stream<Path> files = Files.list(folder(name))) {
            for (Path file : files.toList()) {
                Files.copy(file, into.resolve(file.getFileName().toString()));
            }
        }
    }

    /** A tensor of F32. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Tensor(List<Integer> shape, float[] values) {
        /** One with random numbers. */
        static Tensor random(Random random, Integer... shape) {
            float[] values =
                    new float[Arrays.stream(shape).mapToInt(Integer::intValue).reduce(1, (a, b) -> a * b)];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (0.3 * random.nextGaussian());
            }
            return new Tensor(List.of(shape), values);
        }
    }

    /** Writes a {@code .safetensors} file. */
    static void write(Path file, Map<String, Tensor> tensors) throws IOException {
        ObjectNode header = JSON.createObjectNode();
        int length = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            ObjectNode tensor = header.putObject(entry.getKey()).put("dtype", "F32");
            entry.getValue().shape().forEach(tensor.putArray("shape")::add);
            int end = length + 4 * entry.getValue().values().length;
            tensor.putArray("data_offsets").add(length).add(end);
            length = end;
        }
        byte[] text = JSON.writeValueAsBytes(header);
        ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text);
        for (Tensor tensor : tensors.values()) {
            for (float value : tensor.values()) {
                bytes.putFloat(value);
            }
        }
        Files.write(file, bytes.array());
    }

    /** All tensors of a {@code .safetensors} file. */
    static Map<String, Tensor> read(Path file) throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (Safetensors open = Safetensors.open(file)) {
            for (Safetensors.Tensor tensor : open.tensors()) {
                tensors.put(
                        tensor.name(),
                        new Tensor(
                                tensor.shape().stream().map(Long::intValue).toList(),
                                new Weights.Source(open, tensor).floats()));
            }
        }
        return tensors;
    }

    /** Changes the header of a {@code .safetensors} file, and adds bytes behind its tensors. */
    static void rewrite(Path file, Consumer<ObjectNode> change, int added) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] old = new byte[(int) bytes.getLong()];
        bytes.get(old);
        ObjectNode header = (ObjectNode) JSON.readTree(old);
        change.accept(header);
        byte[] changed = JSON.writeValueAsBytes(header);
        Files.write(
                file,
                ByteBuffer.allocate(8 + changed.length + bytes.remaining() + added)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(changed.length)
                        .put(changed)
                        .put(bytes)
                        .array());
    }

    /** Deals the tensors of a folder out to two shards by turns, as an index says then, and removes the whole file. */
    static void split(Path folder) throws IOException {
        Path whole = folder.resolve("model.safetensors");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(whole)).order(ByteOrder.LITTLE_ENDIAN);
        int dataStart = 8 + (int) bytes.getLong(0);
        JsonNode header = JSON.readTree(bytes.array(), 8, dataStart - 8);
        List<ObjectNode> headers = List.of(JSON.createObjectNode(), JSON.createObjectNode());
        List<ByteArrayOutputStream> data = List.of(new ByteArrayOutputStream(), new ByteArrayOutputStream());
        ObjectNode index = JSON.createObjectNode();
        int turn = 0;
        for (Map.Entry<String, JsonNode> tensor : header.properties()) {
            if (tensor.getKey().equals("__metadata__")) {
                continue;
            }
            int shard = turn++ % 2;
            int begin = tensor.getValue().path("data_offsets").path(0).asInt();
            int end = tensor.getValue().path("data_offsets").path(1).asInt();
            int start = data.get(shard).size();
            data.get(shard).write(bytes.array(), dataStart + begin, end - begin);
            ObjectNode moved = tensor.getValue().deepCopy();
            moved.putArray("data_offsets").add(start).add(start + end - begin);
            headers.get(shard).set(tensor.getKey(), moved);
            index.withObject("/weight_map").put(tensor.getKey(), shard(shard));
        }
        for (int shard = 0; shard < 2; shard++) {
            byte[] text = JSON.writeValueAsBytes(headers.get(shard));
            byte[] numbers = data.get(shard).toByteArray();
            Files.write(
                    folder.resolve(shard(shard)),
                    ByteBuffer.allocate(8 + text.length + numbers.length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(text.length)
                            .put(text)
                            .put(numbers)
                            .array());
        }
        Files.writeString(folder.resolve("model.safetensors.index.json"), index.toString());
        Files.delete(whole);
    }

    private static String shard(int index) {
        return "model-0000" + (index + 1) + "-of-00002.safetensors";
    }

    /** The lines of a {@code .jsonl} file of the resources. */
    public static List<JsonNode> lines(String file) {
        try {
            return Files.readAllLines(RESOURCES.resolve(file)).stream()
                    .map(Checkpoints::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static int[] ints(JsonNode array) {
        return JSON.convertValue(array, int[].class);
    }

    public static float[] floats(JsonNode array) {
        return JSON.convertValue(array, float[].class);
    }

    private static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
