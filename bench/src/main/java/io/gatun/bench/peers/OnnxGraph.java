package io.gatun.bench.peers;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * An ONNX model in the making (opset 14, and ONNX Runtime's own operators): nodes in the order of their use, and
 * constants, whose arrays are not copied. Names of values are made here.
 *
 * @see <a href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto">the fields</a>
 */
final class OnnxGraph {
    private static final int IR_VERSION = 7;
    private static final int OPSET = 14;
    private static final String MICROSOFT = "com.microsoft";
    private static final Set<String> MICROSOFTS = Set.of(
            "Attention",
            "BiasGelu",
            "EmbedLayerNormalization",
            "QAttention",
            "QEmbedLayerNormalization",
            "SkipLayerNormalization");
    private static final int CHUNK = 1 << 20;

    /** The numbers of {@code TensorProto.DataType}. */
    enum ElementType {
        FLOAT(1),
        UINT8(2),
        INT8(3),
        INT32(6),
        INT64(7);

        private final int id;

        ElementType(int id) {
            this.id = id;
        }

        int id() {
            return id;
        }
    }

    /** A node's attribute. */
    record Attribute(ProtobufMessage message) {
        static Attribute of(String name, float value) {
            return new Attribute(
                    new ProtobufMessage().text(1, name).number(2, value).number(20, 1));
        }

        static Attribute of(String name, int value) {
            return new Attribute(
                    new ProtobufMessage().text(1, name).number(3, value).number(20, 2));
        }

        static Attribute of(String name, int[] values) {
            ProtobufMessage message = new ProtobufMessage().text(1, name);
            for (int value : values) {
                message.number(8, value);
            }
            return new Attribute(message.number(20, 7));
        }
    }

    private record Tensor(ProtobufMessage description, MemorySegment data) {}

    private final ProtobufMessage nodes = new ProtobufMessage();
    private final ProtobufMessage ends = new ProtobufMessage();
    private final List<Tensor> constants = new ArrayList<>();
    private int values;

    /** Declares an input of {@code [batch][sequence]}. */
    String input(String name, ElementType type) {
        ends.message(11, declaration(name, type, "batch", "sequence"));
        return name;
    }

    /** Declares an output of {@code [batch][labels]} that is the value {@code source}. */
    void output(String name, String source) {
        node("Identity", List.of(source), List.of(name));
        ends.message(12, declaration(name, ElementType.FLOAT, "batch", "labels"));
    }

    String constant(String name, float[] data, long... shape) {
        return constant(name, ElementType.FLOAT, MemorySegment.ofArray(data), shape);
    }

    String constant(String name, long[] data, long... shape) {
        return constant(name, ElementType.INT64, MemorySegment.ofArray(data), shape);
    }

    /** A constant of INT8 or UINT8. */
    String constant(String name, ElementType type, byte[] data, long... shape) {
        return constant(name, type, MemorySegment.ofArray(data), shape);
    }

    /** Adds a node with one output, and names that. An input that is left out is empty. */
    String add(String operator, List<String> inputs, Attribute... attributes) {
        return add(operator, 1, inputs, attributes).getFirst();
    }

    List<String> add(String operator, int outputs, List<String> inputs, Attribute... attributes) {
        List<String> names = IntStream.range(0, outputs)
                .mapToObj(i -> operator + "_" + values++)
                .toList();
        node(operator, inputs, names, attributes);
        return names;
    }

    /** Writes the whole model. */
    void write(Path file) throws IOException {
        ProtobufMessage name = new ProtobufMessage().text(2, "gatun");
        long bytes = name.bytes().length + nodes.bytes().length + (long) ends.bytes().length;
        for (Tensor tensor : constants) {
            long inside = tensor.description().bytes().length + tensor.data().byteSize();
            bytes += new ProtobufMessage().lengthOf(5, inside).bytes().length + inside;
        }
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), CHUNK)) {
            out.write(new ProtobufMessage()
                    .number(1, IR_VERSION)
                    .text(2, "gatun")
                    .message(8, new ProtobufMessage().text(1, "").number(2, OPSET))
                    .message(8, new ProtobufMessage().text(1, MICROSOFT).number(2, 1))
                    .lengthOf(7, bytes)
                    .bytes());
            out.write(nodes.bytes());
            out.write(name.bytes());
            for (Tensor tensor : constants) {
                byte[] description = tensor.description().bytes();
                out.write(new ProtobufMessage()
                        .lengthOf(5, description.length + tensor.data().byteSize())
                        .bytes());
                out.write(description);
                write(tensor.data(), out);
            }
            out.write(ends.bytes());
        }
    }

    private static void write(MemorySegment data, OutputStream out) throws IOException {
        byte[] chunk = new byte[CHUNK];
        for (long at = 0; at < data.byteSize(); at += CHUNK) {
            int length = (int) Math.min(CHUNK, data.byteSize() - at);
            MemorySegment.copy(data, at, MemorySegment.ofArray(chunk), 0, length);
            out.write(chunk, 0, length);
        }
    }

    private String constant(String name, ElementType type, MemorySegment data, long... shape) {
        ProtobufMessage tensor = new ProtobufMessage();
        for (long length : shape) {
            tensor.number(1, length);
        }
        tensor.number(2, type.id()).text(8, name).lengthOf(9, data.byteSize());
        constants.add(new Tensor(tensor, data));
        return name;
    }

    private void node(String operator, List<String> inputs, List<String> outputs, Attribute... attributes) {
        ProtobufMessage node = new ProtobufMessage();
        inputs.forEach(input -> node.text(1, input));
        outputs.forEach(output -> node.text(2, output));
        node.text(3, outputs.getFirst()).text(4, operator);
        for (Attribute attribute : attributes) {
            node.message(5, attribute.message());
        }
        node.text(7, MICROSOFTS.contains(operator) ? MICROSOFT : "");
        nodes.message(1, node);
    }

    private static ProtobufMessage declaration(String name, ElementType type, String... dimensions) {
        ProtobufMessage shape = new ProtobufMessage();
        for (String dimension : dimensions) {
            shape.message(1, new ProtobufMessage().text(2, dimension));
        }
        ProtobufMessage tensor = new ProtobufMessage().number(1, type.id()).message(2, shape);
        return new ProtobufMessage().text(1, name).message(2, new ProtobufMessage().message(1, tensor));
    }
}
