package io.gatun.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;

/**
 * {@code GET /}: one page that shows what the served models say of a text. It loads nothing, runs only what is written
 * in it, and asks only this server. Thread-safe.
 */
final class Playground {
    private static final String HTML = "text/html; charset=utf-8";

    /** Read each time, as it is seldom asked for. */
    Reply page() {
        byte[] page = content();
        String text = new String(page, StandardCharsets.UTF_8);
        String policy = "default-src 'none'; script-src " + hashed(text, "script") + "; style-src "
                + hashed(text, "style") + "; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                + "frame-ancestors 'none'";
        return Reply.of(HTML, page)
                .with(Map.of(
                        "Content-Security-Policy", policy,
                        "Referrer-Policy", "no-referrer",
                        "X-Content-Type-Options", "nosniff",
                        "Cache-Control", "no-cache"));
    }

    /** What the page's one element of that name holds, as a policy names it. */
    private static String hashed(String page, String element) {
        int start = page.indexOf("<" + element + ">") + element.length() + 2;
        int end = page.indexOf("</" + element + ">", start);
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(page.substring(start, end).getBytes(StandardCharsets.UTF_8));
            return "'sha256-" + Base64.getEncoder().encodeToString(hash) + "'";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Java has SHA-256", e);
        }
    }

    private static byte[] content() {
        try (InputStream stream = Playground.class.getResourceAsStream("playground.html")) {
            if (stream == null) {
                throw new IllegalStateException("This build lacks playground.html");
            }
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
