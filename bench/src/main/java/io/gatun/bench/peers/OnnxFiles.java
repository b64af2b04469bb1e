package io.gatun.bench.peers;

import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.Supplier;

/**
 * The ONNX files of one model, made once.
 *
 * @param plain fp32, in ONNX's own operators
 * @param plainInt8 that in 8 bits, a scale a column: as Optimum makes it
 * @param fused fp32, in ONNX Runtime's fused operators
 * @param fusedInt8 that in 8 bits
 */
record OnnxFiles(Path folder, Path plain, Path plainInt8, Path fused, Path fusedInt8) {
    /** Counts up when the graphs change, so that older files are not taken for these. */
    private static final int FORM = 1;

    private static final int CHUNK = 1 << 20;

    /**
     * The files of a model's weights, which are read from where it was loaded from, in a folder of their own below {@code cache}, written where they are missing.
     *
     * @throws PeersException when they cannot be written
     */
    static OnnxFiles of(TextModel model, ModelSource source, Path cache, Progress progress) {
        Path folder = cache.resolve("onnx-" + source.read(OnnxFiles::sha256).substring(0, 16) + "-" + FORM);
        OnnxFiles files = new OnnxFiles(
                folder,
                folder.resolve("plain.onnx"),
                folder.resolve("plain-int8.onnx"),
                folder.resolve("fused.onnx"),
                folder.resolve("fused-int8.onnx"));
        if (Files.exists(files.plain)
                && Files.exists(files.plainInt8)
                && Files.exists(files.fused)
                && Files.exists(files.fusedInt8)) {
            return files;
        }
        progress.say("writing ONNX files of the model's weights to " + folder);
        try {
            Files.createDirectories(folder);
            EncoderWeights weights = source.read(image -> EncoderWeights.of(model, image));
            write(files.plain, () -> PlainGraph.of(weights, new OnnxNumbers.Floats()));
            write(files.plainInt8, () -> PlainGraph.of(weights, new OnnxNumbers.Bytes(true)));
            write(files.fused, () -> FusedGraph.of(weights, new OnnxNumbers.Floats()));
            write(files.fusedInt8, () -> FusedGraph.of(weights, new OnnxNumbers.Bytes(false)));
            return files;
        } catch (IOException e) {
            throw new PeersException("The ONNX files cannot be written to " + folder + ": " + e.getMessage() + ".", e);
        }
    }

    /** A file appears under its name when it is whole. */
    private static void write(Path file, Supplier<OnnxGraph> graph) throws IOException {
        Path part = Files.createTempFile(file.getParent(), "part", ".onnx");
        try {
            graph.get().write(part);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static String sha256(MemorySegment image) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (long at = 0; at < image.byteSize(); at += CHUNK) {
                digest.update(image.asSlice(at, Math.min(CHUNK, image.byteSize() - at))
                        .asByteBuffer());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
