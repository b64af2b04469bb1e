package io.gatun.kernel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** A real model file of 2 layers of 32 with random weights, written by {@link GgufWriter}. */
final class TinyModel {
    static final int VOCABULARY = 50;
    static final int CONTEXT = 16;
    static final int WIDTH = 32;
    static final int LAYERS = 2;
    static final int MASK = 4;
    private static final int FEED_FORWARD = 64;

    private TinyModel() {}

    /**
     * Its heads: 0 is a text head of 3 labels, 1 a token head of 2 that reads layers 1 and 2, 2 answers questions, 3 fills
     * masks.
     */
    static Path write(Path folder) throws IOException {
        Path file = folder.resolve("tiny.gguf");
        try (GgufWriter writer = new GgufWriter()) {
            write(writer, file);
        }
        return file;
    }

    /** Adds the model to what the writer has, and writes the file; tensors that are not the model's are random too. */
    static void write(GgufWriter writer, Path file) throws IOException {
        Random random = new Random(7);
        writer.put("general.architecture", "bert")
                .put("bert.block_count", LAYERS)
                .put("bert.context_length", CONTEXT)
                .put("bert.embedding_length", WIDTH)
                .put("bert.feed_forward_length", FEED_FORWARD)
                .put("bert.attention.head_count", 4)
                .put("bert.attention.layer_norm_epsilon", 1e-12f)
                .put("bert.attention.causal", false)
                .put("tokenizer.ggml.token_type_count", 1)
                .put("gatun.layout", 1)
                .put("gatun.head_count", 4)
                .put("tokenizer.ggml.mask_token_id", MASK);
        head(writer, 0, "text-classification", LAYERS).putStrings("gatun.head.0.labels", List.of("a", "b", "c"));
        writer.put("gatun.head.0.problem_type", "single_label_classification");
        head(writer, 1, "token-classification", 1, 2).putStrings("gatun.head.1.labels", List.of("O", "X"));
        writer.putFloats("gatun.head.1.output.weight", floats(random, 2 * 2 * WIDTH))
                .putFloats("gatun.head.1.output.bias", floats(random, 2));
        head(writer, 2, "question-answering", LAYERS)
                .putStrings("gatun.head.2.labels", List.of("start", "end"))
                .putFloats("gatun.head.2.output.weight", floats(random, 2 * WIDTH))
                .putFloats("gatun.head.2.output.bias", floats(random, 2));
        head(writer, 3, "fill-mask", LAYERS)
                .putFloats("gatun.head.3.dense.weight", floats(random, WIDTH * WIDTH))
                .putFloats("gatun.head.3.dense.bias", floats(random, WIDTH))
                .putFloats("gatun.head.3.norm.weight", floats(random, WIDTH))
                .putFloats("gatun.head.3.norm.bias", floats(random, WIDTH))
                .putFloats("gatun.head.3.output.bias", floats(random, VOCABULARY));
        tensors(writer);
        writer.write(file, (index, target) -> {
            float[] values = floats(random, (int) (target.byteSize() / 4));
            MemorySegment.copy(MemorySegment.ofArray(values), 0, target, 0, target.byteSize());
        });
    }

    /** The model of a file, computed in floats. */
    static Model open(Path file) throws IOException {
        return open(file, Compute.F32, 1);
    }

    static Model open(Path file, Compute compute, int threads) throws IOException {
        try (Slab image = read(file)) {
            return Model.open(image.segment(), compute, threads);
        }
    }

    static Slab read(Path file) throws IOException {
        Slab slab = Slab.allocate(Math.max(1, Files.size(file)));
        try (FileChannel channel = FileChannel.open(file);
                Arena arena = Arena.ofConfined()) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, Files.size(file), arena);
            slab.segment().copyFrom(mapped);
        }
        return slab;
    }

    private static GgufWriter head(GgufWriter writer, int index, String task, int... layers) {
        String prefix = "gatun.head." + index;
        return writer.put(prefix + ".name", "head-" + index)
                .put(prefix + ".task", task)
                .put(prefix + ".activation", "none")
                .putInts(prefix + ".layers", layers);
    }

    private static void tensors(GgufWriter writer) {
        matrix(writer, "token_embd.weight", WIDTH, VOCABULARY);
        matrix(writer, "position_embd.weight", WIDTH, CONTEXT);
        norm(writer, "token_embd_norm");
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            for (String linear : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                linear(writer, block + linear, WIDTH, WIDTH);
            }
            norm(writer, block + "attn_output_norm");
            linear(writer, block + "ffn_up", WIDTH, FEED_FORWARD);
            linear(writer, block + "ffn_down", FEED_FORWARD, WIDTH);
            norm(writer, block + "layer_output_norm");
        }
        linear(writer, "cls.output", WIDTH, 3);
    }

    private static void linear(GgufWriter writer, String name, int in, int out) {
        matrix(writer, name + ".weight", in, out);
        writer.addTensor(name + ".bias", TensorType.F32, out);
    }

    private static void norm(GgufWriter writer, String name) {
        writer.addTensor(name + ".weight", TensorType.F32, WIDTH).addTensor(name + ".bias", TensorType.F32, WIDTH);
    }

    private static void matrix(GgufWriter writer, String name, int columns, int rows) {
        writer.addTensor(name, TensorType.F32, columns, rows);
    }

    private static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * 0.3f;
        }
        return values;
    }
}
