package io.gatun.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gatun.service.ErrorType;
import io.gatun.service.RequestException;
import io.helidon.common.buffers.DataReader.InsufficientDataAvailableException;
import io.helidon.http.HttpException;
import io.helidon.http.HttpMediaType;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.regex.Pattern;
import java.util.zip.ZipException;

/** The JSON object that a request carries, read whole, bounded, and strictly. */
final class RequestBody {
    /** So much of a body that is too large is read and dropped, for a client reads no answer while it still sends. */
    static final long MAX_DISCARDED = 16L << 20;

    private static final int MAX_DEPTH = 16;
    private static final int MAX_MESSAGE = 200;
    private static final Pattern JSON = Pattern.compile("application/(?:json|[^/ ]+\\+json)", Pattern.CASE_INSENSITIVE);
    /** What only who configures the parser could follow. */
    private static final Pattern OF_THE_PARSER =
            Pattern.compile(": enable `[^`]*` to allow| \\(Feature '[^']*' not enabled[^)]*\\)");

    private static final Set<String> CHARSETS = Set.of("utf-8", "utf8", "us-ascii");

    private static final int MIN_PART_BYTES = 64;
    private static final int PART_BYTES = 1 << 16;

    private final JsonMapper mapper;
    private final int maxBytes;
    private final Semaphore freeBytes;

    RequestBody(ServerSettings settings) {
        maxBytes = settings.maxBodyBytes();
        freeBytes = new Semaphore(settings.maxBodyBytesTogether());
        mapper = JsonMapper.builder(Json.factory()
                        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                        .streamReadConstraints(StreamReadConstraints.builder()
                                .maxNestingDepth(MAX_DEPTH)
                                .maxStringLength(maxBytes)
                                .maxDocumentLength(maxBytes)
                                .build())
                        .build())
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
    }

    /** A request's part of the memory for bodies, held until the request is answered. Used by its own thread. */
    final class Lease implements AutoCloseable {
        private int bytes;

        private void add(int more) {
            if (!freeBytes.tryAcquire(more)) {
                throw RequestException.overloaded(
                        "The server holds as many long requests as it has memory for; try again in 1 s.", 1);
            }
            bytes += more;
        }

        /** Takes what an answer needs of the heap, in the measure of bodies. */
        void addHeap(long heapBytes) {
            add(Math.clamp(heapBytes / ServerSettings.HEAP_PER_BODY_BYTE, 0, Integer.MAX_VALUE));
        }

        @Override
        public void close() {
            freeBytes.release(bytes);
            bytes = 0;
        }
    }

    Lease lease() {
        return new Lease();
    }

    /**
     * Reads the object.
     *
     * @throws RequestException for every body that is none, and when other requests' bodies fill the memory for them
     */
    Fields read(ServerRequest request, Lease lease) throws IOException {
        requireJson(request);
        return parse(bytes(request, lease));
    }

    /** Reads the object of these bytes. */
    Fields parse(byte[] bytes) {
        String json = text(bytes);
        // JSON in UTF-8 has no byte order mark, and some editors write one.
        JsonNode root = parse(json.startsWith("\uFEFF") ? json.substring(1) : json);
        if (root == null || !root.isObject()) {
            throw RequestException.validation("The body must be a JSON object, such as {\"inputs\": \"a text\"}.");
        }
        return new Fields(root);
    }

    private static void requireJson(ServerRequest request) {
        Optional<HttpMediaType> type;
        try {
            type = request.headers().contentType();
        } catch (RuntimeException e) {
            // Helidon throws more than one kind at what it cannot parse.
            type = Optional.empty();
        }
        boolean json = type.map(t -> JSON.matcher(t.mediaType().text()).matches()
                        && t.charset()
                                .map(c -> CHARSETS.contains(c.toLowerCase(Locale.ROOT)))
                                .orElse(true))
                .orElse(false);
        if (!json) {
            throw new RequestException(
                    ErrorType.MEDIA_TYPE, "Send JSON in UTF-8, with the header Content-Type: application/json.");
        }
    }

