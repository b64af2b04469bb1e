package io.gatun.bench.load;

import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** How servers of this field are asked what a text says. */
sealed interface Protocol permits HttpProtocol, GrpcProtocol {
    /** All of them. */
    static List<Protocol> all() {
        return Stream.<Protocol>concat(Stream.of(HttpProtocol.values()), Stream.of(GrpcProtocol.values()))
                .toList();
    }

    /** As the command line calls it. */
    String id();

    /**
     * A client that asks a server for these texts.
     *
     * @param model its name, for protocols that say it
     * @param connections the most that may be open
     * @param timeout when a request is given up
     */
    Client client(Texts texts, URI server, String model, int connections, Duration timeout);

    /** The best label of an answer; empty where it has none. */
    String label(ByteBuffer answer);

    /** What of an answer is the same whenever the same is asked: not its id, and not how long it took. */
    ByteBuffer lasting(ByteBuffer answer);
}
