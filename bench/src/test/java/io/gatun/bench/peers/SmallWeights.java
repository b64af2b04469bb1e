package io.gatun.bench.peers;

import io.gatun.bench.peers.EncoderWeights.Layer;
import io.gatun.bench.peers.EncoderWeights.Linear;
import io.gatun.bench.peers.EncoderWeights.Norm;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Random weights of a small encoder, and what they answer, computed as the formulas are written. */
final class SmallWeights {
    static final int VOCABULARY = 50;

    private static final int CONTEXT = 24;
    private static final int WIDTH = 32;
    private static final int WIDE = 64;
    private static final int HEADS = 4;
    private static final int LAYERS = 2;

    private final Random random;

    private SmallWeights(long seed) {
        random = new Random(seed);
    }

    static EncoderWeights random(long seed) {
        SmallWeights made = new SmallWeights(seed);
        return new EncoderWeights(
                WIDTH,
                HEADS,
                1e-12f,
                made.floats(VOCABULARY * WIDTH, 1),
                made.floats(CONTEXT * WIDTH, 1),
                made.norm("norm"),
                IntStream.range(0, LAYERS)
                        .mapToObj(i -> made.layer("layer." + i + "."))
                        .toList(),
                made.linear("dense", WIDTH, WIDTH),
                made.linear("output", 2, WIDTH));
    }

    private Layer layer(String name) {
        return new Layer(
                linear(name + "q", WIDTH, WIDTH),
                linear(name + "k", WIDTH, WIDTH),
                linear(name + "v", WIDTH, WIDTH),
                linear(name + "o", WIDTH, WIDTH),
                norm(name + "attention_norm"),
                linear(name + "up", WIDE, WIDTH),
                linear(name + "down", WIDTH, WIDE),
                norm(name + "output_norm"));
    }

    private Linear linear(String name, int out, int in) {
        return new Linear(name, out, in, floats(out * in, 2 / (float) Math.sqrt(in)), floats(out, 0.5f));
    }

    private Norm norm(String name) {
        float[] weight = floats(WIDTH, 0.3f);
        IntStream.range(0, WIDTH).forEach(i -> weight[i] += 1);
        return new Norm(name, weight, floats(WIDTH, 0.3f));
    }

    private float[] floats(int count, float scale) {
        float[] values = new float[count];
        IntStream.range(0, count).forEach(i -> values[i] = scale * (float) random.nextGaussian());
        return values;
    }

    /** The logits of one sequence. */
    static double[] logits(EncoderWeights weights, int[] ids) {
        double[][] rows = new double[ids.length][WIDTH];
        for (int t = 0; t < ids.length; t++) {
            for (int i = 0; i < WIDTH; i++) {
                rows[t][i] = weights.words()[ids[t] * WIDTH + i] + weights.positions()[t * WIDTH + i];
            }
            rows[t] = normed(rows[t], weights.norm(), weights.epsilon());
        }
        for (Layer layer : weights.layers()) {
            rows = layer(rows, layer, weights.epsilon());
        }
        double[] dense = linear(rows[0], weights.dense());
        for (int i = 0; i < dense.length; i++) {
            dense[i] = Math.max(0, dense[i]);
        }
        return linear(dense, weights.output());
    }

    private static double[][] layer(double[][] rows, Layer layer, float epsilon) {
        List<double[]> keys = IntStream.range(0, rows.length)
                .mapToObj(t -> linear(rows[t], layer.key()))
                .toList();
        List<double[]> values = IntStream.range(0, rows.length)
                .mapToObj(t -> linear(rows[t], layer.value()))
                .toList();
        double[][] next = new double[rows.length][];
        for (int t = 0; t < rows.length; t++) {
            double[] read = attention(linear(rows[t], layer.query()), keys, values);
            double[] attended =
                    normed(sum(linear(read, layer.attentionOutput()), rows[t]), layer.attentionNorm(), epsilon);
            double[] wide = linear(attended, layer.up());
            for (int i = 0; i < wide.length; i++) {
                wide[i] = wide[i] / 2 * (1 + erf(wide[i] / Math.sqrt(2)));
            }
            next[t] = normed(sum(linear(wide, layer.down()), attended), layer.outputNorm(), epsilon);
        }
        return next;
    }

    private static double[] attention(double[] query, List<double[]> keys, List<double[]> values) {
        int width = WIDTH / HEADS;
        double[] read = new double[WIDTH];
        for (int head = 0; head < HEADS; head++) {
            int from = head * width;
            double[] shares = keys.stream()
                    .mapToDouble(key -> Math.exp(IntStream.range(from, from + width)
                                    .mapToDouble(i -> query[i] * key[i])
                                    .sum()
                            / Math.sqrt(width)))
                    .toArray();
            double total = IntStream.range(0, shares.length)
                    .mapToDouble(t -> shares[t])
                    .sum();
            for (int t = 0; t < shares.length; t++) {
                for (int i = from; i < from + width; i++) {
                    read[i] += shares[t] / total * values.get(t)[i];
                }
            }
        }
        return read;
    }

    private static double[] linear(double[] row, Linear linear) {
        double[] product = new double[linear.out()];
        for (int o = 0; o < linear.out(); o++) {
            product[o] = linear.bias()[o];
            for (int i = 0; i < linear.in(); i++) {
                product[o] += linear.weight()[o * linear.in() + i] * row[i];
            }
        }
        return product;
    }

    private static double[] normed(double[] row, Norm norm, float epsilon) {
        double mean = IntStream.range(0, row.length)
                .mapToDouble(i -> row[i])
                .average()
                .orElseThrow();
        double variance = IntStream.range(0, row.length)
                .mapToDouble(i -> (row[i] - mean) * (row[i] - mean))
                .average()
                .orElseThrow();
        return IntStream.range(0, row.length)
                .mapToDouble(i -> (row[i] - mean) / Math.sqrt(variance + epsilon) * norm.weight()[i] + norm.bias()[i])
                .toArray();
    }

    private static double[] sum(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
    }

    /** The series, which converges for the small arguments that come here. */
    private static double erf(double x) {
        double bounded = Math.clamp(x, -5, 5);
        double term = bounded;
        double sum = bounded;
        for (int n = 1; n < 120; n++) {
            term *= -bounded * bounded / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }
}
