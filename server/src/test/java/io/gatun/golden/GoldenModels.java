package io.gatun.golden;

import io.gatun.kernel.Compute;
import io.gatun.kernel.TensorType;
import io.gatun.model.Converter;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The small checkpoints whose answers the golden files hold. */
public final class GoldenModels {
    /** Each has a folder a task. */
    public static final List<String> NAMES = List.of("distilbert-uncased", "distilbert-cased", "bert-uncased");

    private static final Path RESOURCES = Path.of("src/test/resources/io/gatun/golden");

    private GoldenModels() {}

    /** The Hugging Face folder of a task. */
    public static Path folder(String model, String task) {
        return RESOURCES.resolve(model).resolve(task);
    }

    /** That folder as a model file, in F32, in another one. */
    public static Path convert(String model, String task, Path into) {
        Path file = into.resolve(model + "-" + task + ".gguf");
        Converter.convert(folder(model, task), file, TensorType.F32, (done, total) -> {});
        return file;
    }

    /** Ready to run; the caller closes it. */
    public static TextModel load(String model, String task, Compute compute) {
        try {
            Path into = Files.createTempDirectory("gatun-golden");
            Path file = convert(model, task, into);
            try {
                return TextModel.load(model, ModelSource.file(file), compute);
            } finally {
                Files.delete(file);
                Files.delete(into);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
