package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.service.RequestException;
import io.gatun.service.VectorOptions;
import io.gatun.task.Vectors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;

/** How a vector is written, as {@code encoding_format} names it. */
enum VectorEncoding {
    /** A list of numbers. */
    FLOAT,
    /** The base64 of 32-bit floats, little-endian. */
    BASE64,
    /** A list of whole numbers from -127 to 127. */
    INT8,
    /** A list of bytes from 0 to 255, a bit for each value. */
    UBINARY;

    /**
     * Reads {@code encoding_format}.
     *
     * @param options of the vectors that will be written so
     */
    static VectorEncoding of(Fields fields, VectorOptions options) {
        VectorEncoding encoding = switch (fields.text("encoding_format").orElse("float")) {
            case "float" -> FLOAT;
            case "base64" -> BASE64;
            case "int8" -> INT8;
            case "ubinary" -> UBINARY;
            default ->
                throw RequestException.validation(
                        "The field \"encoding_format\" must be \"float\", \"base64\", \"int8\" or \"ubinary\".");
        };
        if (encoding == INT8 && !options.normalize()) {
            throw RequestException.validation(
                    "The \"encoding_format\" int8 needs vectors of length 1; send \"normalize\": true with it.");
        }
        return encoding;
    }

    void write(float[] vector, JsonGenerator out) throws IOException {
        switch (this) {
            case FLOAT -> {
                out.writeStartArray();
                for (float value : vector) {
                    out.writeNumber(value);
                }
                out.writeEndArray();
            }
            case BASE64 -> {
                ByteBuffer bytes =
                        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(vector);
                out.writeString(Base64.getEncoder().encodeToString(bytes.array()));
            }
            case INT8 -> {
                out.writeStartArray();
                for (byte value : Vectors.int8(vector)) {
                    out.writeNumber(value);
                }
                out.writeEndArray();
            }
            case UBINARY -> {
                out.writeStartArray();
                for (byte value : Vectors.bits(vector)) {
                    out.writeNumber(Byte.toUnsignedInt(value));
                }
                out.writeEndArray();
            }
        }
    }
}
