package io.gatun.bench.peers;

import io.gatun.bench.peers.EncoderWeights.Layer;
import io.gatun.bench.peers.EncoderWeights.Linear;
import io.gatun.bench.peers.EncoderWeights.Norm;
import io.gatun.bench.peers.OnnxGraph.Attribute;
import io.gatun.bench.peers.OnnxGraph.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * DistilBERT in ONNX Runtime's own operators: what its transformer optimizer makes of BERT's export, whose embeddings,
 * attention, BiasGelu and LayerNorms are one node each. With {@link OnnxNumbers.Bytes} it is what
 * {@code quantize_dynamic} makes of that, the fastest form that its users can reach on a CPU.
 */
final class FusedGraph {
    private final OnnxGraph graph = new OnnxGraph();
    private final EncoderWeights weights;
    private final OnnxNumbers numbers;
    private final Attribute epsilon;

    private FusedGraph(EncoderWeights weights, OnnxNumbers numbers) {
        this.weights = weights;
        this.numbers = numbers;
        this.epsilon = Attribute.of("epsilon", weights.epsilon());
    }

    /** Inputs {@code input_ids} and {@code attention_mask}, INT64; output {@code logits}. */
    static OnnxGraph of(EncoderWeights weights, OnnxNumbers numbers) {
        return new FusedGraph(weights, numbers).build();
    }

    private OnnxGraph build() {
        String ids = asInt32(graph.input("input_ids", ElementType.INT64));
        String mask = asInt32(graph.input("attention_mask", ElementType.INT64));
        List<String> embedded = embeddings(ids, mask);
        String hidden = embedded.get(0);
        String lengths = embedded.get(1);
        for (Layer layer : weights.layers()) {
            String attention = graph.add(
                    attentionOperator(),
                    attentionInputs(hidden, lengths, layer),
                    Attribute.of("num_heads", weights.attentionHeads()),
                    Attribute.of("mask_filter_value", -Float.MAX_VALUE));
            String attended = skip(attention, hidden, layer.attentionOutput(), layer.attentionNorm());
            String wide =
                    graph.add("BiasGelu", List.of(numbers.multiply(graph, attended, layer.up()), bias(layer.up())));
            hidden = skip(wide, attended, layer.down(), layer.outputNorm());
        }
        String first =
                graph.add("Gather", List.of(hidden, graph.constant("first", new long[] {0})), Attribute.of("axis", 1));
        String dense = graph.add("Relu", List.of(numbers.linear(graph, first, weights.dense())));
        graph.output("logits", numbers.linear(graph, dense, weights.output()));
        return graph;
    }

    private String asInt32(String input) {
        return graph.add("Cast", List.of(input), Attribute.of("to", ElementType.INT32.id()));
    }

    /** The embeddings' output and each sequence's length. There are no token types. */
    private List<String> embeddings(String ids, String mask) {
        long width = weights.width();
        Norm norm = weights.norm();
        if (numbers instanceof OnnxNumbers.Floats) {
            String words = graph.constant("words", weights.words(), weights.vocabulary(), width);
            String positions = graph.constant("positions", weights.positions(), weights.context(), width);
            String weight = graph.constant(norm.name() + ".weight", norm.weight(), width);
            String bias = graph.constant(norm.name() + ".bias", norm.bias(), width);
            return graph.add(
                    "EmbedLayerNormalization", 2, List.of(ids, "", words, positions, "", weight, bias, mask), epsilon);
        }
        Quantized words = Quantized.asymmetric(weights.words());
        Quantized positions = Quantized.asymmetric(weights.positions());
        Quantized weight = Quantized.asymmetric(norm.weight());
        Quantized bias = Quantized.asymmetric(norm.bias());
        List<String> inputs = new ArrayList<>(List.of(
                ids,
                "",
                graph.constant("words", ElementType.UINT8, words.values(), weights.vocabulary(), width),
                graph.constant("positions", ElementType.UINT8, positions.values(), weights.context(), width),
                "",
                graph.constant(norm.name() + ".weight", ElementType.UINT8, weight.values(), width),
                graph.constant(norm.name() + ".bias", ElementType.UINT8, bias.values(), width),
                mask));
        List<String> scales = new ArrayList<>();
        List<String> zeros = new ArrayList<>();
        List<String> names = List.of("words", "positions", norm.name() + ".weight", norm.name() + ".bias");
        List<Quantized> all = List.of(words, positions, weight, bias);
        for (int i = 0; i < all.size(); i++) {
            scales.add(graph.constant(names.get(i) + ".scale", all.get(i).scales()));
            zeros.add(graph.constant(
                    names.get(i) + ".zero_point", ElementType.UINT8, all.get(i).zeroPoints()));
        }
        scales.add(2, ""); // of the token types
        zeros.add(2, "");
        inputs.addAll(scales);
        inputs.addAll(zeros);
        return graph.add("QEmbedLayerNormalization", 2, inputs, epsilon);
    }

    private String attentionOperator() {
        return numbers instanceof OnnxNumbers.Floats ? "Attention" : "QAttention";
    }

    private List<String> attentionInputs(String hidden, String lengths, Layer layer) {
        Linear all = together(layer);
        String bias = graph.constant(all.name() + ".bias", all.bias(), all.out());
        return switch (numbers) {
            case OnnxNumbers.Floats _ ->
                List.of(
                        hidden,
                        graph.constant(all.name() + ".weight", all.transposed(), all.in(), all.out()),
                        bias,
                        lengths);
            case OnnxNumbers.Bytes bytes -> {
                OnnxNumbers.Bytes.Activation activation = bytes.activation(graph, hidden);
                Quantized weight = Quantized.symmetric(all.transposed(), all.out(), false);
                yield List.of(
                        activation.values(),
                        graph.constant(all.name() + ".weight", ElementType.INT8, weight.values(), all.in(), all.out()),
                        bias,
                        activation.scale(),
                        graph.constant(all.name() + ".scale", weight.scales()),
                        lengths,
                        activation.zeroPoint(),
                        graph.constant(all.name() + ".zero_point", ElementType.INT8, weight.zeroPoints()));
            }
        };
    }

    /** A layer's query, key and value side by side. */
    private static Linear together(Layer layer) {
        List<Linear> parts = List.of(layer.query(), layer.key(), layer.value());
        int out = parts.stream().mapToInt(Linear::out).sum();
        return new Linear(
                layer.query().name() + "kv",
                out,
                layer.query().in(),
                joined(parts.stream().map(Linear::weight)),
                joined(parts.stream().map(Linear::bias)));
    }

    private static float[] joined(Stream<float[]> parts) {
        List<float[]> all = parts.toList();
        float[] joined = new float[all.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : all) {
            System.arraycopy(part, 0, joined, at, part.length);
            at += part.length;
        }
        return joined;
    }

    /** The norm of a linear layer's output and what went past it. */
    private String skip(String input, String past, Linear linear, Norm norm) {
        return graph.add(
                "SkipLayerNormalization",
                List.of(
                        numbers.multiply(graph, input, linear),
                        past,
                        graph.constant(norm.name() + ".weight", norm.weight(), weights.width()),
                        graph.constant(norm.name() + ".bias", norm.bias(), weights.width()),
                        bias(linear)),
                epsilon);
    }

    private String bias(Linear linear) {
        return graph.constant(linear.name() + ".bias", linear.bias(), linear.out());
    }
}
