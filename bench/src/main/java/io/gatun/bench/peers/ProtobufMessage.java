package io.gatun.bench.peers;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * A message in protobuf's wire format, field by field.
 *
 * @see <a href="https://protobuf.dev/programming-guides/encoding/">the format</a>
 */
final class ProtobufMessage {
    private static final int VARINT = 0;
    private static final int LENGTH = 2;
    private static final int FIXED32 = 5;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    ProtobufMessage number(int field, long value) {
        varint((long) field << 3 | VARINT);
        varint(value);
        return this;
    }

    ProtobufMessage number(int field, float value) {
        varint((long) field << 3 | FIXED32);
        int bits = Float.floatToRawIntBits(value);
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            out.write(bits >>> shift);
        }
        return this;
    }

    ProtobufMessage text(int field, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        lengthOf(field, bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    ProtobufMessage message(int field, ProtobufMessage value) {
        lengthOf(field, value.out.size());
        out.writeBytes(value.bytes());
        return this;
    }

    /** The start of a field whose {@code length} bytes the caller writes behind this message. */
    ProtobufMessage lengthOf(int field, long length) {
        varint((long) field << 3 | LENGTH);
        varint(length);
        return this;
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.write((int) rest);
    }
}
