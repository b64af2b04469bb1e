package io.gatun.bench.load;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One HTTP/1.1 response, as its bytes come. Only what tells where it ends is read. Not thread-safe. */
public final class HttpResponse {
    private static final int FIRST_BYTES = 4 << 10;
    private static final int HEX = 16;
    private static final byte[] HEADERS_END = ascii("\r\n\r\n");
    private static final byte[] LINE_END = ascii("\r\n");

    private byte[] bytes = new byte[FIRST_BYTES];
    private int length;
    private int bodyStart;
    private int status;
    private int contentLength;
    private boolean chunked;
    private boolean close;

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Takes all that the buffer has. */
    public void add(ByteBuffer more) {
        int count = more.remaining();
        if (length + count > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + count));
        }
        more.get(bytes, length, count);
        length += count;
    }

    /**
     * The body once all of it is here, null before.
     *
     * @throws IllegalArgumentException when this is no response, or does not tell where it ends
     */
    public byte @Nullable [] body() {
        if (bodyStart == 0 && !readHead()) {
            return null;
        }
        if (chunked) {
            return dechunked();
        }
        return length < bodyStart + contentLength
                ? null
                : Arrays.copyOfRange(bytes, bodyStart, bodyStart + contentLength);
    }

    public int status() {
        return status;
    }

    /** Whether the server ends the connection with this response. */
    public boolean close() {
        return close;
    }

    /** For the connection's next response. */
    public void clear() {
        length = 0;
        bodyStart = 0;
        contentLength = 0;
        chunked = false;
        close = false;
    }

    private boolean readHead() {
        int end = find(HEADERS_END, 0);
        if (end < 0) {
            return false;
        }
        String[] lines = new String(bytes, 0, end, StandardCharsets.ISO_8859_1).split("\r\n", -1);
        if (!lines[0].matches("HTTP/1\\.1 \\d{3}.*")) {
            throw new IllegalArgumentException("no HTTP/1.1 status line");
        }
        status = Integer.parseInt(lines[0].substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length()));
        contentLength = -1;
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            String value = lines[i].substring(colon + 1).strip().toLowerCase(Locale.ROOT);
            switch (lines[i].substring(0, Math.max(0, colon)).toLowerCase(Locale.ROOT)) {
                case "content-length" -> contentLength = Integer.parseInt(value);
                case "transfer-encoding" -> chunked = value.equals("chunked");
                case "connection" -> close = value.equals("close");
                default -> {}
            }
        }
        if (contentLength < 0 && !chunked) {
            throw new IllegalArgumentException("neither a length nor chunks");
        }
        bodyStart = end + HEADERS_END.length;
        return true;
    }

    private byte @Nullable [] dechunked() {
        byte[] body = new byte[length];
        int written = 0;
        int at = bodyStart;
        while (true) {
            int line = find(LINE_END, at);
            if (line < 0) {
                return null;
            }
            String size = new String(bytes, at, line - at, StandardCharsets.US_ASCII);
            int chunk = Integer.parseInt(size.replaceFirst(";.*", "").strip(), HEX);
            int start = line + LINE_END.length;
            if (start + chunk + LINE_END.length > length) {
                return null;
            }
            if (chunk == 0) {
                return Arrays.copyOf(body, written);
            }
            System.arraycopy(bytes, start, body, written, chunk);
            written += chunk;
            at = start + chunk + LINE_END.length;
        }
    }

    private int find(byte[] what, int from) {
        for (int i = from; i <= length - what.length; i++) {
            if (Arrays.equals(bytes, i, i + what.length, what, 0, what.length)) {
                return i;
            }
        }
        return -1;
    }
}