    /**
     * Reads a body whatever it is. The stream is not closed: closing reads to the end, which a broken body does not have.
     *
     * @throws RequestException when it is too large, and when other requests' bodies fill the memory for them
     */
    byte[] bytes(ServerRequest request, Lease lease) throws IOException {
        if (!request.content().hasEntity()) {
            return new byte[0];
        }
        try {
            InputStream stream = request.content().inputStream();
            long announced = request.headers().contentLength().orElse(PART_BYTES);
            if (announced <= maxBytes) {
                // A buffer of its size is made for each read, however little there is to read.
                int partBytes = Math.clamp(announced, MIN_PART_BYTES, PART_BYTES);
                ByteArrayOutputStream bytes = new ByteArrayOutputStream(partBytes);
                byte[] part = stream.readNBytes(partBytes);
                while (part.length > 0 && bytes.size() + part.length <= maxBytes) {
                    lease.add(part.length);
                    bytes.writeBytes(part);
                    part = stream.readNBytes(partBytes);
                }
                if (part.length == 0) {
                    return bytes.toByteArray();
                }
            }
            discard(stream);
        } catch (RequestException | CloseConnectionException e) {
            throw e;
        } catch (ZipException | EOFException e) {
            throw damaged();
        } catch (UncheckedIOException e) {
            throw e.getCause() instanceof ZipException ? damaged() : new CloseConnectionException("The client left", e);
        } catch (InsufficientDataAvailableException e) {
            throw new CloseConnectionException("The client left", e);
        } catch (RuntimeException e) {

            throw broken(e);
        }
        throw new RequestException(ErrorType.BODY_TOO_LARGE, tooLarge());
    }

    private static UnreadableBodyException damaged() {
        return new UnreadableBodyException(
                ErrorType.MALFORMED,
                "The body cannot be unpacked as its Content-Encoding says; send it whole, or as it is.");
    }

    private String tooLarge() {
        return "The body is larger than " + maxBytes + " bytes; send fewer or shorter texts in one request.";
    }

    /** Where such a body ends, and with it where the next request starts, nobody knows. */
    private UnreadableBodyException broken(RuntimeException e) {
        int status = switch (e) {
            case io.helidon.http.RequestException refused -> refused.status().code();
            case HttpException unpacked -> unpacked.status().code();
            default -> 0;
        };
        boolean large = status == Status.of(ErrorType.BODY_TOO_LARGE);
        return large
                ? new UnreadableBodyException(ErrorType.BODY_TOO_LARGE, tooLarge())
                : new UnreadableBodyException(
                        ErrorType.MALFORMED,
                        "The body's chunks cannot be read; send it with Content-Length, or in plain chunks without"
                                + " extensions and trailers.");
    }

    private static void discard(InputStream stream) throws IOException {
        byte[] waste = new byte[PART_BYTES];
        long rest = MAX_DISCARDED;
        while (rest > 0) {
            int read = stream.read(waste);
            if (read < 0) {
                return;
            }
            rest -= read;
        }
    }

    private static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw RequestException.validation("The body is not valid UTF-8; encode the JSON as UTF-8.");
        }
    }

    private JsonNode parse(String json) {
        try {
            return mapper.readTree(json);
        } catch (StreamConstraintsException e) {
            throw RequestException.validation("The JSON is nested deeper than " + MAX_DEPTH
                    + " levels, or has a name or a number that is far too long; send plain texts.");
        } catch (JsonProcessingException e) {
            String message = OF_THE_PARSER
                    .matcher(e.getOriginalMessage().lines().findFirst().orElse("unreadable"))
                    .replaceAll("");
            throw RequestException.validation("The body is not valid JSON, line %d, column %d: %s."
                    .formatted(
                            e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                            e.getLocation() == null ? 1 : e.getLocation().getColumnNr(),
                            message.substring(0, Math.min(message.length(), MAX_MESSAGE))));
        }
    }
}
