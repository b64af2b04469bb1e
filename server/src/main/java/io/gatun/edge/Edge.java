package io.gatun.edge;

import java.util.List;
import java.util.Optional;

/**
 * What stands at a door.
 *
 * @param tls what the server shows of itself; without it connections are in the clear
 * @param keys of which a client must show one
 * @param origins of web pages that may read answers
 */
public record Edge(Optional<TlsIdentity> tls, ApiKeys keys, CrossOrigin origins) {
    /** A door that stands open. */
    public static final Edge OPEN = new Edge(Optional.empty(), ApiKeys.none(), CrossOrigin.of(List.of()));
}
