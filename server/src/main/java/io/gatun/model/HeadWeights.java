package io.gatun.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A head together with where its weights are in a Hugging Face folder. */
sealed interface HeadWeights {
    Head head();

    /** The same head at another place of a model and under another name. */
    HeadWeights as(int index, String name);

    /** A weight {@code [out][in]}, or {@code [out]} of a norm, with its bias {@code [out]}: names behind which theirs begin. */
    record Part(Weights weights, String name) {
        Weights.Source weight(long rows, long columns) {
            return weights.tensor(rows, columns, name + ".weight");
        }

        Weights.Source bias(long length) {
            return weights.tensor(1, length, name + ".bias");
        }

        /** A dense layer may be of any width. */
        long rows() {
            return weights.rows(name + ".weight");
        }
    }

    /**
     * A head that answers labels.
     *
     * @param shares how much of each layer's rows goes into the sum that the head reads; empty where it reads the layers
     *     side by side
     * @param dense the layer before its activation, or null
     * @param output {@code [labels][in]}
     */
    record Labels(Head head, List<Double> shares, @Nullable Part dense, Part output) implements HeadWeights {
        @Override
        public HeadWeights as(int index, String name) {
            return new Labels(head.as(index, name), shares, dense, output);
        }
    }

    /**
     * A head that fills masks with words: a square dense layer, its activation, a norm, and then the product with the
     * word embeddings.
     *
     * @param decoder the name of those embeddings where a checkpoint stores them once more
     * @param bias the name of the vector {@code [vocabulary]} that is added to the product
     */
    record Words(Head head, Part dense, Part norm, Weights weights, String decoder, String bias)
            implements HeadWeights {
        @Override
        public HeadWeights as(int index, String name) {
            return new Words(head.as(index, name), dense, norm, weights, decoder, bias);
        }
    }
}
