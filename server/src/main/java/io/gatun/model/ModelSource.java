package io.gatun.model;

import io.gatun.kernel.KernelException;
import io.gatun.kernel.Slab;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a model comes from. It is read into memory and never mapped: a mapped file that another program cuts short ends
 * the process that reads on.
 */
public sealed interface ModelSource {
    /** A GGUF file. */
    record File(Path path) implements ModelSource {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /** The default model, which this program carries. */
    record Embedded() implements ModelSource {
        static final String RESOURCE = "default.gguf";

        @Override
        public String toString() {
            return "the embedded default model";
        }
    }

    static ModelSource file(Path path) {
        return new File(path);
    }

    static ModelSource embedded() {
        return new Embedded();
    }

    /**
     * Reads the whole model.
     *
     * @return native memory, owned by the caller
     * @throws ModelException when there is nothing to read
     */
    default Slab read() {
        try {
            return switch (this) {
                case File(Path path) -> readFile(path);
                case Embedded() -> readEmbedded();
            };
        } catch (IOException e) {
            throw new ModelException("The model " + this + " cannot be read: " + e.getMessage(), e);
        } catch (KernelException e) {
            throw new ModelException("The model " + this + " does not fit in memory: " + e.getMessage(), e);
        }
    }

    private static Slab readFile(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new ModelException("The model " + path + " does not exist.");
        }
        if (Files.isDirectory(path)) {
            throw new ModelException(
                    "The model " + path + " is a folder; convert it first: gatun convert " + path + " MODEL.gguf");
        }
        if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
            throw new ModelException("The model " + path + " cannot be read: it is no readable file.");
        }
        long size = Files.size(path);
        if (size == 0) {
            throw new ModelException("The model " + path + " is empty.");
        }
        try (ReadableByteChannel channel = Files.newByteChannel(path)) {
            return fill(channel, size);
        }
    }

    private static Slab readEmbedded() throws IOException {
        URL resource = ModelSource.class.getResource(Embedded.RESOURCE);
        if (resource == null) {
            throw new ModelException("This build carries no default model; name one with --model.");
        }
        URLConnection connection = resource.openConnection();
        connection.setUseCaches(false);
        try (InputStream stream = connection.getInputStream();
                ReadableByteChannel channel = Channels.newChannel(stream)) {
            return fill(channel, connection.getContentLengthLong());
        }
    }

    private static Slab fill(ReadableByteChannel channel, long size) throws IOException {
        Slab slab = Slab.allocate(size);
        try {
            MemorySegment rest = slab.segment();
            while (rest.byteSize() > 0) {
                int read = channel.read(
                        rest.asSlice(0, Math.min(rest.byteSize(), 1 << 24)).asByteBuffer());
                if (read < 0) {
                    throw new EOFException("it became shorter while it was read");
                }
                rest = rest.asSlice(read);
            }
            return slab;
        } catch (Throwable e) {
            slab.close();
            throw e;
        }
    }
}
