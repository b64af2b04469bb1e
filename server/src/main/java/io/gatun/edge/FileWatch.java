package io.gatun.edge;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads small files again when they change. It compares what they hold: times and sizes tell too little where a secret
 * is swapped by a link, and a whole certificate is read in microseconds. Thread-safe; its one thread runs from the first
 * {@link #add} until {@link #close}.
 */
public final class FileWatch implements AutoCloseable {
    private static final Logger LOGGER = Logger.getLogger(FileWatch.class.getName());
    private static final Duration USUAL_PERIOD = Duration.ofMillis(500);
    private static final long MAX_BYTES = 1 << 20;

    private final Duration period;
    private final List<Watched> watched = new ArrayList<>();
    private @Nullable Thread thread;

    /** Takes what the files hold, in their order. */
    @FunctionalInterface
    interface Use {
        /** Throws an {@link EdgeException} when they are of no use; what was taken before then stays. */
        void take(List<byte[]> contents);
    }

    /** Files that belong together; {@code seen} and {@code taken} are digests of what they hold. */
    private static final class Watched {
        final List<Path> files;
        final Use use;
        String seen;
        String taken;

        Watched(List<Path> files, Use use, String taken) {
            this.files = files;
            this.use = use;
            this.seen = taken;
            this.taken = taken;
        }

        String names() {
            return files.stream().map(Path::toString).collect(Collectors.joining(" and "));
        }
    }

    public FileWatch() {
        this(USUAL_PERIOD);
    }

    FileWatch(Duration period) {
        this.period = period;
    }

    /**
     * Takes the files now, and again each time that they change.
     *
     * @throws EdgeException when they cannot be read, or are of no use
     */
    synchronized void add(List<Path> files, Use use) {
        List<byte[]> contents = read(files);
        use.take(contents);
        watched.add(new Watched(files, use, digest(contents)));
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("gatun-files").start(this::run);
        }
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(period);
                look();
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private synchronized void look() {
        for (Watched one : watched) {
            try {
                look(one);
            } catch (EdgeException e) {
                if (!one.seen.equals(e.getMessage())) {
                    one.seen = String.valueOf(e.getMessage());
                    LOGGER.log(Level.WARNING, "{0} What was read before stays in use.", e.getMessage());
                }
            } catch (RuntimeException e) {
                LOGGER.log(Level.SEVERE, "Cannot use " + one.names(), e);
            }
        }
    }

    /** A change is taken when two looks find the same: who writes the files may be in the midst of it. */
    private static void look(Watched one) {
        List<byte[]> contents = read(one.files);
        String digest = digest(contents);
        boolean settled = digest.equals(one.seen);
        if (!settled) {
            one.seen = digest;
            return;
        }
        if (!digest.equals(one.taken)) {
            one.taken = digest;
            one.use.take(contents);
            LOGGER.log(Level.INFO, "Read again: {0}", one.names());
        }
    }

    private static List<byte[]> read(List<Path> files) {
        List<byte[]> contents = new ArrayList<>(files.size());
        for (Path file : files) {
            try {
                if (Files.size(file) > MAX_BYTES) {
                    throw new EdgeException(file + " is larger than " + MAX_BYTES + " bytes; is it the right file?");
                }
                contents.add(Files.readAllBytes(file));
            } catch (NoSuchFileException e) {
                throw new EdgeException("There is no file " + file + ".", e);
            } catch (IOException e) {
                throw new EdgeException("Cannot read " + file + " (" + e.getMessage() + ").", e);
            }
        }
        return contents;
    }

    /** Kept instead of the contents: secrets need not lie about. */
    private static String digest(List<byte[]> contents) {
        MessageDigest sha256 = Sha256.digest();
        for (byte[] content : contents) {
            sha256.update(Integer.toString(content.length).getBytes(StandardCharsets.US_ASCII));
            sha256.update((byte) ' ');
            sha256.update(content);
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    @Override
    public synchronized void close() {
        if (thread != null) {
            thread.interrupt();
        }
    }
}
