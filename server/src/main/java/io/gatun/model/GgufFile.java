package io.gatun.model;

import io.gatun.kernel.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The metadata of a GGUF file (version 2 or 3): its keys and the descriptions of its tensors. Every length is checked
 * against the file; whatever the bytes are, the outcome is this object or a {@link ModelException}.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the format</a>
 */
public final class GgufFile {
    private static final int MAX_ENTRIES = 4_096;
    private static final int MAX_STRING = 1 << 30;
    private static final int MAX_DIMENSIONS = 4;
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    private static final int DATA_ALIGNMENT = 32;

    /**
     * One tensor's description.
     *
     * @param shape the fastest dimension first
     * @param start where its numbers start, in bytes from the end of the metadata; as the file says, not checked
     */
    public record Tensor(String name, TensorType type, List<Long> shape, long bytes, long start) {
        public long elements() {
            return shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
        }
    }

    /** An array's place in the file. */
    private record Array(int elementType, long count, int start) {}

    private final MemorySegment image;
    /**
     * The image, or its first 2 GiB, in which the metadata lie. A start reads tens of thousands of texts before anything
     * is compiled, and a buffer is several times as fast then.
     */
    private final ByteBuffer bytes;

    private final Map<String, Object> keys = new LinkedHashMap<>(); // Long, Double, Boolean, String or Array
    private final List<Tensor> tensors = new ArrayList<>();
    private int at;
    private long metadataEnd;

