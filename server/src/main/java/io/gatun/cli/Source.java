package io.gatun.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where texts come from. For one thread. */
sealed interface Source extends AutoCloseable {
    /** A text with what to call it when it is refused. */
    record Line(String text, String place) {}

    /** The next text, or null behind the last one. */
    @Nullable
    Line next() throws IOException;

    /** How much there is in all, in the unit of {@link #done}; -1 when nobody knows. */
    long size();

    /** How much of it has been read. */
    long done();

    @Override
    default void close() throws IOException {}

    /** The texts of the command line, in order. */
    final class Arguments implements Source {
        private final List<String> texts;
        private int next;

        Arguments(List<String> texts) {
            this.texts = texts;
        }

        @Override
        public @Nullable Line next() {
            if (next == texts.size()) {
                return null;
            }
            String text = texts.get(next++);
            return new Line(text, "Text " + next);
        }

        @Override
        public long size() {
            return texts.size();
        }

        @Override
        public long done() {
            return next;
        }
    }

    /** The lines of a file or of standard input; sizes are in bytes. */
    final class Lines implements Source {
        private final InputStream stream;
        private final LineReader lines;
        private final long size;
        private final String name;

        Lines(InputStream stream, long size, String name) {
            this.stream = stream;
            this.lines = new LineReader(stream, name);
            this.size = size;
            this.name = name;
        }

        @Override
        public @Nullable Line next() throws IOException {
            String line = lines.next();
            return line == null ? null : new Line(line, "Line " + lines.number() + " of " + name);
        }

        @Override
        public long size() {
            return size;
        }

        @Override
        public long done() {
            return lines.bytes();
        }

        @Override
        public void close() throws IOException {
            stream.close();
        }
    }
}
