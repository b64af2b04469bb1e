package io.gatun.http;

import io.gatun.service.ErrorType;
import io.gatun.service.RequestException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code GET /docs}: Swagger UI over {@code /openapi}, with all that it needs from this server. Thread-safe. */
final class Docs {
    private static final String PAGE = "index.html";
    private static final String SCRIPT = "text/javascript; charset=utf-8";
    /** The files there are, and nothing else: a name that is not here opens none. */
    private static final Map<String, String> TYPES = Map.of(
            PAGE,
            "text/html; charset=utf-8",
            "start.js",
            SCRIPT,
            "swagger-ui-bundle.js",
            SCRIPT,
            "swagger-ui.css",
            "text/css; charset=utf-8",
            "favicon-32x32.png",
            "image/png");

    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
            + "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** The page. */
    Reply page() {
        return file(PAGE, "no-cache", Map.of("Content-Security-Policy", POLICY, "Referrer-Policy", "no-referrer"));
    }

    /**
     * One of the page's files.
     *
     * @throws RequestException when there is none of that name
     */
    Reply file(String name) {
        if (!TYPES.containsKey(name) || name.equals(PAGE)) {
            throw new RequestException(
                    ErrorType.NOT_FOUND, "The page /docs has no such file; GET /openapi lists the routes.");
        }
        return file(name, "public, max-age=3600", Map.of());
    }

    private static Reply file(String name, String cacheControl, Map<String, String> more) {
        Map<String, String> headers = new LinkedHashMap<>(more);
        headers.put("Cache-Control", cacheControl);
        headers.put("X-Content-Type-Options", "nosniff");
        return new Reply(200, String.valueOf(TYPES.get(name)), content(name), null, headers);
    }

    /** Read each time: seldom asked for, and too large to keep. */
    private static byte[] content(String name) {
        try (InputStream stream = Docs.class.getResourceAsStream("docs/" + name)) {
            if (stream == null) {
                throw new IllegalStateException("This build lacks docs/" + name);
            }
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
