package io.gatun.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gatun.kernel.Compute;
import io.gatun.kernel.TensorType;
import io.gatun.model.Converter;
import io.gatun.model.Head;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** A small checkpoint that Hugging Face's own classes wrote, converted for these tests, and what it must answer. */
public final class SmallModel {
    /** Four heads: tone, topics (multi label), spans and entities (token tags). */
    public static final String HEADS = "distilbert-heads-small";

    /** One head of four labels, two token types. */
    public static final String BERT = "bert-small";

    private static final ObjectMapper JSON = new ObjectMapper();

    private SmallModel() {}

    /** A text with its token ids and, by head, its logits. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Row(String text, int[] ids, JsonNode all) {
        public float[] logits(Head head) {
            return floats(all.get(head.name()));
        }
    }

    public static Path folder(String checkpoint) {
        try {
            return Path.of(Objects.requireNonNull(SmallModel.class.getResource("/io/gatun/model/" + checkpoint))
                    .toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    /** The checkpoint as an f32 file in a folder. */
    public static Path convert(String checkpoint, Path folder) {
        Path file = folder.resolve(checkpoint + ".gguf");
        if (!Files.exists(file)) {
            Converter.convert(folder(checkpoint), file, TensorType.F32, (done, total) -> {});
        }
        return file;
    }

    public static TextModel load(String checkpoint, Path folder) {
        return TextModel.load("small", ModelSource.file(convert(checkpoint, folder)), Compute.F32);
    }

    public static List<Row> reference(String checkpoint) {
        try {
            return Files.readAllLines(folder(checkpoint).resolve("reference.jsonl")).stream()
                    .map(SmallModel::row)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Row row(String line) {
        try {
            JsonNode all = JSON.readTree(line);
            return new Row(all.get("text").textValue(), JSON.treeToValue(all.get("ids"), int[].class), all);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static float[] floats(JsonNode list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) list.get(i).doubleValue();
        }
        return values;
    }
}
