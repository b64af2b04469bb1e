package io.gatun.bench.peers;

import io.gatun.bench.peers.EncoderWeights.Layer;
import io.gatun.bench.peers.EncoderWeights.Linear;
import io.gatun.bench.peers.EncoderWeights.Norm;
import io.gatun.bench.peers.OnnxGraph.Attribute;
import io.gatun.bench.peers.OnnxGraph.ElementType;
import java.util.List;
import java.util.stream.LongStream;

/**
 * DistilBERT in ONNX's own operators, as an export of it looks: LayerNorm, GELU and attention in their parts, which the
 * engines put together again when they load it. With {@link OnnxNumbers.Bytes} it is what Optimum makes of that.
 */
final class PlainGraph {
    private final OnnxGraph graph = new OnnxGraph();
    private final EncoderWeights weights;
    private final OnnxNumbers numbers;
    private int constants;

    private PlainGraph(EncoderWeights weights, OnnxNumbers numbers) {
        this.weights = weights;
        this.numbers = numbers;
    }

    /** Inputs {@code input_ids} and {@code attention_mask}, INT64; output {@code logits}. */
    static OnnxGraph of(EncoderWeights weights, OnnxNumbers numbers) {
        return new PlainGraph(weights, numbers).build();
    }

    private OnnxGraph build() {
        String ids = graph.input("input_ids", ElementType.INT64);
        String mask = graph.input("attention_mask", ElementType.INT64);
        String hidden = norm(embeddings(ids), weights.norm());
        String offsets = maskOffsets(mask);
        for (Layer layer : weights.layers()) {
            hidden = layer(hidden, offsets, layer);
        }
        String first = graph.add("Gather", List.of(hidden, number(0L)), Attribute.of("axis", 1));
        String dense = graph.add("Relu", List.of(numbers.linear(graph, first, weights.dense())));
        graph.output("logits", numbers.linear(graph, dense, weights.output()));
        return graph;
    }

    /** {@code [batch][sequence][width]}. */
    private String embeddings(String ids) {
        String words = numbers.rows(graph, "words", weights.words(), weights.width(), ids);
        String length = graph.add("Gather", List.of(graph.add("Shape", List.of(ids)), numbers(1)));
        String all = graph.constant(
                "all_positions", LongStream.range(0, weights.context()).toArray(), 1, weights.context());
        String positions = graph.add("Slice", List.of(all, numbers(0), length, numbers(1), numbers(1)));
        return graph.add(
                "Add",
                List.of(words, numbers.rows(graph, "positions", weights.positions(), weights.width(), positions)));
    }

    /** What is added to the scores: 0 for a token, the least float for padding; {@code [batch][1][1][sequence]}. */
    private String maskOffsets(String mask) {
        String spread = graph.add("Unsqueeze", List.of(mask, numbers(1, 2)));
        String ones = graph.add("Cast", List.of(spread), Attribute.of("to", ElementType.FLOAT.id()));
        String padding = graph.add("Sub", List.of(number(1f), ones));
        return graph.add("Mul", List.of(padding, number(-Float.MAX_VALUE)));
    }

    private String layer(String hidden, String offsets, Layer layer) {
        String scale = number((float) Math.sqrt(1 / Math.sqrt(weights.headWidth()))); // on both sides, as PyTorch does
        String query = graph.add("Mul", List.of(heads(biased(hidden, layer.query()), 0, 2, 1, 3), scale));
        String key = graph.add("Mul", List.of(heads(biased(hidden, layer.key()), 0, 2, 3, 1), scale));
        String value = heads(biased(hidden, layer.value()), 0, 2, 1, 3);
        String scores = graph.add("Add", List.of(graph.add("MatMul", List.of(query, key)), offsets));
        String shares = graph.add("Softmax", List.of(scores), Attribute.of("axis", -1));
        String read = graph.add(
                "Transpose",
                List.of(graph.add("MatMul", List.of(shares, value))),
                Attribute.of("perm", new int[] {0, 2, 1, 3}));
        String rows = graph.add("Reshape", List.of(read, numbers(0, -1, weights.width())));
        String attended =
                norm(graph.add("Add", List.of(biased(rows, layer.attentionOutput()), hidden)), layer.attentionNorm());
        String wide = gelu(biased(attended, layer.up()));
        return norm(graph.add("Add", List.of(biased(wide, layer.down()), attended)), layer.outputNorm());
    }

    private String biased(String input, Linear linear) {
        String bias = graph.constant(linear.name() + ".bias", linear.bias(), linear.out());
        return graph.add("Add", List.of(bias, numbers.multiply(graph, input, linear)));
    }

    /** From {@code [batch][sequence][width]} by head, its axes in the order of {@code order}. */
    private String heads(String value, int... order) {
        String split =
                graph.add("Reshape", List.of(value, numbers(0, -1, weights.attentionHeads(), weights.headWidth())));
        return graph.add("Transpose", List.of(split), Attribute.of("perm", order));
    }

    private String norm(String value, Norm norm) {
        Attribute last = Attribute.of("axes", new int[] {-1});
        String centred = graph.add("Sub", List.of(value, graph.add("ReduceMean", List.of(value), last)));
        String variance = graph.add("ReduceMean", List.of(graph.add("Pow", List.of(centred, number(2f)))), last);
        String deviation = graph.add("Sqrt", List.of(graph.add("Add", List.of(variance, number(weights.epsilon())))));
        String scaled = graph.add(
                "Mul",
                List.of(
                        graph.add("Div", List.of(centred, deviation)),
                        graph.constant(norm.name() + ".weight", norm.weight(), weights.width())));
        return graph.add("Add", List.of(scaled, graph.constant(norm.name() + ".bias", norm.bias(), weights.width())));
    }

    private String gelu(String value) {
        String erf = graph.add("Erf", List.of(graph.add("Div", List.of(value, number((float) Math.sqrt(2))))));
        String product = graph.add("Mul", List.of(value, graph.add("Add", List.of(erf, number(1f)))));
        return graph.add("Mul", List.of(product, number(0.5f)));
    }

    private String number(float value) {
        return graph.constant("number_" + constants++, new float[] {value});
    }

    private String number(long value) {
        return graph.constant("number_" + constants++, new long[] {value});
    }

    private String numbers(long... values) {
        return graph.constant("number_" + constants++, values, values.length);
    }
}
