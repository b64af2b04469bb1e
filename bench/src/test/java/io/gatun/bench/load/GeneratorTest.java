package io.gatun.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The generator against a server that does what the test says. */
@Timeout(30)
final class GeneratorTest {
    private static final List<byte[]> REQUESTS = List.of("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    private static final String OK = TinyServer.response(200, "yes");

    private static Subject subject(TinyServer server, int connections, Duration timeout) {
        Client client = new HttpClient(server.address(), REQUESTS, connections, timeout);
        return new Subject("tiny", client, 1, OptionalLong.empty(), new Unchanged(1, UnaryOperator.identity()));
    }

    private static Counted measure(TinyServer server, int connections, Duration timeout, double rate, double seconds)
            throws InterruptedException {
        try (Subject subject = subject(server, connections, timeout)) {
            return subject.measure("test", rate, 0, seconds, 1, 7).counted();
        }
    }

    @Test
    void theSameSeedGivesTheSameArrivalsAtTheRate() {
        Arrivals arrivals = Arrivals.poisson(200, 50, 10, 3);
        Arrivals again = Arrivals.poisson(200, 50, 10, 3);
        assertThat(arrivals.count()).isBetween(9_500, 10_500).isEqualTo(again.count());
        assertThat(arrivals.nanos(17)).isEqualTo(again.nanos(17)).isLessThan(arrivals.nanos(18));
        assertThat(Arrivals.poisson(200, 50, 10, 4).nanos(17)).isNotEqualTo(arrivals.nanos(17));
    }

    @Test
    void aStallShowsInAllRequestsThatWereToBeSentMeanwhile() throws IOException, InterruptedException {
        // The twentieth takes 200 ms, on the only connection: a client that waits before it sends would count one.
        try (TinyServer server = new TinyServer(n -> {
            if (n == 20) {
                LockSupport.parkNanos(200_000_000);
            }
            return OK;
        })) {
            Counted counted = measure(server, 1, Duration.ofSeconds(5), 200, 1);
            assertThat(counted.outcomes()).containsOnlyKeys("200");
            assertThat(counted.sent()).isBetween(150L, 250L);
            assertThat(counted.quantileMs(1)).isGreaterThanOrEqualTo(195);
            long late = counted.answered().getTotalCount() - counted.answered().getCountBetweenValues(0, 50_000_000);
            assertThat(late).isGreaterThan(15);
        }
    }

    @Test
    void outcomesAreCountedByStatus() throws IOException, InterruptedException {
        try (TinyServer server = new TinyServer(n -> switch (n % 4) {
            case 1 -> TinyServer.response(429, "busy");
            case 2 -> TinyServer.response(500, "");
            case 3 -> "";
            default -> OK;
        })) {
            Client client = new HttpClient(server.address(), REQUESTS, 1, Duration.ofSeconds(5));
            long start = System.nanoTime();
            Tally tally = new Tally(start, start + 1_000_000_000, 4, new Unchanged(1, UnaryOperator.identity()));
            Pacer.send(Arrivals.poisson(100, 1, 1, 5), start, client, tally);
            client.close();
            Counted counted = tally.counted();
            Map<String, Long> outcomes = counted.outcomes();
            assertThat(outcomes).containsOnlyKeys("200", "429", "500", "broken");
            assertThat(outcomes.values())
                    .allMatch(count -> count >= counted.sent() / 4 && count <= counted.sent() / 4 + 1);
            assertThat(counted.sent()).isEqualTo(server.requests());
            assertThat(counted.refused().getTotalCount()).isEqualTo(outcomes.get("429"));
            assertThat(counted.keepsUp()).isFalse();
            assertThat(counted.quantileMs(0.2)).isFinite();
            assertThat(counted.quantileMs(0.5)).isInfinite();
        }
    }

    @Test
    void whatIsNotAnsweredInTimeIsGivenUp() throws IOException, InterruptedException {
        try (TinyServer server = new TinyServer(n -> {
            if (n == 0) {
                LockSupport.parkNanos(1_000_000_000);
            }
            return OK;
        })) {
            Counted counted = measure(server, 4, Duration.ofMillis(200), 100, 0.5);
            assertThat(counted.outcomes()).containsEntry("timeout", 1L).containsOnlyKeys("200", "timeout");
        }
    }

    @Test
    void answersInChunksAreRead() throws IOException, InterruptedException {
        try (TinyServer server = new TinyServer(n ->
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nyes,\r\n4\r\n yes\r\n0\r\n\r\n");
                Subject subject = subject(server, 1, Duration.ofSeconds(5))) {
            List<Answer> answers = subject.askFirst(1);
            assertThat(StandardCharsets.US_ASCII
                            .decode(answers.getFirst().body())
                            .toString())
                    .isEqualTo("yes, yes");
        }
    }

    @Test
    void anotherAnswerToTheSameTextIsSeen() throws IOException, InterruptedException {
        try (TinyServer server = new TinyServer(n -> TinyServer.response(200, n == 10 ? "no" : "yes"))) {
            assertThat(measure(server, 1, Duration.ofSeconds(5), 100, 0.5).changed())
                    .isEqualTo(1);
        }
    }
}
