package io.gatun.cli;

import io.gatun.kernel.Kernel;
import io.gatun.kernel.TensorType;
import io.gatun.model.Converter;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/** A checkpoint written by Hugging Face's own classes, small enough to be converted by each test class that wants it. */
final class SmallModel {
    private SmallModel() {}

    static Path folder(String name) throws URISyntaxException {
        URL config = Objects.requireNonNull(SmallModel.class.getResource("/io/gatun/model/" + name + "/config.json"));
        return Path.of(config.toURI()).resolveSibling("");
    }

    static Path convert(String name, Path folder) throws URISyntaxException {
        Kernel.load();
        Path file = folder.resolve(name + ".gguf");
        Converter.convert(folder(name), file, TensorType.F32, (done, total) -> {});
        return file;
    }
}
