package io.gatun.model;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.kernel.Session;
import io.gatun.kernel.SessionLimits;
import io.gatun.kernel.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How heads read layers, against what plain Java computes in double from those layers' rows. */
final class HeadsFileTest {
    private static final int WIDTH = 64;
    private static final int[] IDS = {2, 40, 71, 300, 55, 123, 599, 8, 3};

    private final ObjectNode json = new ObjectMapper().createObjectNode();
    private final Map<String, Checkpoints.Tensor> tensors = new LinkedHashMap<>();
    private final Random random = new Random(3);

    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        Checkpoints.copy("distilbert-heads-small", folder);
        tensors.clear();
    }

    @Test
    void layersAreJoinedAsTheFileSays() throws IOException {
        for (int layer = 0; layer <= 3; layer++) {
            addRows("rows" + layer, layer);
        }
        linear("average.classifier", 5, WIDTH);
        head("average", "token-classification", 5, "average.classifier", 0, 1, 3)
                .withObject("/reads")
                .put("join", "average");
        linear("weighted.classifier", 4, WIDTH);
        head("weighted", "token-classification", 4, "weighted.classifier", 2, 3)
                .withObject("/reads")
                .put("join", "weighted")
                .putArray("weights")
                .add(0.25)
                .add(-1.5);
        linear("deep.dense", 24, WIDTH);
        linear("deep.classifier", 3, 24);
        ObjectNode deep = head("deep", "text-classification", 3, "deep.classifier", 1, 2, 3);
        deep.put("activation", "relu").withObject("/reads").put("rows", "first").put("join", "average");
        deep.putArray("tensors").add("deep.dense").add("deep.classifier");
        linear("single.classifier", 2, WIDTH);
        head("single", "token-classification", 2, "single.classifier", 3)
                .withObject("/reads")
                .put("join", "weighted")
                .putArray("weights")
                .add(0.5);
        json.put("default", "single");

        List<double[]> rows = new ArrayList<>();
        try (TextModel model = converted()) {
            assertThat(model.defaultHead(Task.TOKEN_CLASSIFICATION).name()).isEqualTo("single");
            Map<String, float[]> logits = logits(model);
            for (int layer = 0; layer <= 3; layer++) {
                rows.add(doubles(requireNonNull(logits.get("rows" + layer))));
            }
            assertRows(
                    requireNonNull(logits.get("average")),
                    times("average.classifier", sum(rows, Map.of(0, 1 / 3.0, 1, 1 / 3.0, 3, 1 / 3.0))));
            assertRows(
                    requireNonNull(logits.get("weighted")),
                    times("weighted.classifier", sum(rows, Map.of(2, 0.25, 3, -1.5))));
            assertRows(requireNonNull(logits.get("single")), times("single.classifier", sum(rows, Map.of(3, 0.5))));
            double[] first = Arrays.copyOf(sum(rows, Map.of(1, 1 / 3.0, 2, 1 / 3.0, 3, 1 / 3.0)), WIDTH);
            double[] dense = times("deep.dense", first);
            for (int i = 0; i < dense.length; i++) {
                dense[i] = Math.max(0, dense[i]);
            }
            assertRows(requireNonNull(logits.get("deep")), times("deep.classifier", dense));
        }
    }

    @Test
    void thirtyOneHeadsAreOneModel() throws IOException {
        for (int i = 0; i < 31; i++) {
            linear("h" + i, 2, WIDTH);
            head("h" + i, "token-classification", 2, "h" + i, i % 4);
        }
        try (TextModel model = converted()) {
            assertThat(model.description().heads()).hasSize(31);
            assertThat(logits(model).get("h30")).hasSize(2 * IDS.length);
        }
    }

    /** A head whose logits are a layer's rows. */
    private void addRows(String name, int layer) {
        float[] one = new float[WIDTH * WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            one[i * WIDTH + i] = 1;
        }
        tensors.put(name + ".weight", new Checkpoints.Tensor(List.of(WIDTH, WIDTH), one));
        tensors.put(name + ".bias", new Checkpoints.Tensor(List.of(WIDTH), new float[WIDTH]));
        head(name, "token-classification", WIDTH, name, layer);
    }

    private void linear(String name, int out, int in) {
        tensors.put(name + ".weight", Checkpoints.Tensor.random(random, out, in));
        tensors.put(name + ".bias", Checkpoints.Tensor.random(random, out));
    }

    private ObjectNode head(String name, String task, int labels, String tensor, int... layers) {
        ObjectNode head = json.withArray("/heads").addObject();
        head.put("name", name).put("task", task).put("file", "own.safetensors");
        IntStream.range(0, labels).mapToObj(i -> "L" + i).forEach(head.putArray("labels")::add);
        head.putArray("tensors").add(tensor);
        IntStream.of(layers).forEach(head.withObject("/reads").putArray("layers")::add);
        return head;
    }

    private TextModel converted() throws IOException {
        Checkpoints.write(folder.resolve("own.safetensors"), tensors);
        Files.writeString(folder.resolve("heads.json"), json.toString());
        Path file = folder.resolve("m.gguf");
        Converter.convert(folder, file, TensorType.F32, (done, total) -> {});
        return TextModel.load("m", ModelSource.file(file), Compute.F32);
    }

    private static Map<String, float[]> logits(TextModel model) {
        Map<String, float[]> logits = new LinkedHashMap<>();
        List<Head> heads = model.description().heads();
        try (Session session = Session.open(model.kernel(), new SessionLimits(64, 1))) {
            session.batch().clear();
            session.batch().add(IDS, null, (int) ((1L << heads.size()) - 1), false);
            session.run();
            heads.forEach(head -> logits.put(head.name(), session.logits(0, head.index())));
        }
        return logits;
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static double[] sum(List<double[]> layers, Map<Integer, Double> shares) {
        double[] sum = new double[IDS.length * WIDTH];
        shares.forEach((layer, share) -> {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += share * layers.get(layer)[i];
            }
        });
        return sum;
    }

    /** {@code rows} of the linear's input, row by row, times the linear. */
    private double[] times(String linear, double[] rows) {
        float[] weight = requireNonNull(tensors.get(linear + ".weight")).values();
        float[] bias = requireNonNull(tensors.get(linear + ".bias")).values();
        int in = weight.length / bias.length;
        double[] result = new double[rows.length / in * bias.length];
        for (int i = 0; i < result.length; i++) {
            int row = i / bias.length;
            int out = i % bias.length;
            result[i] = bias[out];
            for (int j = 0; j < in; j++) {
                result[i] += weight[out * in + j] * rows[row * in + j];
            }
        }
        return result;
    }

    private static void assertRows(float[] actual, double[] expected) {
        assertThat(doubles(actual)).containsExactly(expected, offset(1e-4));
    }
}
