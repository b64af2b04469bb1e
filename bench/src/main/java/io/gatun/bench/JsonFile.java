package io.gatun.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Where a benchmark writes what it printed. */
public final class JsonFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path path;

    private JsonFile(Path path) {
        this.path = path;
    }

    /**
     * A file that the user names is looked for where the user is. Whether it can be written shows before all work.
     *
     * @throws IOException with one sentence when it cannot
     */
    public static JsonFile of(Path file) throws IOException {
        Path target = Path.of(System.getProperty("gatun.bench.folder", ""))
                .resolve(file)
                .toAbsolutePath();
        Path folder = target.getParent();
        if (folder == null || !Files.isDirectory(folder) || !Files.isWritable(folder) || Files.isDirectory(target)) {
            throw new IOException("The file " + target + " cannot be written: " + folder
                    + " is no folder that this user may write in, or the file is a folder.");
        }
        return new JsonFile(target);
    }

    /** A report that says already what it was measured on: machine, processor, instruction set, versions, threads. */
    public static ObjectNode begin(Map<String, String> otherVersions, int threads) {
        ObjectNode json = JSON.createObjectNode();
        Machine.here().describe(json);
        Map<String, String> versions = new TreeMap<>(otherVersions);
        String own = JsonFile.class.getPackage().getImplementationVersion();
        versions.put("gatun", own == null ? "0.1.0" : own);
        versions.put("ggml", Kernel.ggmlVersion());
        versions.put("java", Runtime.version().toString());
        json.set("versions", JSON.valueToTree(versions));
        json.put("threads", threads);
        return json;
    }

    public void write(ObjectNode json) throws IOException {
        JSON.writerWithDefaultPrettyPrinter().writeValue(path.toFile(), json);
    }

    /** Writes another form of it. */
    public void write(String text) throws IOException {
        Files.writeString(path, text);
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
