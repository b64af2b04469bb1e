package io.gatun.cli;

import io.gatun.grpc.GrpcSettings;
import io.gatun.http.ServerSettings;
import io.gatun.service.ServiceLimits;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How much a request, and how many connections, may take. */
final class LimitOptions {
    private static final int MAX_HEADER_BYTES = 1 << 20;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "A request that is not answered by then is given up (default: ${DEFAULT-VALUE}).",
            defaultValue = "60s",
            converter = DurationConverter.class)
    private Duration timeout = Duration.ZERO;

    @Option(
            names = "--drain-timeout",
            paramLabel = "TIME",
            description =
                    "How long requests may still take when the process is told to end (default: ${DEFAULT-VALUE}).",
            defaultValue = "30s",
            converter = DurationConverter.class)
    private Duration drainTimeout = Duration.ZERO;

    @Option(
            names = "--idle-timeout",
            paramLabel = "TIME",
            description = "A connection on which nothing comes is closed by then (default: ${DEFAULT-VALUE}).",
            defaultValue = "2m",
            converter = DurationConverter.class)
    private Duration idleTimeout = Duration.ZERO;

    @Option(
            names = "--max-texts",
            paramLabel = "N",
            description = "Texts of one request (default: ${DEFAULT-VALUE}).",
            defaultValue = "1024",
            converter = CountConverter.class)
    private int maxTexts;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Tokens of one text; a model's own limit may be lower (default: ${DEFAULT-VALUE}).",
            defaultValue = "8192",
            converter = CountConverter.class)
    private int maxTokens;

    @Option(
            names = "--max-body",
            paramLabel = "SIZE",
            description = "The body of a request (default: ${DEFAULT-VALUE}).",
            defaultValue = "2m",
            converter = MemorySizeConverter.class)
    private MemorySize maxBody = new MemorySize(ServerSettings.MAX_BODY_BYTES);

    @Option(
            names = "--max-header",
            paramLabel = "SIZE",
            description = "The headers of a request (default: ${DEFAULT-VALUE}).",
            defaultValue = "16k",
            converter = MemorySizeConverter.class)
    private MemorySize maxHeader = new MemorySize(ServerSettings.MAX_HEADER_BYTES);

    @Option(
            names = "--max-connections",
            paramLabel = "N",
            description = "Connections of a port that are open at a time; for a further one the one that was silent "
                    + "longest is closed (default: what a quarter of the heap bears, at most 16384).",
            converter = CountConverter.class)
    private @Nullable Integer maxConnections;

    @Option(
            names = "--max-streams",
            paramLabel = "N",
            description = "Calls at a time on one connection of gRPC (default: ${DEFAULT-VALUE}).",
            defaultValue = "1024",
            converter = CountConverter.class)
    private int maxStreams;

    ServiceLimits service() {
        ServiceLimits usual = ServiceLimits.DEFAULT;
        return new ServiceLimits(maxTexts, maxTokens, usual.maxVectorTokens(), usual.bulkTexts(), timeout);
    }

    ServerSettings http(String host, int port) {
        int body = bytes("--max-body", maxBody, Integer.MAX_VALUE / 2);
        return new ServerSettings(
                host,
                port,
                body,
                ServerSettings.bodiesTogether(body),
                bytes("--max-header", maxHeader, MAX_HEADER_BYTES),
                connections(),
                idleTimeout,
                timeout,
                drainTimeout);
    }

    GrpcSettings grpc(String host, int port) {
        int message = bytes("--max-body", maxBody, Integer.MAX_VALUE / 2);
        return new GrpcSettings(
                host,
                port,
                message,
                ServerSettings.bodiesTogether(message),
                bytes("--max-header", maxHeader, MAX_HEADER_BYTES),
                connections(),
                maxStreams,
                timeout,
                drainTimeout,
                idleTimeout);
    }

    private int connections() {
        return maxConnections == null ? ServerSettings.connections() : maxConnections;
    }

    private static int bytes(String option, MemorySize size, int most) {
        if (size.bytes() > most) {
            throw new CommandException("The option " + option + " is at most " + MemorySize.show(most) + ".");
        }
        return (int) size.bytes();
    }
}
