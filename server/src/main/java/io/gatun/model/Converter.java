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
        convert(source, Map.of(), target, type, progress);
    }

    /**
     * Converts a folder and joins the heads of others that share its encoder, each under a name of its own. The folder's
     * own heads come first; the default is the first of all.
     *
     * @param heads folders with one head each, by the name that it is to have, in the order in which they iterate
     * @param type as above
     * @throws ModelException as above, and when an encoder is another one: it says by how much
     */
    public static void convert(Path source, Map<String, Path> heads, Path target, TensorType type, Progress progress) {
        if (!FILE_TYPES.containsKey(type)) {
            throw new ModelException("The type " + type + " is none of f32, f16, bf16, q8_0 and q4_0.");
        }
        checkTarget(target);
        try (HuggingFaceFolder folder = HuggingFaceFolder.open(source);
                JoinedHeads joined = JoinedHeads.open(heads)) {
            new Converter(folder, type).write(joined, target, progress);
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

    private void write(JoinedHeads joined, Path target, Progress progress) throws IOException {
        planEncoder(); // before the vocabulary, whose size is the config's word until a tensor confirms it
        WordPieceVocabulary vocabulary = folder.vocabulary();
        List<HeadWeights> heads = joined.join(folder);
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try (GgufWriter writer = new GgufWriter()) {
            writeKeys(writer, heads);
            VocabularyKeys.write(vocabulary, writer);
            HeadKeys keys = new HeadKeys(
                    writer,
                    config,
                    planned.getFirst().source(), // the word embeddings
                    (name, tensor) -> plan(name, TensorType.F32, false, tensor));
            for (HeadWeights head : heads) {
                keys.write(head);
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
        List<String> labels =
                heads.isEmpty() ? List.of() : heads.getFirst().head().labels();
        if (!labels.isEmpty()) {
            writer.putStrings("bert.classifier.output_labels", labels);
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
        for (EncoderTensor tensor : EncoderTensor.of(config)) {
            plan(
                    tensor.name(),
                    tensor.form() == EncoderTensor.Form.EXACT ? TensorType.F32 : matrixType(tensor.columns()),
                    tensor.form() == EncoderTensor.Form.LINEAR,
                    folder.encoder(tensor));
        }
    }

    /** Rows that do not fill a type's blocks are stored as F16. */
    private TensorType matrixType(long columns) {
        return columns % type.blockSize() == 0 ? type : TensorType.F16;
    }

    private void plan(String name, TensorType stored, boolean linear, Weights.Source source) {
        planned.add(new Planned(name, stored, linear, source));
    }
}
