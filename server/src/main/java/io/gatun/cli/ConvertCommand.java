package io.gatun.cli;

import io.gatun.kernel.Kernel;
import io.gatun.kernel.TensorType;
import io.gatun.model.Converter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a model file of a Hugging Face folder. */
@Command(
        name = "convert",
        description = "Makes a GGUF file of a Hugging Face folder: config.json, model.safetensors and its tokenizer.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class ConvertCommand implements Callable<Integer> {
    /** The types that a conversion writes. */
    enum Type {
        F32,
        F16,
        BF16,
        Q8_0,
        Q4_0
    }

    @Parameters(index = "0", paramLabel = "SOURCE", description = "The folder.")
    private String source = "";

    @Parameters(index = "1", paramLabel = "OUT.gguf", description = "The file to write; one that is there is replaced.")
    private String target = "";

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            description = "How the matrices are stored: f32, f16, bf16, q8_0 or q4_0 (default: ${DEFAULT-VALUE}).",
            defaultValue = "q8_0")
    private Type type = Type.Q8_0;

    @Option(
            names = "--head",
            paramLabel = "NAME=FOLDER",
            description =
                    "Again for each: joins the head of another folder, whose encoder is the same, under that name.")
    private List<String> heads = List.of();

    @Override
    public Integer call() {
        Path from = ModelOption.path(source);
        Path to = ModelOption.path(target);
        if (Files.isDirectory(to)) {
            throw new CommandException("The target " + to + " is a folder; name a file in it, such as MODEL.gguf.");
        }
        Map<String, Path> joined = joined(heads);
        Kernel.load();
        TensorType tensorType = TensorType.valueOf(type.name());
        if (Terminal.interactive()) {
            convertShown(from, joined, to, tensorType);
        } else {
            Converter.convert(from, joined, to, tensorType, (done, total) -> {});
        }
        System.err.println("gatun: wrote " + to + " (" + MemorySize.show(size(to)) + ").");
        return 0;
    }

    private static Map<String, Path> joined(List<String> heads) {
        Map<String, Path> folders = new LinkedHashMap<>();
        for (String head : heads) {
            int equals = head.indexOf('=');
            if (equals < 1 || equals == head.length() - 1) {
                throw new CommandException(
                        "The option --head '" + head + "' names no head and folder; write --head NAME=FOLDER.");
            }
            String name = head.substring(0, equals);
            if (folders.put(name, ModelOption.path(head.substring(equals + 1))) != null) {
                throw new CommandException("Two heads are called '" + name + "'; give each its own name.");
            }
        }
        return folders;
    }

    private static void convertShown(Path from, Map<String, Path> heads, Path to, TensorType type) {
        try (ProgressBar bar = new ProgressBarBuilder()
                .setTaskName("Converting")
                .setUnit(" MiB", 1 << 20)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(100)
                .build()) {
            Converter.convert(
                    from, heads, to, type, (done, total) -> bar.maxHint(total).stepTo(done));
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new CommandException(
                    "The file " + file + " was written and cannot be read: " + e.getMessage() + ".", e);
        }
    }
}
