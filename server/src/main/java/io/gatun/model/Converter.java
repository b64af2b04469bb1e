package io.gatun.model;

import io.gatun.kernel.Compute;
import io.gatun.kernel.GgufWriter;
import io.gatun.kernel.KernelException;
import io.gatun.kernel.Model;
import io.gatun.kernel.TensorType;
import io.gatun.text.WordPieceVocabulary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes a GGUF file of a Hugging Face folder. One tensor is in memory at a time while the file is written; it appears
 * under its name only when it is whole and the kernel has opened it. llama.cpp reads the outcome too: it refuses
 * tensors that it does not know, so that every head but a plain first one lies among the keys.
 */
public final class Converter {
    private static final Map<TensorType, Integer> FILE_TYPES =
            Map.of(TensorType.F32, 0, TensorType.F16, 1, TensorType.Q4_0, 2, TensorType.Q8_0, 7, TensorType.BF16, 32);

    /** Hears how far the conversion is. */
    @FunctionalInterface
    public interface Progress {
        void at(long doneBytes, long totalBytes);
    }

    /** A tensor of the file to come. */
    private record Planned(String name, TensorType type, boolean linear, Weights.Source source) {
        long bytes() {
            return type.bytes(source.tensor().rows() * source.tensor().columns());
        }
    }

    private final HuggingFaceFolder folder;
    private final HuggingFaceConfig config;
    private final TensorType type;
    private final List<Planned> planned = new ArrayList<>();

    private Converter(HuggingFaceFolder folder, TensorType type) {
        this.folder = folder;
        this.config = folder.config();
        this.type = type;
    }

    /**
     * Converts a folder.
     *
     * @param type of the encoder's matrices: F32, F16, BF16, Q8_0 or Q4_0; all else stays F32
     * @throws ModelException with one sentence that says what in the folder is wrong, or that OUT cannot be written
     */
    public static void convert(Path source, Path target, TensorType type, Progress progress) {
        if (!FILE_TYPES.containsKey(type)) {
            throw new ModelException("The type " + type + " is none of f32, f16, bf16, q8_0 and q4_0.");
        }
        checkTarget(target);
        try (HuggingFaceFolder folder = HuggingFaceFolder.open(source)) {
            new Converter(folder, type).write(target, progress);
        } catch (UncheckedIOException e) {
            throw failed(source, target, Objects.requireNonNull(e.getCause()));
        } catch (IOException e) {
            throw failed(source, target, e);
        }
    }

