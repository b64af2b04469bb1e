package io.gatun.model;

import io.gatun.kernel.KernelException;
import io.gatun.kernel.Slab;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Where a model comes from. A file is mapped for as long as it is read, which costs neither a copy nor the memory for
 * one.
 *
 * <p>A file that another program cuts short in that fraction of a second ends this process, if the kernel is reading
 * there. That is accepted: the mapping is gone before the first request, and a file that was cut before is seen by its
 * size.
 */
public sealed interface ModelSource {
    /** A GGUF file. */
    record File(Path path) implements ModelSource {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /**
     * A GGUF file that is copied into memory to be read. Slower than mapping it; but whatever another program does to it
     * meanwhile ends in an exception and not in the end of this process.
     */
    record Copied(Path path) implements ModelSource {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /**
     * The default model, which this program carries. Within a jar it cannot be mapped, since nothing aligns it there;
     * the system property {@value #PROPERTY} may name a copy of it that can.
     */
    record Embedded() implements ModelSource {
        static final String RESOURCE = "default.gguf";
        static final String PROPERTY = "gatun.default-model";

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

    /** The same model for a process that must live whatever happens to the file while it is read. */
    default ModelSource copied() {
        return this instanceof File(Path path) ? new Copied(path) : this;
    }

    /**
     * Gives the whole model to a reader.
     *
     * @param reader gets native memory at a multiple of 64 bytes that is gone when it returns, and this thread's alone
     * @return what the reader returns
     * @throws ModelException when there is nothing to read
     */
    default <T> T read(Function<MemorySegment, T> reader) {
        try {
            return switch (this) {
                case File(Path path) -> readFile(path, reader);
                case Copied(Path path) -> readCopy(path, reader);
                case Embedded() -> readEmbedded(reader);
            };
        } catch (IOException e) {
            throw new ModelException("The model " + this + " cannot be read: " + e.getMessage(), e);
        } catch (InternalError e) {
            // What Java makes of a page that its file has no more.
            throw new ModelException("The model " + this + " cannot be read: it became shorter while it was read", e);
        }
    }

    private static <T> T readFile(Path path, Function<MemorySegment, T> reader) throws IOException {
        try (FileChannel channel = open(path);
                Arena arena = Arena.ofConfined()) {
            return reader.apply(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        }
    }

    private static <T> T readCopy(Path path, Function<MemorySegment, T> reader) throws IOException {
        try (FileChannel channel = open(path);
                Slab slab = slab("The model " + path, channel.size())) {
            FileTime before = Files.getLastModifiedTime(path);
            fill(slab.segment(), channel);
            if (channel.size() != slab.size()
                    || !Files.getLastModifiedTime(path).equals(before)) {
                throw new IOException("it was changed while it was read");
            }
            return reader.apply(slab.segment());
        }
    }

    private static FileChannel open(Path path) throws IOException {
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
        FileChannel channel = FileChannel.open(path);
        if (channel.size() == 0) {
            channel.close();
            throw new ModelException("The model " + path + " is empty.");
        }
        return channel;
    }

    private static <T> T readEmbedded(Function<MemorySegment, T> reader) throws IOException {
        @Nullable URL resource = ModelSource.class.getResource(Embedded.RESOURCE);
        if (resource == null) {
            throw new ModelException("This build carries no default model; name one with --model.");
        }
        @Nullable String copy = System.getProperty(Embedded.PROPERTY);
        if (copy != null && Files.isReadable(Path.of(copy))) {
            return readFile(Path.of(copy), reader);
        }
        if (resource.getProtocol().equals("file")) {
            return readFile(Path.of(URI.create(resource.toString())), reader);
        }
        URLConnection connection = resource.openConnection();
        connection.setUseCaches(false);
        try (InputStream stream = connection.getInputStream();
                ReadableByteChannel channel = Channels.newChannel(stream);
                Slab slab = slab("The default model", connection.getContentLengthLong())) {
            fill(slab.segment(), channel);
            return reader.apply(slab.segment());
        }
    }

    private static Slab slab(String what, long bytes) {
        try {
            return Slab.allocate(bytes);
        } catch (KernelException e) {
            throw new ModelException(what + " does not fit in memory: " + e.getMessage(), e);
        }
    }

    private static void fill(MemorySegment segment, ReadableByteChannel channel) throws IOException {
        MemorySegment rest = segment;
        while (rest.byteSize() > 0) {
            int read = channel.read(
                    rest.asSlice(0, Math.min(rest.byteSize(), 1 << 24)).asByteBuffer());
            if (read < 0) {
                throw new EOFException("it became shorter while it was read");
            }
            rest = rest.asSlice(read);
        }
    }
}
