package io.gatun.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Lines of UTF-8, each of bounded length; bytes that are no UTF-8 are refused and not replaced. For one thread. */
final class LineReader {
    private static final int MAX_BYTES = 2 << 20;

    private final InputStream stream;
    private final String name;
    private long number;
    private final AtomicLong bytes = new AtomicLong();

    /** {@code name}: what the stream is called where a line is refused. */
    LineReader(InputStream stream, String name) {
        this.stream = new BufferedInputStream(stream, 1 << 16);
        this.name = name;
    }

    /** The number of the line read last, from 1. */
    long number() {
        return number;
    }

    /** About so many bytes have been read. Any thread. */
    long bytes() {
        return bytes.get();
    }

    /** The next line without its end, or null behind the last one. */
    @Nullable
    String next() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(256);
        int next = stream.read();
        if (next < 0) {
            return null;
        }
        number++;
        while (next >= 0 && next != '\n') {
            if (line.size() == MAX_BYTES) {
                throw new CommandException("Line " + number + " of " + name + " is longer than 2 MiB; cut it.");
            }
            line.write(next);
            next = stream.read();
        }
        byte[] read = line.toByteArray();
        bytes.addAndGet(read.length + 1L);
        int length = read.length > 0 && read[read.length - 1] == '\r' ? read.length - 1 : read.length;
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(read, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CommandException("Line " + number + " of " + name + " is not UTF-8; convert it first.", e);
        }
    }
}