    private static void checkTarget(Path target) {
        Path parent = target.toAbsolutePath().getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new ModelException(
                    "The target " + target + " cannot be written: there is no folder " + parent + "; make it first.");
        }
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)
                && !Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new ModelException("The target " + target
                    + " cannot be written: it is there and is no file, and would be replaced; name another.");
        }
        if (!Files.isWritable(parent)) {
            throw new ModelException(
                    "The target " + target + " cannot be written: this user may not write in the folder " + parent
                            + "; change its permissions or name another.");
        }
    }

    /** The exceptions for a file that is missing or forbidden say only its path. */
    private static ModelException failed(Path source, Path target, IOException e) {
        String reason = switch (e) {
            case NoSuchFileException missing -> missing.getFile() + " does not exist";
            case AccessDeniedException denied ->
                "this user may not open " + denied.getFile() + "; change its permissions";
            default -> String.valueOf(e.getMessage());
        };
        return new ModelException("The conversion of " + source + " to " + target + " failed: " + reason + ".", e);
    }

    private void write(Path target, Progress progress) throws IOException {
        List<HeadWeights> heads = folder.heads();
        planEncoder(); // before the vocabulary, whose size is the config's word until a tensor confirms it
        WordPieceVocabulary vocabulary = folder.vocabulary();
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try (GgufWriter writer = new GgufWriter()) {
            writeKeys(writer, heads);
            VocabularyKeys.write(vocabulary, writer);
            for (HeadWeights head : heads) {
                writeHead(writer, head);
            }
            planned.forEach(tensor -> writer.addTensor(tensor.name(), tensor.type(), shape(tensor.source())));
            long total = planned.stream().mapToLong(Planned::bytes).sum();
            long[] done = {0};
            writer.write(part, (index, out) -> {
                Planned tensor = planned.get(index);
                TensorEncoder.encode(tensor.source(), tensor.type(), tensor.linear(), out);
                progress.at(done[0] += tensor.bytes(), total);
            });
            checkRuns(part);
            move(part, target);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    /** The kernel has rules that no shape tells. A file that it refuses must not appear. */
    private void checkRuns(Path part) {
        try {
            ModelSource.file(part).read(image -> Model.check(image, Compute.INT8));
        } catch (KernelException e) {
            throw new ModelException(
                    "The folder " + folder.path() + " makes a model that does not run: " + e.getMessage() + ".", e);
        }
    }

    private static void move(Path part, Path target) throws IOException {
        try {
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static long[] shape(Weights.Source source) {
        long columns = source.tensor().columns();
        return source.tensor().shape().size() < 2
                ? new long[] {columns}
                : new long[] {columns, source.tensor().rows()};
    }

    private void writeKeys(GgufWriter writer, List<HeadWeights> heads) throws IOException {
        writer.put("general.architecture", "bert")
                .put("general.name", folder.name())
                .put("general.file_type", FILE_TYPES.getOrDefault(type, 0))
                .put("general.quantization_version", 2)
                .put("bert.block_count", config.layerCount())
                .put("bert.context_length", config.contextLength())
                .put("bert.embedding_length", config.embeddingLength())
                .put("bert.feed_forward_length", config.feedForwardLength())
                .put("bert.attention.head_count", config.attentionHeadCount())
                .put("bert.attention.layer_norm_epsilon", config.epsilon())
                .put("bert.attention.causal", false)
                .put("tokenizer.ggml.token_type_count", config.tokenTypeCount())
                .put("gatun.layout", 1)
                .put("gatun.activation", config.activation())
                .put("gatun.head_count", heads.size());
        boolean classifier = !heads.isEmpty() && heads.getFirst().head().task() == Task.TEXT_CLASSIFICATION;
        folder.pooling()
                .or(() -> classifier ? Optional.of(Pooling.CLS) : Optional.empty())
                .ifPresent(pooling -> writePooling(writer, pooling));
        if (!heads.isEmpty()) {
            writer.putStrings(
                    "bert.classifier.output_labels", heads.getFirst().head().labels());
        }
    }

    /** llama.cpp has no number for the maximum: "none" tells it that the file's pooling is none of its own. */
    private static void writePooling(GgufWriter writer, Pooling pooling) {
        writer.put(
                "bert.pooling_type",
                switch (pooling) {
                    case MEAN -> 1;
                    case CLS -> 2;
                    case LAST -> 3;
                    case MAX -> 0;
                });
        if (pooling == Pooling.MAX) {
            writer.put("gatun.pooling", pooling.id());
        }
    }

    private void planEncoder() {
        int d = config.embeddingLength();
        boolean distil = config.kind() == HuggingFaceConfig.Kind.DISTILBERT;
        plan(
                "token_embd.weight",
                "embeddings.word_embeddings.weight",
                config.vocabularySize(),
                d,
                matrixType(d),
                false);
        plan(
                "position_embd.weight",
                "embeddings.position_embeddings.weight",
                config.contextLength(),
                d,
                TensorType.F32,
                false);
        if (!distil) {
            plan(
                    "token_types.weight",
                    "embeddings.token_type_embeddings.weight",
                    config.tokenTypeCount(),
                    d,
                    TensorType.F32,
                    false);
        }
        planVector("token_embd_norm", "embeddings.LayerNorm", d);
        for (int i = 0; i < config.layerCount(); i++) {
            LayerNames names = distil ? LayerNames.distilBert(i) : LayerNames.bert(i);
            String block = "blk." + i + ".";
            planLinear(block + "attn_q", names.query(), d, d);
            planLinear(block + "attn_k", names.key(), d, d);
            planLinear(block + "attn_v", names.value(), d, d);
            planLinear(block + "attn_output", names.out(), d, d);
            planVector(block + "attn_output_norm", names.attentionNorm(), d);
            planLinear(block + "ffn_up", names.up(), config.feedForwardLength(), d);
            planLinear(block + "ffn_down", names.down(), d, config.feedForwardLength());
            planVector(block + "layer_output_norm", names.outputNorm(), d);
        }
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

    /** Rows that do not fill a type's blocks are stored as F16. */
    private TensorType matrixType(long columns) {
        return columns % type.blockSize() == 0 ? type : TensorType.F16;
    }

    private void planLinear(String name, String source, long out, long in) {
        plan(name + ".weight", source + ".weight", out, in, matrixType(in), true);
        plan(name + ".bias", source + ".bias", 1, out, TensorType.F32, false);
    }

    private void planVector(String name, String source, long length) {
        plan(name + ".weight", source + ".weight", 1, length, TensorType.F32, false);
        plan(name + ".bias", source + ".bias", 1, length, TensorType.F32, false);
    }

    private void plan(String name, String source, long rows, long columns, TensorType stored, boolean linear) {
        planned.add(new Planned(name, stored, linear, folder.encoder(source, rows, columns)));
    }

    private void writeHead(GgufWriter writer, HeadWeights weights) throws IOException {
        Head head = weights.head();
        String prefix = "gatun.head." + head.index() + ".";
        writer.put(prefix + "name", head.name())
                .put(prefix + "task", head.task().id())
                .putStrings(prefix + "labels", head.labels())
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
        long in = (long) head.layers().size() * config.embeddingLength();
        HeadWeights.@Nullable Linear dense = weights.dense();
        long width = dense == null ? in : folder.rows(dense.weights(), dense.name() + ".weight");
        boolean plain = head.index() == 0
                && head.layers().equals(List.of(config.layerCount()))
                && width == config.embeddingLength();
        if (dense != null) {
            place(writer, plain ? null : prefix + "dense", "cls", dense, width, in);
        }
        place(
                writer,
                plain ? null : prefix + "output",
                "cls.output",
                weights.output(),
                head.labels().size(),
                width);
    }

    /** A head's layer becomes an array among the keys or, without a key, a tensor. */
    private void place(
            GgufWriter writer, @Nullable String key, String tensor, HeadWeights.Linear linear, long out, long in)
            throws IOException {
        Weights.Source weight = folder.tensor(linear.weights(), linear.name() + ".weight", out, in);
        Weights.Source bias = folder.tensor(linear.weights(), linear.name() + ".bias", 1, out);
        if (key == null) {
            planned.add(new Planned(tensor + ".weight", TensorType.F32, false, weight));
            planned.add(new Planned(tensor + ".bias", TensorType.F32, false, bias));
        } else {
            writer.putFloats(key + ".weight", floats(weight)).putFloats(key + ".bias", floats(bias));
        }
    }

    private static float[] floats(Weights.Source source) throws IOException {
        int rows = Math.toIntExact(source.tensor().rows());
        float[] values = new float[Math.toIntExact(rows * source.tensor().columns())];
        source.file().read(source.tensor(), 0, rows, values);
        return values;
    }
}
