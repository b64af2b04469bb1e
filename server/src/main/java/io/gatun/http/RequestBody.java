package io.gatun.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.helidon.http.BadRequestException;
import io.helidon.http.HttpMediaType;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The JSON object that a request carries, read whole, bounded, and strictly. */
final class RequestBody {
    /** So much of a body that is too large is read and dropped, for a client reads no answer while it still sends. */
    static final long MAX_DISCARDED = 64L << 20;

    private static final int MAX_DEPTH = 16;
    private static final int MAX_MESSAGE = 200;

    private final JsonMapper mapper;
    private final int maxBytes;

    RequestBody(int maxBytes) {
        this.maxBytes = maxBytes;
        mapper = JsonMapper.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
        mapper.getFactory()
                .setStreamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxStringLength(maxBytes)
                        .maxDocumentLength(maxBytes)
                        .build());
    }

    /**
     * Reads the object.
     *
     * @throws RequestException for every body that is none
     */
    Fields read(ServerRequest request) throws IOException {
        requireJson(request);
        JsonNode root = parse(text(bytes(request)));
        if (root == null || !root.isObject()) {
            throw RequestException.validation("The body must be a JSON object, such as {\"inputs\": \"a text\"}.");
        }
        return new Fields(root);
    }

    private static void requireJson(ServerRequest request) {
        Optional<HttpMediaType> type;
        try {
            type = request.headers().contentType();
        } catch (BadRequestException e) {
            type = Optional.empty();
        }
        boolean json = type.map(t -> t.mediaType().text().equalsIgnoreCase("application/json")
                        && t.charset()
                                .map(c -> c.equalsIgnoreCase("utf-8") || c.equalsIgnoreCase("us-ascii"))
                                .orElse(true))
                .orElse(false);
        if (!json) {
            throw new RequestException(
                    ErrorType.MEDIA_TYPE, "Send JSON in UTF-8, with the header Content-Type: application/json.");
        }
    }

    private byte[] bytes(ServerRequest request) throws IOException {
        long announced = request.headers().contentLength().orElse(-1);
        if (!request.content().hasEntity()) {
            return new byte[0];
        }
        if (announced > MAX_DISCARDED) {
            throw tooLarge();
        }
        try (InputStream stream = request.content().inputStream()) {
            if (announced <= maxBytes) {
                byte[] bytes = stream.readNBytes(maxBytes + 1);
                if (bytes.length <= maxBytes) {
                    return bytes;
                }
            }
            discard(stream);
            throw tooLarge();
        }
    }

    private RequestException tooLarge() {
        return new RequestException(
                ErrorType.BODY_TOO_LARGE,
                "The body is larger than " + maxBytes + " bytes; send fewer or shorter texts in one request.");
    }

    private static void discard(InputStream stream) throws IOException {
        byte[] waste = new byte[1 << 16];
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
            String message = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
            throw RequestException.validation("The body is not valid JSON, line %d, column %d: %s."
                    .formatted(
                            e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                            e.getLocation() == null ? 1 : e.getLocation().getColumnNr(),
                            message.substring(0, Math.min(message.length(), MAX_MESSAGE))));
        }
    }
}
