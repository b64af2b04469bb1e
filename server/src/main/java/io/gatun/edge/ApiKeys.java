package io.gatun.edge;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The keys of which a client must show one, as {@code Authorization: Bearer KEY} (RFC 6750). Kept as digests, and compared
 * in a time that tells nothing of them. Thread-safe.
 */
public final class ApiKeys {
    private static final Pattern BEARER = Pattern.compile("(?i:Bearer) +(\\S+) *");
    private static final Pattern KEY = Pattern.compile("[!-~]{1,4096}");

    private final boolean required;
    private final List<byte[]> fixed;
    private volatile List<byte[]> ofFile = List.of();

    private ApiKeys(boolean required, List<byte[]> fixed) {
        this.required = required;
        this.fixed = fixed;
    }

    /** No keys: every client may do everything. */
    public static ApiKeys none() {
        return new ApiKeys(false, List.of());
    }

    /**
     * These keys, and those of a file: one a line, without the lines that are empty or start with {@code #}. The file is
     * read again when it changes.
     *
     * @throws EdgeException when a key is none, or the file is of no use
     */
    public static ApiKeys of(List<String> keys, @Nullable Path file, FileWatch watch) {
        if (keys.isEmpty() && file == null) {
            return none();
        }
        ApiKeys all = new ApiKeys(true, digests(keys, "The option --api-key"));
        if (file != null) {
            watch.add(List.of(file), contents -> all.ofFile = read(file, contents.getFirst()));
        }
        return all;
    }

    private static List<byte[]> read(Path file, byte[] content) {
        List<String> keys = new String(content, StandardCharsets.UTF_8)
                .lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList();
        if (keys.isEmpty()) {
            throw new EdgeException(file + " holds no key; it must hold one a line.");
        }
        return digests(keys, file.toString());
    }

    private static List<byte[]> digests(List<String> keys, String where) {
        List<byte[]> digests = new ArrayList<>(keys.size());
        for (String key : keys) {
            if (!KEY.matcher(key).matches()) {
                throw new EdgeException(where + " has a key that no header can carry; use letters, digits and signs"
                        + " of ASCII, without spaces.");
            }
            digests.add(digest(key));
        }
        return digests;
    }

    private static byte[] digest(String key) {
        return Sha256.digest().digest(key.getBytes(StandardCharsets.UTF_8));
    }

    /** Whether a client must show a key. */
    public boolean required() {
        return required;
    }

    /** Whether a client that sends this {@code Authorization}, if any, may be answered. */
    public boolean allow(Optional<String> authorization) {
        if (!required) {
            return true;
        }
        Matcher bearer = BEARER.matcher(authorization.orElse(""));
        if (!bearer.matches()) {
            return false;
        }
        byte[] shown = digest(bearer.group(1));
        boolean known = false;
        for (List<byte[]> some : List.of(fixed, ofFile)) {
            for (byte[] key : some) {
                known |= MessageDigest.isEqual(key, shown);
            }
        }
        return known;
    }
}
