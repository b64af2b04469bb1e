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
import java.util.List;
import java.util.Map;
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
