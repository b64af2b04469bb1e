package io.gatun.model;

import java.util.ArrayList;
import java.util.List;

/**
 * A tensor that every encoder of the family has.
 *
 * @param name in a model file
 * @param source in a checkpoint, without the model's prefix
 * @param rows 1 for a vector
 */
record EncoderTensor(String name, String source, long rows, long columns, Form form) {
    /** What a tensor is to the one who stores it. */
    enum Form {
        /** Rows that are looked up, of any type. */
        TABLE,
        /** A matrix that is multiplied with, of any type. */
        LINEAR,
        /** Numbers that stay F32. */
        EXACT
    }

    /** All of them, in the order in which a model file has them. */
    static List<EncoderTensor> of(HuggingFaceConfig config) {
        int d = config.embeddingLength();
        int wide = config.feedForwardLength();
        boolean distil = config.kind() == HuggingFaceConfig.Kind.DISTILBERT;
        List<EncoderTensor> tensors = new ArrayList<>();
        tensors.add(table("token_embd", "word", config.vocabularySize(), d, Form.TABLE));
        tensors.add(table("position_embd", "position", config.contextLength(), d, Form.EXACT));
        if (!distil) {
            tensors.add(table("token_types", "token_type", config.tokenTypeCount(), d, Form.EXACT));
        }
        vector(tensors, "token_embd_norm", "embeddings.LayerNorm", d);
        for (int i = 0; i < config.layerCount(); i++) {
            LayerNames names = distil ? LayerNames.distilBert(i) : LayerNames.bert(i);
            String block = "blk." + i + ".";
            linear(tensors, block + "attn_q", names.query(), d, d);
            linear(tensors, block + "attn_k", names.key(), d, d);
            linear(tensors, block + "attn_v", names.value(), d, d);
            linear(tensors, block + "attn_output", names.out(), d, d);
            vector(tensors, block + "attn_output_norm", names.attentionNorm(), d);
            linear(tensors, block + "ffn_up", names.up(), wide, d);
            linear(tensors, block + "ffn_down", names.down(), d, wide);
            vector(tensors, block + "layer_output_norm", names.outputNorm(), d);
        }
        return tensors;
    }

    private static EncoderTensor table(String name, String kind, long rows, long columns, Form form) {
        return new EncoderTensor(name + ".weight", "embeddings." + kind + "_embeddings.weight", rows, columns, form);
    }

    private static void linear(List<EncoderTensor> tensors, String name, String source, long out, long in) {
        tensors.add(new EncoderTensor(name + ".weight", source + ".weight", out, in, Form.LINEAR));
        tensors.add(new EncoderTensor(name + ".bias", source + ".bias", 1, out, Form.EXACT));
    }

    private static void vector(List<EncoderTensor> tensors, String name, String source, long length) {
        tensors.add(new EncoderTensor(name + ".weight", source + ".weight", 1, length, Form.EXACT));
        tensors.add(new EncoderTensor(name + ".bias", source + ".bias", 1, length, Form.EXACT));
    }

    /** The names of a layer's parts in a checkpoint. */
    private record LayerNames(
            String query,
            String key,
            String value,
            String out,
            String attentionNorm,
            String up,
            String down,
            String outputNorm) {
        static LayerNames distilBert(int layer) {
            String p = "transformer.layer." + layer + ".";
            return new LayerNames(
                    p + "attention.q_lin",
                    p + "attention.k_lin",
                    p + "attention.v_lin",
                    p + "attention.out_lin",
                    p + "sa_layer_norm",
                    p + "ffn.lin1",
                    p + "ffn.lin2",
                    p + "output_layer_norm");
        }

        static LayerNames bert(int layer) {
            String p = "encoder.layer." + layer + ".";
            return new LayerNames(
                    p + "attention.self.query",
                    p + "attention.self.key",
                    p + "attention.self.value",
                    p + "attention.output.dense",
                    p + "attention.output.LayerNorm",
                    p + "intermediate.dense",
                    p + "output.dense",
                    p + "output.LayerNorm");
        }
    }
}
