package io.gatun.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The folder for what Gatun unpacks once and uses again: {@code GATUN_CACHE}, else {@code $XDG_CACHE_HOME/gatun}, else
 * {@code ~/.cache/gatun}.
 */
final class CacheFolder {
    private CacheFolder() {}

    /**
     * The folder, made if it is not there.
     *
     * @throws TokenizerException when it cannot be written, with a sentence that says what to set
     */
    static Path writable() {
        Path folder = path();
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
        if (!Files.isWritable(folder)) {
            throw unwritable(folder, null);
        }
        return folder;
    }

    private static Path path() {
        String own = System.getenv("GATUN_CACHE");
        if (own != null && !own.isEmpty()) {
            return Path.of(own);
        }
        String shared = System.getenv("XDG_CACHE_HOME");
        return shared != null && !shared.isEmpty()
                ? Path.of(shared, "gatun")
                : Path.of(System.getProperty("user.home"), ".cache", "gatun");
    }

    private static TokenizerException unwritable(Path folder, @Nullable IOException cause) {
        String sentence = "The cache folder " + folder + " cannot be written; set GATUN_CACHE to a folder that can be.";
        return cause == null ? new TokenizerException(sentence) : new TokenizerException(sentence, cause);
    }
}
