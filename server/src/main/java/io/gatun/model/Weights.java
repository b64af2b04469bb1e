package io.gatun.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tensors of a {@code .safetensors} file or, where a checkpoint was split, of the shards that its
 * {@code .safetensors.index.json} names. Keeps its files open.
 */
final class Weights implements AutoCloseable {
    /** A tensor and the file that it is in. */
    record Source(Safetensors file, Safetensors.Tensor tensor) {
        /** All of its numbers, row by row. */
        float[] floats() throws IOException {
            int rows = Math.toIntExact(tensor.rows());
            float[] values = new float[Math.toIntExact(rows * tensor.columns())];
            file.read(tensor, 0, rows, values);
            return values;
        }
    }

    private final Path folder;
    private final Path path;
    private final Map<String, Safetensors> files = new HashMap<>();
    private final Map<String, Source> tensors = new HashMap<>();

    private Weights(Path folder, Path path) {
        this.folder = folder;
        this.path = path;
    }

    /** Opens the file of that name in a folder, or its shards. */
    static Weights open(Path folder, String name) throws IOException {
        Path whole = inside(folder, name);
        Path index = inside(folder, name + ".index.json");
        boolean split = !Files.exists(whole) && Files.exists(index);
        Weights weights = new Weights(folder, split ? index : whole);
        try {
            if (split) {
                weights.readIndex(HuggingFaceFolder.json(index));
            } else {
                weights.readFile(name);
            }
            return weights;
        } catch (Throwable e) {
            weights.close();
            throw e;
        }
    }

    Optional<Source> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    /**
     * A tensor that is there and has the right shape.
     *
     * @param names that it may have; the first is the one that is missed
     */
    Source tensor(long rows, long columns, String... names) {
        for (String name : names) {
            // TensorFlow's names of a norm's parameters live on in old checkpoints.
            String old = name.replaceFirst("LayerNorm\\.weight$", "LayerNorm.gamma")
                    .replaceFirst("LayerNorm\\.bias$", "LayerNorm.beta");
            Optional<Source> source = find(name).or(() -> find(old));
            if (source.isPresent()) {
                return checked(source.get(), rows, columns);
            }
        }
        throw missing(names[0]);
    }

    /** Rows of a tensor without a bound on them. */
    long rows(String name) {
        return find(name).orElseThrow(() -> missing(name)).tensor().rows();
    }

    private ModelException missing(String name) {
        return new ModelException(path + " has no tensor " + name + ".");
    }

    private static Source checked(Source source, long rows, long columns) {
        Path path = source.file().path();
        Safetensors.Tensor tensor = source.tensor();
        List<Long> expected = rows == 1 && tensor.shape().size() == 1 ? List.of(columns) : List.of(rows, columns);
        if (!tensor.shape().equals(expected)) {
            throw new ModelException(path + ": the tensor " + tensor.name() + " has the shape " + tensor.shape()
                    + ", not " + expected + ".");
        }
        if (!Safetensors.isFloat(tensor.type())) {
            throw new ModelException(path + ": the tensor " + tensor.name() + " is of type " + tensor.type()
                    + "; Gatun converts F32, F16 and BF16.");
        }
        return source;
    }

    /** The file, or the index of the shards. */
    Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        for (Safetensors file : files.values()) {
            file.close();
        }
    }

    private void readFile(String name) throws IOException {
        Safetensors file = file(name);
        for (Safetensors.Tensor tensor : file.tensors()) {
            tensors.put(tensor.name(), new Source(file, tensor));
        }
    }

    private void readIndex(JsonNode json) throws IOException {
        JsonNode map = json.path("weight_map");
        if (map.isEmpty()) {
            throw new ModelException(path + " has no weight_map that names the file of each tensor.");
        }
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            Safetensors file = file(entry.getValue().asText());
            Safetensors.Tensor tensor = file.find(entry.getKey())
                    .orElseThrow(() -> new ModelException(file.path() + " has no tensor " + entry.getKey() + ", though "
                            + path.getFileName() + " says so."));
            tensors.put(tensor.name(), new Source(file, tensor));
        }
    }

    private Safetensors file(String name) throws IOException {
        Safetensors open = files.get(name);
        if (open != null) {
            return open;
        }
        Path file = inside(folder, name);
        if (!Files.isRegularFile(file)) {
            throw new ModelException("The folder " + folder + " has no file " + name + ".");
        }
        Safetensors opened = Safetensors.open(file);
        files.put(name, opened);
        return opened;
    }

    private static Path inside(Path folder, String name) {
        if (!name.matches("[^/\0]+")) {
            throw new ModelException("The file " + name + " is not in the folder " + folder + " itself.");
        }
        return folder.resolve(name);
    }
}
