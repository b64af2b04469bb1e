package io.gatun.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A {@code .safetensors} file, read row by row. The header is validated whole before any tensor is.
 *
 * @see <a href="https://github.com/huggingface/safetensors">the format</a>
 */
final class Safetensors implements AutoCloseable {
    private static final int MAX_HEADER = 100 << 20; // the format's own bound

    /** A tensor's numbers in the file, row-major: {@code F32}, {@code F16} or {@code BF16}, or a type left alone. */
    record Tensor(String name, String type, List<Long> shape, long start, long end) {
        long rows() {
            return shape.size() < 2 ? 1 : shape.getFirst();
        }

        long columns() {
            return shape.isEmpty() ? 1 : shape.getLast();
        }

        int width() {
            return type.equals("F32") ? 4 : 2;
        }
    }

    private final Path path;
    private final FileChannel channel;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private Safetensors(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    static Safetensors open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path);
        try {
            Safetensors file = new Safetensors(path, channel);
            file.readHeader();
            return file;
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    Optional<Tensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    Collection<Tensor> tensors() {
        return tensors.values();
    }

    Path path() {
        return path;
    }

    /**
     * Reads whole rows as floats.
     *
     * @param target {@code [count][columns]}
     */
    void read(Tensor tensor, long row, int count, float[] target) throws IOException {
        int values = Math.toIntExact(count * tensor.columns());
        ByteBuffer bytes = bytes(tensor.start() + row * tensor.columns() * tensor.width(), values * tensor.width());
        for (int i = 0; i < values; i++) {
            target[i] = switch (tensor.type()) {
                case "F32" -> bytes.getFloat();
                case "F16" -> Float.float16ToFloat(bytes.getShort());
                default -> Float.intBitsToFloat(bytes.getShort() << 16);
            };
            if (!Float.isFinite(target[i])) {
                throw new ModelException(path + " holds a number that is not finite in tensor " + tensor.name() + ".");
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void readHeader() throws IOException {
        long size = channel.size();
        long length = size < 8 ? -1 : bytes(0, 8).getLong();
        if (length < 2 || length > MAX_HEADER || length > size - 8) {
            throw damaged("its header does not fit");
        }
        JsonNode header;
        try {
            header = new ObjectMapper().readTree(bytes(8, (int) length).array());
        } catch (JsonProcessingException e) {
            throw damaged("its header is no JSON");
        }
        if (!header.isObject()) {
            throw damaged("its header is no JSON object");
        }
        for (Map.Entry<String, JsonNode> entry : header.properties()) {
            if (!entry.getKey().equals("__metadata__")) {
                tensors.put(entry.getKey(), tensor(entry.getKey(), entry.getValue(), 8 + length, size));
            }
        }
        checkCover(8 + length, size);
    }

    /** The format wants every byte behind the header to belong to exactly one tensor. */
    private void checkCover(long dataStart, long size) {
        List<Tensor> ordered = new ArrayList<>(tensors.values());
        ordered.sort(Comparator.comparingLong(Tensor::start).thenComparingLong(Tensor::end));
        long covered = dataStart;
        for (Tensor tensor : ordered) {
            if (tensor.start() != covered) {
                throw damaged("tensor " + tensor.name()
                        + (tensor.start() < covered ? " overlaps the one" : " leaves a hole") + " before it");
            }
            covered = tensor.end();
        }
        if (covered != size) {
            throw damaged("no tensor covers its last " + (size - covered) + " bytes");
        }
    }

    private Tensor tensor(String name, JsonNode node, long dataStart, long size) {
        String type = node.path("dtype").asText();
        List<Long> shape = new ArrayList<>();
        long elements = 1;
        for (JsonNode length : node.path("shape")) {
            if (!length.canConvertToLong() || length.asLong() < 0 || length.asLong() > size) {
                throw damaged("tensor " + name + " has no shape");
            }
            shape.add(length.asLong());
            elements = elements * length.asLong();
            if (elements > size) {
                throw damaged("tensor " + name + " is larger than the file");
            }
        }
        long begin = node.path("data_offsets").path(0).asLong(-1);
        long end = node.path("data_offsets").path(1).asLong(-1);
        if (begin < 0 || end < begin || end > size - dataStart) {
            throw damaged("tensor " + name + " ends behind the end of the file");
        }
        Tensor tensor = new Tensor(name, type, List.copyOf(shape), dataStart + begin, dataStart + end);
        // Other types (the positions that old checkpoints carry as I64) are only refused when they are asked for.
        if (isFloat(type) && end - begin != elements * tensor.width()) {
            throw damaged("tensor " + name + " has another size than its shape");
        }
        return tensor;
    }

    static boolean isFloat(String type) {
        return type.equals("F32") || type.equals("F16") || type.equals("BF16");
    }

    private ByteBuffer bytes(long start, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, start + buffer.position()) < 0) {
                throw new EOFException(path + " ends too early");
            }
        }
        return buffer.flip();
    }

    private ModelException damaged(String how) {
        return new ModelException(path + " is truncated or damaged: " + how + ".");
    }
}
