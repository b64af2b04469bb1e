package io.gatun.inference;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** A tensor of an answer. Its elements are flat, row by row. */
public sealed interface OutputTensor {
    String name();

    List<Long> shape();

    Datatype datatype();

    /** The raw form of its elements, little-endian; each of BYTES is its length in 4 bytes and then its bytes. */
    byte[] raw();

    /** Of the datatype FP32. */
    @SuppressWarnings("ArrayRecordComponent") // made once an answer, never compared
    record Floats(String name, List<Long> shape, float[] elements) implements OutputTensor {
        @Override
        public Datatype datatype() {
            return Datatype.FP32;
        }

        @Override
        public byte[] raw() {
            ByteBuffer raw = ByteBuffer.allocate(Float.BYTES * elements.length).order(ByteOrder.LITTLE_ENDIAN);
            raw.asFloatBuffer().put(elements);
            return raw.array();
        }
    }

    /** Of the datatype BYTES: texts, in UTF-8. */
    record Texts(String name, List<Long> shape, List<byte[]> elements) implements OutputTensor {
        @Override
        public Datatype datatype() {
            return Datatype.BYTES;
        }

        @Override
        public byte[] raw() {
            int size = elements.stream()
                    .mapToInt(element -> Integer.BYTES + element.length)
                    .sum();
            ByteBuffer raw = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
            elements.forEach(element -> raw.putInt(element.length).put(element));
            return raw.array();
        }
    }
}
