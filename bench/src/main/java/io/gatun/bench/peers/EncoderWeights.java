package io.gatun.bench.peers;

import io.gatun.kernel.ModelInfo;
import io.gatun.kernel.TensorType;
import io.gatun.model.GgufFile;
import io.gatun.model.TextModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A model's weights in fp32: DistilBERT's encoder and one classifier of texts.
 *
 * @param attentionHeads of each layer
 * @param words {@code [vocabulary][width]}
 * @param positions {@code [context][width]}
 * @param dense the layer before the classifier's ReLU, {@code [width][width]}
 * @param output {@code [labels][width]}
 */
@SuppressWarnings("ArrayRecordComponent") // views of large arrays, never compared
record EncoderWeights(
        int width,
        int attentionHeads,
        float epsilon,
        float[] words,
        float[] positions,
        Norm norm,
        List<Layer> layers,
        Linear dense,
        Linear output) {
    /**
     * A linear layer.
     *
     * @param weight {@code [out][in]}
     * @param bias {@code [out]}
     */
    record Linear(String name, int out, int in, float[] weight, float[] bias) {
        /** The weight as {@code [in][out]}. */
        float[] transposed() {
            float[] turned = new float[weight.length];
            for (int o = 0; o < out; o++) {
                for (int i = 0; i < in; i++) {
                    turned[i * out + o] = weight[o * in + i];
                }
            }
            return turned;
        }
    }

    /** A LayerNorm's factors and offsets, {@code [width]} each. */
    record Norm(String name, float[] weight, float[] bias) {}

    /** One layer. */
    record Layer(
            Linear query,
            Linear key,
            Linear value,
            Linear attentionOutput,
            Norm attentionNorm,
            Linear up,
            Linear down,
            Norm outputNorm) {}

    /** The weights that a model's file holds, as the numbers that they stand for. The classifier is the first head. */
    static EncoderWeights of(TextModel model, MemorySegment image) {
        GgufFile file = GgufFile.parse(image);
        Tensors tensors = new Tensors(file);
        ModelInfo info = model.kernel().info();
        int width = info.embeddingLength();
        int wide = info.feedForwardLength();
        return new EncoderWeights(
                width,
                info.attentionHeadCount(),
                (float) file.number("bert.attention.layer_norm_epsilon").orElseThrow(),
                tensors.floats("token_embd.weight"),
                tensors.floats("position_embd.weight"),
                tensors.norm("token_embd_norm"),
                IntStream.range(0, info.layerCount())
                        .mapToObj(layer -> "blk." + layer + ".")
                        .map(layer -> new Layer(
                                tensors.linear(layer + "attn_q", width, width),
                                tensors.linear(layer + "attn_k", width, width),
                                tensors.linear(layer + "attn_v", width, width),
                                tensors.linear(layer + "attn_output", width, width),
                                tensors.norm(layer + "attn_output_norm"),
                                tensors.linear(layer + "ffn_up", wide, width),
                                tensors.linear(layer + "ffn_down", width, wide),
                                tensors.norm(layer + "layer_output_norm")))
                        .toList(),
                tensors.linear("cls", width, width),
                tensors.linear("cls.output", model.kernel().heads().getFirst().labelCount(), width));
    }

    int headWidth() {
        return width / attentionHeads;
    }

    int vocabulary() {
        return words.length / width;
    }

    int context() {
        return positions.length / width;
    }

    /** A file's tensors by name. */
    private static final class Tensors {
        private static final ValueLayout.OfFloat FLOAT =
                ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfShort SHORT =
                ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

        private final GgufFile file;
        private final Map<String, GgufFile.Tensor> byName = new HashMap<>();

        Tensors(GgufFile file) {
            this.file = file;
            file.tensors().forEach(tensor -> byName.put(tensor.name(), tensor));
        }

        Linear linear(String name, int out, int in) {
            return new Linear(name, out, in, floats(name + ".weight"), floats(name + ".bias"));
        }

        Norm norm(String name) {
            return new Norm(name, floats(name + ".weight"), floats(name + ".bias"));
        }

        float[] floats(String name) {
            GgufFile.Tensor tensor = byName.get(name);
            if (tensor == null) {
                throw new PeersException("The model has no tensor " + name + ".");
            }
            MemorySegment data = file.data(tensor);
            return switch (tensor.type()) {
                case F32 -> data.toArray(FLOAT);
                case Q8_0 -> fromQ8(data, Math.toIntExact(tensor.elements()));
                default ->
                    throw new PeersException(
                            "The tensor " + name + " is of type " + tensor.type() + "; only F32 and Q8_0 are read.");
            };
        }

        /** Blocks of a 16-bit scale and 32 bytes. */
        private static float[] fromQ8(MemorySegment data, int count) {
            int size = TensorType.Q8_0.blockSize();
            float[] values = new float[count];
            for (int block = 0; block < count / size; block++) {
                long start = (long) block * TensorType.Q8_0.blockBytes();
                float scale = Float.float16ToFloat(data.get(SHORT, start));
                for (int i = 0; i < size; i++) {
                    values[block * size + i] = scale * data.get(ValueLayout.JAVA_BYTE, start + Short.BYTES + i);
                }
            }
            return values;
        }
    }
}
