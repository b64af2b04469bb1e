package io.gatun.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
