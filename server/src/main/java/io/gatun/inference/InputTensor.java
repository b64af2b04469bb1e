package io.gatun.inference;

import io.gatun.service.ErrorType;
import io.gatun.service.RequestException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A tensor of a request.
 *
 * @param datatype as the request says it; no input is of another than BYTES
 * @param elements flat; of another datatype none
 */
public record InputTensor(String name, String datatype, List<Long> shape, List<byte[]> elements) {

    /**
     * A tensor whose elements are in their raw form, each of BYTES its length in 4 bytes, little-endian, and then its
     * bytes.
     *
     * @throws RequestException when the lengths do not add up
     */
    public static InputTensor ofRaw(String name, String datatype, List<Long> shape, ByteBuffer raw) {
        List<byte[]> elements = new ArrayList<>();
        if (datatype.equals(Datatype.BYTES.name())) {
            ByteBuffer rest = raw.slice().order(ByteOrder.LITTLE_ENDIAN);
            try {
                while (rest.hasRemaining()) {
                    int length = rest.getInt();
                    if (length < 0 || length > rest.remaining()) {
                        throw new BufferUnderflowException();
                    }
                    byte[] element = new byte[length];
                    rest.get(element);
                    elements.add(element);
                }
            } catch (BufferUnderflowException e) {
                throw new RequestException(
                        ErrorType.MALFORMED,
                        "The raw bytes of the input \"" + name + "\" end within an element; each is its length in 4 "
                                + "bytes, little-endian, and then its bytes.");
            }
        }
        return new InputTensor(name, datatype, shape, elements);
    }

    /** Its elements as texts, after a check that the tensor is what it says. */
    List<String> texts() {
        if (!datatype.equals(Datatype.BYTES.name())) {
            throw RequestException.validation(
                    "The input \"" + name + "\" is of the datatype BYTES, not " + datatype + ".");
        }
        boolean column = shape.size() == 2 && shape.get(1) == 1;
        if (!column && shape.size() != 1) {
            throw RequestException.validation(
                    "The input \"" + name + "\" has the shape [n] or [n, 1], not " + shape + ".");
        }
        if (shape.getFirst() != elements.size()) {
            throw RequestException.validation("The input \"" + name + "\" has " + elements.size()
                    + " elements, which its shape " + shape + " contradicts.");
        }
        List<String> texts = new ArrayList<>(elements.size());
        for (byte[] element : elements) {
            try {
                texts.add(StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(element))
                        .toString());
            } catch (CharacterCodingException e) {
                throw RequestException.validation(
                        "The element " + texts.size() + " of the input \"" + name + "\" is not UTF-8.");
            }
        }
        return texts;
    }
}
