package io.gatun.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.gatun.kernel.generated.ggml_h;
import io.gatun.kernel.generated.ggml_init_params;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes a GGUF file with ggml's own writer: keys and tensor descriptions first, then {@link #write} with the tensors'
 * data one after another, so that no more than one tensor is in memory. Used by one thread.
 */
public final class GgufWriter implements AutoCloseable {
    private static final int DATA_ALIGNMENT = 32; // GGUF's default, general.alignment is not written
    private static final int MAX_NAME_BYTES = 63; // GGML_MAX_NAME with its zero
    private static final int MAX_DIMENSIONS = 4;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment gguf;
    private final Set<String> keys = new HashSet<>();
    private final Set<String> names = new HashSet<>();
    private final List<Long> tensorBytes = new ArrayList<>();
    private boolean closed;

    /** Gives the data of one tensor when its turn comes. */
    @FunctionalInterface
    public interface TensorData {
        /**
         * Fills one tensor.
         *
         * @param index the tensor's place in the order of {@link GgufWriter#addTensor}
         * @param target native, exactly the tensor's bytes, of undefined content
         */
        void write(int index, MemorySegment target) throws IOException;
    }

    public GgufWriter() {
        Kernel.load();
        gguf = ggml_h.gt_gguf_init_empty();
    }

    /** Writes an unsigned 32-bit integer. */
    public GgufWriter put(String key, int value) {
        ggml_h.gt_gguf_set_val_u32(gguf, key(key), value);
        return this;
    }

    public GgufWriter put(String key, float value) {
        ggml_h.gt_gguf_set_val_f32(gguf, key(key), value);
        return this;
    }

    public GgufWriter put(String key, boolean value) {
        ggml_h.gt_gguf_set_val_bool(gguf, key(key), value);
        return this;
    }

    /** Writes a text. It ends at its first zero character, if it has one: ggml takes C strings. */
    public GgufWriter put(String key, String value) {
        ggml_h.gt_gguf_set_val_str(gguf, key(key), text(value));
        return this;
    }

    public GgufWriter putStrings(String key, List<String> values) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment pointers = call.allocate(ADDRESS, Math.max(1, values.size()));
            for (int i = 0; i < values.size(); i++) {
                pointers.setAtIndex(ADDRESS, i, call.allocateFrom(values.get(i), StandardCharsets.UTF_8));
            }
            ggml_h.gt_gguf_set_arr_str(gguf, key(key), pointers, values.size());
        }
        return this;
    }

    /** Writes an array of unsigned 32-bit integers. */
    public GgufWriter putInts(String key, int[] values) {
        return putArray(key, ggml_h.GGUF_TYPE_UINT32(), MemorySegment.ofArray(values), values.length);
    }

    /** Writes an array of signed 32-bit integers. */
    public GgufWriter putSigned(String key, int[] values) {
        return putArray(key, ggml_h.GGUF_TYPE_INT32(), MemorySegment.ofArray(values), values.length);
    }

    public GgufWriter putFloats(String key, float[] values) {
        return putArray(key, ggml_h.GGUF_TYPE_FLOAT32(), MemorySegment.ofArray(values), values.length);
    }

    /**
     * Announces a tensor.
     *
     * @param name at most 63 bytes, not used before
     * @param shape from 1 to 4 lengths, the fastest first: a matrix of rows and columns is {@code columns, rows}
     */
    public GgufWriter addTensor(String name, TensorType type, long... shape) {
        ensureOpen();
        if (shape.length < 1 || shape.length > MAX_DIMENSIONS || shape[0] % type.blockSize() != 0) {
            throw new IllegalArgumentException("tensor " + name + " of shape " + Arrays.toString(shape));
        }
        long elements = 1;
        for (long length : shape) {
            if (length < 1) {
                throw new IllegalArgumentException("tensor " + name + " has a dimension of " + length);
            }
            elements = Math.multiplyExact(elements, length);
        }
        long bytes = type.bytes(elements);
        boolean plain = name.indexOf('\0') < 0 && name.getBytes(StandardCharsets.UTF_8).length <= MAX_NAME_BYTES;
        if (!plain || !names.add(name)) {
            throw new IllegalArgumentException("tensor name " + name + " is too long, holds a zero or is used twice");
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment params = ggml_init_params.allocate(call);
            ggml_init_params.mem_size(params, 2 * ggml_h.gt_ggml_tensor_overhead());
            ggml_init_params.mem_buffer(params, MemorySegment.NULL);
            ggml_init_params.no_alloc(params, true);
            // The writer copies the description, so that its context ends with this call.
            MemorySegment context = ggml_h.gt_ggml_init(params);
            MemorySegment tensor =
                    ggml_h.gt_ggml_new_tensor(context, type.id(), shape.length, call.allocateFrom(JAVA_LONG, shape));
            ggml_h.gt_ggml_set_name(tensor, call.allocateFrom(name));
            ggml_h.gt_gguf_add_tensor(gguf, tensor);
            ggml_h.gt_ggml_free(context);
        }
        tensorBytes.add(bytes);
        return this;
    }

    /** Writes the file anew: the keys, then every tensor's data as {@code data} gives it. */
    public void write(Path file, TensorData data) throws IOException {
        ensureOpen();
        try (FileChannel out = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            long metaBytes = ggml_h.gt_gguf_get_meta_size(gguf);
            try (Slab meta = Slab.allocate(metaBytes)) {
                ggml_h.gt_gguf_get_meta_data(gguf, meta.segment());
                writeFully(out, meta.segment());
            }
            for (int i = 0; i < tensorBytes.size(); i++) {
                long bytes = tensorBytes.get(i);
                long padded = Math.ceilDiv(bytes, DATA_ALIGNMENT) * DATA_ALIGNMENT;
                try (Slab tensor = Slab.allocate(padded)) {
                    tensor.segment().asSlice(bytes).fill((byte) 0);
                    data.write(i, tensor.segment().asSlice(0, bytes));
                    writeFully(out, tensor.segment());
                }
            }
        }
    }

    /** Frees the writer. A second call does nothing. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            ggml_h.gt_gguf_free(gguf);
            arena.close();
        }
    }

    private GgufWriter putArray(String key, int type, MemorySegment values, int count) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment copy =
                    call.allocate(Math.max(JAVA_FLOAT.byteSize(), values.byteSize()), JAVA_INT.byteAlignment());
            copy.copyFrom(values);
            ggml_h.gt_gguf_set_arr_data(gguf, key(key), type, copy, count);
        }
        return this;
    }

    /** ggml aborts on an empty key and replaces one that is there; neither is meant. The alignment is this writer's. */
    private MemorySegment key(String key) {
        ensureOpen();
        if (key.isEmpty() || key.indexOf('\0') >= 0 || key.equals("general.alignment") || !keys.add(key)) {
            throw new IllegalArgumentException(
                    "key '" + key + "' is empty, holds a zero, is reserved or is used twice");
        }
        return text(key);
    }

    private void ensureOpen() {
        if (closed) {
            throw new IllegalStateException("the writer is closed");
        }
    }

    private MemorySegment text(String text) {
        return arena.allocateFrom(text, StandardCharsets.UTF_8);
    }

    /** A channel takes at most 2 GiB at a time. */
    private static void writeFully(FileChannel out, MemorySegment segment) throws IOException {
        long part = 1L << 30;
        for (long start = 0; start < segment.byteSize(); start += part) {
            ByteBuffer buffer = segment.asSlice(start, Math.min(part, segment.byteSize() - start))
                    .asByteBuffer();
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
        }
    }
}