    private GgufFile(MemorySegment image) {
        this.image = image;
        this.bytes = image.asSlice(0, Math.min(image.byteSize(), Integer.MAX_VALUE))
                .asByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Reads the metadata of a file's bytes. */
    public static GgufFile parse(MemorySegment image) {
        GgufFile file = new GgufFile(image);
        file.read();
        return file;
    }

    public List<Tensor> tensors() {
        return List.copyOf(tensors);
    }

    /**
     * A tensor's numbers as the file stores them.
     *
     * @throws ModelException when they do not lie in the file
     */
    public MemorySegment data(Tensor tensor) {
        int alignment = Math.max(1, integer("general.alignment").orElse(DATA_ALIGNMENT));
        long dataStart = Math.ceilDiv(metadataEnd, alignment) * alignment;
        if (tensor.start() < 0 || tensor.start() > image.byteSize() - dataStart - tensor.bytes()) {
            throw damaged("the tensor " + tensor.name() + " does not lie in the file");
        }
        return image.asSlice(dataStart + tensor.start(), tensor.bytes());
    }

    long bytes() {
        return image.byteSize();
    }

    Optional<String> text(String key) {
        return value(key, String.class);
    }

    Optional<Boolean> flag(String key) {
        return value(key, Boolean.class);
    }

    OptionalInt integer(String key) {
        Optional<Long> number = value(key, Long.class);
        if (number.isEmpty()) {
            return OptionalInt.empty();
        }
        if (number.get() < 0 || number.get() > Integer.MAX_VALUE) {
            throw new ModelException("The key " + key + " is out of bounds: " + number.get() + ".");
        }
        return OptionalInt.of(number.get().intValue());
    }

    public OptionalDouble number(String key) {
        Optional<Double> number = value(key, Double.class);
        return number.isPresent() ? OptionalDouble.of(number.get()) : OptionalDouble.empty();
    }

    /** An array of texts, or an empty list. */
    List<String> texts(String key) {
        Optional<Array> array = value(key, Array.class);
        if (array.isEmpty()) {
            return List.of();
        }
        if (array.get().elementType() != STRING) {
            throw new ModelException("The key " + key + " is no array of texts.");
        }
        at = array.get().start();
        List<String> texts = new ArrayList<>();
        for (long i = 0; i < array.get().count(); i++) {
            texts.add(string());
        }
        return texts;
    }

    /** An array of 32-bit integers, or an empty one. */
    int[] integers(String key) {
        Optional<Array> array = value(key, Array.class);
        if (array.isEmpty()) {
            return new int[0];
        }
        if (array.get().elementType() != 4 && array.get().elementType() != 5) {
            throw new ModelException("The key " + key + " is no array of 32-bit integers.");
        }
        int[] integers = new int[(int) array.get().count()];
        bytes.slice(array.get().start(), 4 * integers.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .asIntBuffer()
                .get(integers);
        return integers;
    }

    /** How many numbers an array of any type holds; 0 when it is not there. */
    long count(String key) {
        return value(key, Array.class).map(Array::count).orElse(0L);
    }

    private <T> Optional<T> value(String key, Class<T> type) {
        Object value = keys.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!type.isInstance(value)) {
            throw new ModelException("The key " + key + " has another type than a GGUF file gives it.");
        }
        return Optional.of(type.cast(value));
    }

    private void read() {
        if (image.byteSize() < 24 || u32() != 0x46554747) {
            throw new ModelException("it is no GGUF file");
        }
        long version = u32();
        if (version != 2 && version != 3) {
            throw new ModelException("it is GGUF version " + version + ", which Gatun does not read");
        }
        long tensorCount = u64();
        long keyCount = u64();
        if (tensorCount < 0 || tensorCount > MAX_ENTRIES || keyCount < 0 || keyCount > MAX_ENTRIES) {
            throw damaged("its header names " + tensorCount + " tensors and " + keyCount + " keys");
        }
        for (long i = 0; i < keyCount; i++) {
            String key = string();
            if (keys.put(key, value((int) u32())) != null) {
                throw damaged("the key " + key + " is there twice");
            }
        }
        for (long i = 0; i < tensorCount; i++) {
            tensors.add(tensor());
        }
        metadataEnd = at;
    }

    private Object value(int type) {
        return switch (type) {
            case 0 -> (long) (bytes.get(take(1)) & 0xff);
            case 1 -> (long) bytes.get(take(1));
            case 2 -> (long) (i16() & 0xffff);
            case 3 -> (long) i16();
            case 4 -> u32();
            case 5 -> (long) (int) u32();
            case 6 -> Double.parseDouble(Float.toString(Float.intBitsToFloat((int) u32()))); // 0.3 stays 0.3
            case 7 -> bytes.get(take(1)) != 0;
            case STRING -> string();
            case ARRAY -> array();
            case 10, 11 -> u64();
            case 12 -> Double.longBitsToDouble(u64());
            default -> throw damaged("a key has the unknown type " + type);
        };
    }

    private Array array() {
        int type = (int) u32();
        long count = u64();
        int start = at;
        int size = switch (type) {
            case 0, 1, 7 -> 1;
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            case 10, 11, 12 -> 8;
            case STRING -> 8; // at least: its length
            default -> throw damaged("an array has the unknown type " + type);
        };
        if (count < 0 || count > (image.byteSize() - at) / size) {
            throw damaged("an array of " + count + " elements is longer than the file");
        }
        if (type == STRING) {
            for (long i = 0; i < count; i++) {
                take(stringLength());
            }
        } else {
            take(count * size);
        }
        return new Array(type, count, start);
    }

    private Tensor tensor() {
        String name = string();
        int dimensions = (int) u32();
        if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
            throw damaged("the tensor " + name + " has " + dimensions + " dimensions");
        }
        List<Long> shape = new ArrayList<>();
        long elements = 1;
        for (int i = 0; i < dimensions; i++) {
            long length = u64();
            if (length < 1 || length > (1L << 40) / elements) {
                throw damaged("the tensor " + name + " has a dimension of " + length);
            }
            elements *= length;
            shape.add(length);
        }
        int id = (int) u32();
        TensorType type = TensorType.of(id)
                .orElseThrow(() ->
                        new ModelException("the tensor " + name + " has type " + id + ", which Gatun does not read"));
        if (shape.getFirst() % type.blockSize() != 0) {
            throw damaged("the rows of tensor " + name + " do not fill blocks of " + type);
        }
        return new Tensor(name, type, List.copyOf(shape), type.bytes(elements), u64());
    }

    private String string() {
        byte[] text = new byte[(int) stringLength()];
        bytes.get(take(text.length), text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private long stringLength() {
        long length = u64();
        if (length < 0 || length > Math.min(MAX_STRING, bytes.limit() - at)) {
            throw damaged("a text of " + length + " bytes is too long");
        }
        return length;
    }

    private short i16() {
        return bytes.getShort(take(2));
    }

    private long u32() {
        return Integer.toUnsignedLong(bytes.getInt(take(4)));
    }

    private long u64() {
        return bytes.getLong(take(8));
    }

    /** Steps over the next bytes, and tells where they begin. */
    private int take(long count) {
        if (count > bytes.limit() - at) {
            throw damaged("it ends too early");
        }
        int start = at;
        at += (int) count;
        return start;
    }

    private static ModelException damaged(String how) {
        return new ModelException("it is truncated or damaged: " + how);
    }
}
