package io.gatun.bench.peers;

import io.gatun.bench.peers.EncoderWeights.Linear;
import io.gatun.bench.peers.OnnxGraph.Attribute;
import io.gatun.bench.peers.OnnxGraph.ElementType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How a graph stores its matrices and multiplies by them. For one graph. */
sealed interface OnnxNumbers {
    /** The product of {@code input}, {@code [..][in]}, and a layer's matrix, without the bias: {@code [..][out]}. */
    String multiply(OnnxGraph graph, String input, Linear linear);

    /** A whole linear layer over rows: {@code [batch][in]} to {@code [batch][out]}. */
    String linear(OnnxGraph graph, String input, Linear linear);

    /** The rows of a table of {@code [rows][width]} that {@code indices} name. */
    String rows(OnnxGraph graph, String name, float[] table, int width, String indices);

    /** As trained. */
    final class Floats implements OnnxNumbers {
        @Override
        public String multiply(OnnxGraph graph, String input, Linear linear) {
            String weight = graph.constant(linear.name() + ".weight", linear.transposed(), linear.in(), linear.out());
            return graph.add("MatMul", List.of(input, weight));
        }

        @Override
        public String linear(OnnxGraph graph, String input, Linear linear) {
            String weight = graph.constant(linear.name() + ".weight", linear.weight(), linear.out(), linear.in());
            String bias = graph.constant(linear.name() + ".bias", linear.bias(), linear.out());
            return graph.add("Gemm", List.of(input, weight, bias), Attribute.of("transB", 1));
        }

        @Override
        public String rows(OnnxGraph graph, String name, float[] table, int width, String indices) {
            String constant = graph.constant(name, table, table.length / width, width);
            return graph.add("Gather", List.of(constant, indices));
        }
    }

    /** In 8 bits as {@code quantize_dynamic} does it: matrices signed, activations unsigned with a scale a tensor. */
    final class Bytes implements OnnxNumbers {
        /** What an activation is in 8 bits. */
        record Activation(String values, String scale, String zeroPoint) {}

        private final boolean perColumn;
        private final Map<String, Activation> activations = new HashMap<>();

        Bytes(boolean perColumn) {
            this.perColumn = perColumn;
        }

        /** Quantizes a value, once however often it is asked for. */
        Activation activation(OnnxGraph graph, String value) {
            return activations.computeIfAbsent(value, input -> {
                List<String> parts = graph.add("DynamicQuantizeLinear", 3, List.of(input));
                return new Activation(parts.get(0), parts.get(1), parts.get(2));
            });
        }

        @Override
        public String multiply(OnnxGraph graph, String input, Linear linear) {
            Quantized weight = Quantized.symmetric(linear.transposed(), linear.out(), perColumn);
            long[] shape = perColumn ? new long[] {linear.out()} : new long[0];
            Activation activation = activation(graph, input);
            String scale = graph.constant(linear.name() + ".scale", weight.scales(), shape);
            String scales = graph.add("Mul", List.of(activation.scale(), scale));
            String product = graph.add(
                    "MatMulInteger",
                    List.of(
                            activation.values(),
                            graph.constant(
                                    linear.name() + ".weight",
                                    ElementType.INT8,
                                    weight.values(),
                                    linear.in(),
                                    linear.out()),
                            activation.zeroPoint(),
                            graph.constant(
                                    linear.name() + ".zero_point", ElementType.INT8, weight.zeroPoints(), shape)));
            String floats = graph.add("Cast", List.of(product), Attribute.of("to", ElementType.FLOAT.id()));
            return graph.add("Mul", List.of(floats, scales));
        }

        @Override
        public String linear(OnnxGraph graph, String input, Linear linear) {
            String bias = graph.constant(linear.name() + ".bias", linear.bias(), linear.out());
            return graph.add("Add", List.of(multiply(graph, input, linear), bias));
        }

        @Override
        public String rows(OnnxGraph graph, String name, float[] table, int width, String indices) {
            Quantized rows = Quantized.asymmetric(table);
            String constant = graph.constant(name, ElementType.UINT8, rows.values(), table.length / width, width);
            String found = graph.add("Gather", List.of(constant, indices));
            return graph.add(
                    "DequantizeLinear",
                    List.of(
                            found,
                            graph.constant(name + ".scale", rows.scales()),
                            graph.constant(name + ".zero_point", ElementType.UINT8, rows.zeroPoints())));
        }
    }
}
