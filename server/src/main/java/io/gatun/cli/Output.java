package io.gatun.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Standard output: UTF-8 whatever the locale, buffered, and loud when it cannot be written. For one thread at a time. */
final class Output {
    /** Standard output failed. Its reader has gone, which is no fault, or the text is lost. */
    static final class OutputException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final boolean closed;

        OutputException(IOException cause) {
            super("Standard output cannot be written: " + cause.getMessage() + ".", cause);
            closed = "Broken pipe".equals(cause.getMessage());
        }

        /** Whether the reader of a pipe has read enough. */
        boolean closed() {
            return closed;
        }
    }

    private static final Output STANDARD =
            new Output(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16));

    private final OutputStream stream;

    Output(OutputStream stream) {
        this.stream = stream;
    }

    static Output standard() {
        return STANDARD;
    }

    void line(String text) {
        try {
            stream.write(text.getBytes(StandardCharsets.UTF_8));
            stream.write('\n');
        } catch (IOException e) {
            throw new OutputException(e);
        }
    }

    void flush() {
        try {
            stream.flush();
        } catch (IOException e) {
            throw new OutputException(e);
        }
    }
}
