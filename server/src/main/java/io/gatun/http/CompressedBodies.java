package io.gatun.http;

import io.helidon.http.encoding.ContentDecoder;
import io.helidon.http.encoding.ContentEncoder;
import io.helidon.http.encoding.ContentEncoding;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;

/**
 * Bodies of requests that come compressed, which Triton's clients can be told to send. What they unpack to is bounded
 * like any other body. Answers are never compressed: they are small, and the processor has better to do.
 */
enum CompressedBodies implements ContentEncoding {
    GZIP("gzip") {
        @Override
        InputStream open(InputStream packed) throws IOException {
            return new GZIPInputStream(packed);
        }
    },
    /** A stream of zlib, as HTTP defines it. */
    DEFLATE("deflate") {
        @Override
        InputStream open(InputStream packed) {
            return new InflaterInputStream(packed);
        }
    };

    private final String id;

    CompressedBodies(String id) {
        this.id = id;
    }

    abstract InputStream open(InputStream packed) throws IOException;

    @Override
    public Set<String> ids() {
        return Set.of(id);
    }

    @Override
    public boolean supportsEncoding() {
        return false;
    }

    @Override
    public boolean supportsDecoding() {
        return true;
    }

    @Override
    public ContentDecoder decoder() {
        return packed -> {
            try {
                return open(packed);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    @Override
    public ContentEncoder encoder() {
        return ContentEncoder.NO_OP;
    }

    @Override
    public String type() {
        return id;
    }
}
