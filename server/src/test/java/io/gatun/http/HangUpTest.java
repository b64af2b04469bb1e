package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatun.batch.BatchListener;
import io.gatun.batch.Lanes;
import io.gatun.kernel.Slab;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that leave: what they asked for is not computed, nobody else notices, and nothing is logged. */
@Timeout(120)
final class HangUpTest {
    private final Gate gate = new Gate();
    private final Log log = new Log();
    private final RunningServer running = new RunningServer(gate);
    private final Lanes lanes = running.lanes();

    /** Holds a lane at each batch until it is given a pass. */
    private static final class Gate implements BatchListener {
        private final Queue<Integer> sizes = new ConcurrentLinkedQueue<>();
        private final Semaphore taken = new Semaphore(0);
        private final Semaphore passes = new Semaphore(0);

        @Override
        public void batchTaken(int sequences, int tokens) {
            sizes.add(sequences);
            taken.release();
            passes.acquireUninterruptibly();
        }

        void awaitBatch() throws InterruptedException {
            assertThat(taken.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
        }

        void open() {
            passes.release(1_000_000);
        }
    }

    private static final class Log extends Handler {
        private final Queue<String> lines = new ConcurrentLinkedQueue<>();

        @Override
        public void publish(LogRecord line) {
            lines.add(line.getLoggerName() + ": " + line.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    HangUpTest() {
        Logger.getLogger("").addHandler(log);
    }

    @AfterEach
    void stop() {
        gate.open();
        running.close();
        Logger.getLogger("").removeHandler(log);
        assertThat(log.lines).isEmpty();
    }

    @Test
    void whatAClientThatLeftAskedForIsNotComputed() throws Exception {
        try (Socket holder = connect();
                Socket other = connect()) {
            send(holder, request("one"));
            gate.awaitBatch();
            Socket leaving = connect();
            send(leaving, request("two"));
            await().until(() -> lanes.queuedJobs() == 1);
            send(other, request("three"));
            await().until(() -> lanes.queuedJobs() == 2);
            leaving.close();
            await().until(() -> running.metrics.scrape().contains("te_request_failure{err=\"dropped\"} 1\n"));
            gate.open();
            assertThat(answer(holder)).startsWith("HTTP/1.1 200");
            assertThat(answer(other)).startsWith("HTTP/1.1 200");
            assertThat(gate.sizes).containsExactly(1, 1);
            assertThat(lanes.abandonedJobs()).isOne();
        }
    }

    @Test
    void aConnectionThatWasWatchedGoesOn() throws Exception {
        try (Socket socket = connect()) {
            for (int i = 0; i < 3; i++) {
                send(socket, request("text " + i));
                gate.awaitBatch();
                // Longer than the time after which a client is watched.
                await().pollDelay(Duration.ofMillis(50)).until(() -> true);
                gate.passes.release();
                assertThat(answer(socket)).startsWith("HTTP/1.1 200");
            }
        }
    }

    @Test
    void requestsThatComeBeforeTheAnswerAreAnsweredInTurn() throws Exception {
        try (Socket socket = connect()) {
            send(socket, request("one") + request("two") + request("three"));
            gate.awaitBatch();
            send(socket, request("four"));
            gate.open();
            for (int i = 0; i < 4; i++) {
                assertThat(answer(socket)).startsWith("HTTP/1.1 200");
            }
        }
    }

    @Test
    void clientsThatLeaveInTheMiddleOfARequestDisturbNobody() throws Exception {
        gate.open();
        try (Socket staying = connect()) {
            send(staying, request("first"));
            assertThat(answer(staying)).startsWith("HTTP/1.1 200");
            long before = Slab.allocatedBytes();
            String whole = request("a text");
            for (int cut = 1; cut <= whole.length(); cut += 3) {
                Socket leaving = connect();
                if (cut % 2 == 0) {
                    leaving.setSoLinger(true, 0); // a reset instead of an orderly end
                }
                send(leaving, whole.substring(0, cut));
                leaving.close();
            }
            send(staying, request("last"));
            assertThat(answer(staying)).startsWith("HTTP/1.1 200");
            assertThat(Slab.allocatedBytes()).isEqualTo(before);
        }
    }

    @Test
    void whoIsInFlightIsAnsweredAndWhoComesLaterIsRefused() throws Exception {
        try (Socket early = connect();
                Socket late = connect()) {
            send(early, request("early"));
            gate.awaitBatch();
            Thread closing = Thread.startVirtualThread(running.server::close);
            send(late, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
            String health = answer(late);
            while (health.startsWith("HTTP/1.1 200")) { // the drain has not begun
                send(late, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
                health = answer(late);
            }
            assertThat(health).startsWith("HTTP/1.1 503");
            assertThat(health).contains("Connection: close");
            try (Socket later = connect()) {
                send(later, request("late"));
                assertThat(answer(later)).startsWith("HTTP/1.1 503").contains("Unhealthy");
            }
            assertThat(closing.isAlive()).isTrue();
            gate.open();
            assertThat(answer(early)).startsWith("HTTP/1.1 200");
            closing.join();
        }
    }

    @Test
    void whoHasNotSentItsBodyHoldsNoEndUp() throws Exception {
        try (Socket slow = connect()) {
            send(slow, request("never sent whole").substring(0, 120));
            Thread closing = Thread.startVirtualThread(running.server::close);
            closing.join(Duration.ofSeconds(30));
            assertThat(closing.isAlive()).isFalse();
        }
    }

    @Test
    void whoConnectsAtTheVeryEndIsNotLogged() throws Exception {
        InetAddress host = InetAddress.getLoopbackAddress();
        int port = running.server.port();
        new Socket(host, port).close();
        Thread closing = Thread.startVirtualThread(running.server::close);
        try {
            while (true) {
                new Socket(host, port).close();
            }
        } catch (SocketException e) {
            closing.join();
        }
        assertThat(log.lines).isEmpty();
    }

    @Test
    void longTextsBeingTokenizedStopNoOther() throws Exception {
        gate.open();
        int carriers = Runtime.getRuntime().availableProcessors();
        List<Socket> busy = new ArrayList<>();
        for (int i = 0; i < 4 * carriers; i++) {
            Socket socket = connect();
            busy.add(socket);
            send(socket, request("word ".repeat(200_000)));
        }
        try (Socket other = connect()) {
            send(other, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(answer(other)).startsWith("HTTP/1.1 200");
            assertThat(lastIsAnswered(busy)).as("the others take longer").isFalse();
        }
        for (Socket socket : busy) {
            assertThat(answer(socket)).startsWith("HTTP/1.1 422");
            socket.close();
        }
    }

    private static boolean lastIsAnswered(List<Socket> sockets) throws IOException {
        for (Socket socket : sockets) {
            if (socket.getInputStream().available() == 0) {
                return false;
            }
        }
        return true;
    }

    private Socket connect() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), running.server.port());
    }

    private static String request(String text) {
        String body = "{\"inputs\":\"" + text + "\"}";
        return "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body;
    }

    private static void send(Socket socket, String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }

    /** The next answer on a connection, headers and body. */
    private static String answer(Socket socket) throws IOException {
        StringBuilder answer = new StringBuilder();
        int length = -1;
        while (answer.indexOf("\r\n\r\n") < 0) {
            answer.append((char) read(socket));
        }
        for (String line : answer.toString().split("\r\n", -1)) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(line.indexOf(':') + 1).strip());
            }
        }
        for (int i = 0; i < length; i++) {
            answer.append((char) read(socket));
        }
        return answer.toString();
    }

    private static int read(Socket socket) throws IOException {
        int next = socket.getInputStream().read();
        assertThat(next).as("the connection was closed").isNotNegative();
        return next;
    }
}
