package io.gatun.cli;

import io.gatun.edge.ApiKeys;
import io.gatun.edge.CrossOrigin;
import io.gatun.edge.Edge;
import io.gatun.edge.FileWatch;
import io.gatun.edge.TlsIdentity;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who may ask, and over what: the same on both ports. */
final class EdgeOptions {
    @Option(
            names = "--tls-cert",
            paramLabel = "FILE",
            description = "The server's certificate and those that lead to its root, in PEM; connections are then "
                    + "encrypted. Read again when it changes, as is its key.")
    private @Nullable Path certificates;

    @Option(
            names = "--tls-key",
            paramLabel = "FILE",
            description = "The private key of the certificate, in PEM: PKCS#8, PKCS#1 or SEC 1, not encrypted.")
    private @Nullable Path key;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description =
                    "A key that clients must send as 'Authorization: Bearer KEY'; may be given again. Other users "
                            + "of the machine may see it here: --api-key-file shows it to nobody.")
    private List<String> keys = List.of();

    @Option(
            names = "--api-key-file",
            paramLabel = "FILE",
            description = "Such keys, one a line; lines that start with # are not read. Read again when it changes.")
    private @Nullable Path keyFile;

    @Option(
            names = "--cors-allow-origin",
            paramLabel = "ORIGIN",
            description =
                    "An origin whose web pages may read answers, such as https://example.org; may be given again. "
                            + "*: all (default: none).")
    private List<String> origins = List.of();

    Edge edge(FileWatch watch) {
        if ((certificates == null) != (key == null)) {
            throw new CommandException("The options --tls-cert and --tls-key go together; give both.");
        }
        Optional<TlsIdentity> tls = certificates == null || key == null
                ? Optional.empty()
                : Optional.of(TlsIdentity.watch(certificates, key, watch));
        return new Edge(tls, ApiKeys.of(keys, keyFile, watch), CrossOrigin.of(origins));
    }
}
