package io.gatun.text;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The native library of Hugging Face's tokenizers, which is unpacked into the cache folder and loaded from there. */
final class TokenizerLibrary {
    // It logs what it unpacks and, with a trace, why it cannot, which an exception tells too.
    // Kept, or the level is lost.
    private static final Logger LOGGER = Logger.getLogger("ai.djl");
    private static final String RESOURCES = "native/lib/";

    private TokenizerLibrary() {}

    /**
     * Loads the library, if that was not done yet.
     *
     * @throws TokenizerException with one sentence that says what to do
     */
    static void load() {
        LOGGER.setLevel(Level.OFF);
        Path cache = CacheFolder.writable();
        System.setProperty("DJL_CACHE_DIR", cache.toString());
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        try {
            dropDamaged(cache.resolve("tokenizers"));
            LibUtils.checkStatus();
        } catch (IOException | RuntimeException | LinkageError e) {
            Throwable root = e;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            throw new TokenizerException(
                    "The tokenizer's library cannot be unpacked into " + cache + " and loaded (" + root.getMessage()
                            + "); set GATUN_CACHE to a folder with 20 MB of room that programs may run from.",
                    e);
        }
    }

    /** A library that was cut short ends the process that loads it: one of another size than ours is unpacked anew. */
    private static void dropDamaged(Path unpacked) throws IOException {
        if (!Files.isDirectory(unpacked)) {
            return;
        }
        String name = System.mapLibraryName("tokenizers");
        String ours = version() + "-cpu-";
        List<Path> folders;
        try (Stream<Path> all = Files.list(unpacked)) {
            folders = all.filter(folder -> folder.getFileName().toString().startsWith(ours))
                    .toList();
        }
        for (Path folder : folders) {
            String platform = folder.getFileName().toString().substring(ours.length());
            URL original = resource(RESOURCES + platform + "/cpu/" + name);
            Path copy = folder.resolve(name);
            if (original != null
                    && Files.exists(copy)
                    && Files.size(copy) != original.openConnection().getContentLengthLong()) {
                Files.delete(copy);
            }
        }
    }

    private static String version() {
        Properties properties = new Properties();
        URL resource = resource(RESOURCES + "tokenizers.properties");
        if (resource != null) {
            try (InputStream stream = resource.openStream()) {
                properties.load(stream);
            } catch (IOException e) {
                throw new TokenizerException("The tokenizer's library is damaged: " + e.getMessage(), e);
            }
        }
        return properties.getProperty("version", "none");
    }

    private static @Nullable URL resource(String name) {
        return LibUtils.class.getClassLoader().getResource(name);
    }
}
