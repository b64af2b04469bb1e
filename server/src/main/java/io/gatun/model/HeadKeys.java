package io.gatun.model;

import io.gatun.kernel.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes heads among the keys of a GGUF file. The weights of a plain first head, which llama.cpp knows too, become
 * tensors.
 */
final class HeadKeys {
    private final GgufWriter writer;
    private final HuggingFaceConfig config;
    private final Weights.Source embeddings;
    private final BiConsumer<String, Weights.Source> tensors;

    /**
     * A writer of a model's heads.
     *
     * @param embeddings the word embeddings of the model's encoder, {@code [vocabulary][embeddingLength]}
     * @param tensors takes the name of a tensor and where its numbers are
     */
    HeadKeys(
            GgufWriter writer,
            HuggingFaceConfig config,
            Weights.Source embeddings,
            BiConsumer<String, Weights.Source> tensors) {
        this.writer = writer;
        this.config = config;
        this.embeddings = embeddings;
        this.tensors = tensors;
    }

    void write(HeadWeights weights) throws IOException {
        Head head = weights.head();
        String prefix = "gatun.head." + head.index() + ".";
        writer.put(prefix + "name", head.name())
                .put(prefix + "task", head.task().id())
                .put(prefix + "activation", head.activation())
                .putInts(
                        prefix + "layers",
                        head.layers().stream().mapToInt(Integer::intValue).toArray());
        if (head.task() == Task.TEXT_CLASSIFICATION) {
            writer.put(prefix + "problem_type", head.problemType().id());
        }
        if (head.threshold().isPresent()) {
            writer.put(prefix + "threshold", (float) head.threshold().getAsDouble());
        }
        switch (weights) {
            case HeadWeights.Labels labels -> writeLabels(prefix, labels);
            case HeadWeights.Words words -> writeWords(prefix, words);
        }
    }

    private void writeLabels(String prefix, HeadWeights.Labels weights) throws IOException {
        Head head = weights.head();
        writer.putStrings(prefix + "labels", head.labels());
        List<Double> shares = weights.shares();
        int d = config.embeddingLength();
        HeadWeights.@Nullable Part dense = weights.dense();
        long in = shares.isEmpty() ? (long) head.layers().size() * d : d;
        long width = dense == null ? in : dense.rows();
        boolean plain = head.index() == 0
                && head.layers().equals(List.of(config.layerCount()))
                && shares.isEmpty()
                && width == d;
        if (dense != null) {
            place(plain ? null : prefix + "dense", "cls", dense, width, in, shares);
        }
        int labels = head.labels().size();
        place(
                plain ? null : prefix + "output",
                "cls.output",
                weights.output(),
                labels,
                width,
                dense == null ? shares : List.of());
    }

    /** A head's layer becomes an array among the keys or, without a key, a tensor. */
    private void place(
            @Nullable String key, String tensor, HeadWeights.Part part, long out, long in, List<Double> shares)
            throws IOException {
        Weights.Source weight = part.weight(out, in);
        Weights.Source bias = part.bias(out);
        if (key == null) {
            tensors.accept(tensor + ".weight", weight);
            tensors.accept(tensor + ".bias", bias);
        } else {
            writer.putFloats(key + ".weight", spread(weight.floats(), Math.toIntExact(in), shares))
                    .putFloats(key + ".bias", bias.floats());
        }
    }

    /**
     * The matrix {@code [out][layers * in]} that makes of rows side by side what the matrix {@code [out][in]} makes of
     * their weighted sum: {@code W (a h + b g) = [aW bW] [h g]}.
     */
    private static float[] spread(float[] matrix, int in, List<Double> shares) {
        if (shares.isEmpty()) {
            return matrix;
        }
        float[] wide = new float[Math.multiplyExact(matrix.length, shares.size())];
        for (int row = 0, at = 0; row < matrix.length; row += in) {
            for (double share : shares) {
                for (int i = 0; i < in; i++) {
                    wide[at++] = (float) (share * matrix[row + i]);
                }
            }
        }
        return wide;
    }

    private void writeWords(String prefix, HeadWeights.Words words) throws IOException {
        int d = config.embeddingLength();
        int vocabulary = config.vocabularySize();
        var decoder = words.weights().find(words.decoder());
        if (decoder.isPresent()) {
            Weights.Source stored = words.weights().tensor(vocabulary, d, words.decoder());
            Difference difference = Difference.between(stored, embeddings);
            if (!difference.isNone()) {
                throw new ModelException(words.weights().path() + ": the tensor " + words.decoder()
                        + " differs from the word embeddings, by up to " + Difference.shown(difference.largest())
                        + "; Gatun runs fill-mask heads that share them.");
            }
        }
        writer.putFloats(prefix + "dense.weight", words.dense().weight(d, d).floats())
                .putFloats(prefix + "dense.bias", words.dense().bias(d).floats())
                .putFloats(prefix + "norm.weight", words.norm().weight(1, d).floats())
                .putFloats(prefix + "norm.bias", words.norm().bias(d).floats())
                .putFloats(
                        prefix + "output.bias",
                        words.weights().tensor(1, vocabulary, words.bias()).floats());
    }
}
