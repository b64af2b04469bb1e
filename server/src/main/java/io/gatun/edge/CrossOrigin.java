package io.gatun.edge;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which web pages of other origins may read answers, as browsers ask it (CORS, in WHATWG's Fetch). It keeps no request
 * from being answered: that is for {@link ApiKeys}. Immutable.
 */
public final class CrossOrigin {
    private static final String ANY = "*";
    private static final Pattern ORIGIN = Pattern.compile("[a-z][a-z0-9+.-]*://[^/\\s,*]+");
    private static final String ALLOW_ORIGIN = "Access-Control-Allow-Origin";
    /** Without credentials, * stands for all but Authorization; clients for browsers send headers of their own. */
    private static final String ALLOWED_HEADERS = "Authorization, *";

    private static final String EXPOSED_HEADERS = "x-request-id, x-compute-tokens, x-total-time, x-tokenization-time, "
            + "x-queue-time, x-inference-time, Inference-Header-Content-Length, Retry-After, WWW-Authenticate";
    private static final String TWO_HOURS = "7200"; // the most that a browser of today keeps

    private final Set<String> origins;

    private CrossOrigin(Set<String> origins) {
        this.origins = origins;
    }

    /**
     * These origins, such as {@code https://example.org}; all if {@code *} is among them, and none if there are none.
     *
     * @throws EdgeException when one is no origin
     */
    public static CrossOrigin of(List<String> origins) {
        for (String origin : origins) {
            if (!origin.equals(ANY) && !ORIGIN.matcher(origin).matches()) {
                throw new EdgeException("\"" + origin + "\" is no origin; it must be like https://example.org, or *.");
            }
        }
        return new CrossOrigin(origins.contains(ANY) ? Set.of(ANY) : Set.copyOf(origins));
    }

    /** What to add to an answer. */
    public Map<String, String> headers(Optional<String> origin) {
        return answer(origin, Map.of("Access-Control-Expose-Headers", EXPOSED_HEADERS));
    }

    /**
     * What to answer to {@code OPTIONS}, if it is a browser's question whether its page may ask.
     *
     * @param asked its {@code Access-Control-Request-Method}
     * @param methods those that the route takes, separated by commas
     */
    public Optional<Map<String, String>> preflight(Optional<String> origin, Optional<String> asked, String methods) {
        if (origins.isEmpty() || origin.isEmpty() || asked.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(answer(
                origin,
                Map.of(
                        "Access-Control-Allow-Methods",
                        methods,
                        "Access-Control-Allow-Headers",
                        ALLOWED_HEADERS,
                        "Access-Control-Max-Age",
                        TWO_HOURS)));
    }

    private Map<String, String> answer(Optional<String> origin, Map<String, String> rest) {
        if (origins.isEmpty()) {
            return Map.of();
        }
        if (origins.contains(ANY)) {
            return with(rest, ALLOW_ORIGIN, ANY);
        }
        // Caches must not give one origin's answer to another.
        Map<String, String> vary = Map.of("Vary", "Origin");
        return origin.filter(origins::contains)
                .map(known -> with(with(rest, ALLOW_ORIGIN, known), "Vary", "Origin"))
                .orElse(vary);
    }

    private static Map<String, String> with(Map<String, String> map, String name, String value) {
        Map<String, String> all = new HashMap<>(map);
        all.put(name, value);
        return Map.copyOf(all);
    }
}
