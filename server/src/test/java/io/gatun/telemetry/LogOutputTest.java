package io.gatun.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gatun.service.Calls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class LogOutputTest {
    private static final JsonMapper MAPPER = new JsonMapper();

    @Test
    void aRequestIsOneLineWhateverItsClientSent() throws IOException {
        String nasty = "a\"\n\r\u001b[2J\u0085\u2028\ud83d\ude00\ud800}";
        String line = LogLine.of(new AnsweredRequest(
                Door.HTTP,
                "POST",
                "/predict",
                Instant.EPOCH,
                Duration.ofNanos(3_456_789),
                "200",
                nasty,
                "0af7651916cd43dd8448eb211c80319c",
                Calls.answered("m\u00e9", 2, 17, System.nanoTime()),
                12,
                34));
        assertThat(line).matches("[ -~]+");
        JsonNode json = MAPPER.readTree(line);
        assertThat(json.get("request_id").textValue()).isEqualTo(nasty);
        assertThat(json.get("trace_id").textValue()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
        assertThat(json.get("time").textValue()).isEqualTo("1970-01-01T00:00:00Z");
        assertThat(json.get("door").textValue()).isEqualTo("http");
        assertThat(json.get("route").textValue()).isEqualTo("/predict");
        assertThat(json.get("status").intValue()).isEqualTo(200);
        assertThat(json.get("model").textValue()).isEqualTo("m\u00e9");
        assertThat(json.get("texts").intValue()).isEqualTo(2);
        assertThat(json.get("tokens").intValue()).isEqualTo(17);
        assertThat(json.get("total_ms").doubleValue()).isEqualTo(3.457);
        assertThat(json.get("tokenization_ms").doubleValue()).isEqualTo(1);
        assertThat(json.get("request_bytes").intValue()).isEqualTo(12);
        assertThat(json.get("response_bytes").intValue()).isEqualTo(34);
    }

    @Test
    void whatIsNotKnownIsLeftOut() throws IOException {
        JsonNode json = MAPPER.readTree(LogLine.of(new AnsweredRequest(
                Door.GRPC, "", "tei.v1.Info/Info", Instant.EPOCH, Duration.ZERO, "UNAVAILABLE", "", "", null, -1, -1)));
        assertThat(json.get("status").textValue()).isEqualTo("UNAVAILABLE");
        assertThat(json.fieldNames()).toIterable().containsExactly("time", "door", "route", "status", "total_ms");
    }

    @Test
    void theProgramsOwnRecordsAreOneLineToo() throws IOException {
        LogRecord entry = new LogRecord(Level.SEVERE, "It {0}\nfailed");
        entry.setParameters(new Object[] {"has"});
        entry.setThrown(new IllegalStateException("why"));
        JsonNode json = MAPPER.readTree(LogLine.of(entry));
        assertThat(json.get("level").textValue()).isEqualTo("SEVERE");
        assertThat(json.get("message").textValue()).isEqualTo("It has\nfailed");
        assertThat(json.get("exception").textValue()).contains("IllegalStateException: why");
    }

    @Test
    void linesComeInOrderAndTheLastOnesBeforeTheEnd() {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        LogOutput output = new LogOutput(written);
        for (int i = 0; i < 1000; i++) {
            output.write("line " + i);
        }
        output.close();
        List<String> lines = written.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(1000).startsWith("line 0", "line 1").endsWith("line 999");
        assertThat(output.dropped()).isZero();
        output.write("too late");
        assertThat(output.dropped()).isEqualTo(1);
    }

    @Test
    void aReaderThatStopsHoldsNobody() throws IOException {
        try (PipedInputStream reader = new PipedInputStream(1024);
                PipedOutputStream pipe = new PipedOutputStream(reader)) {
            LogOutput output = new LogOutput(pipe);
            for (int i = 0; i < 10_000; i++) {
                output.write("line " + i); // the pipe and the queue are full long before
            }
            assertThat(output.dropped()).isBetween(5000L, 6000L);
            output.close();
        }
    }

    @Test
    void afterAFullDiskItGoesOnInALineOfItsOwn() {
        FullDisk disk = new FullDisk();
        LogOutput output = new LogOutput(disk);
        output.write("first");
        await().until(() -> disk.written().contains("first\n"));
        disk.full = true;
        output.write("second");
        await().until(() -> output.dropped() == 1);
        disk.full = false;
        output.write("third");
        output.close();
        assertThat(disk.written()).isEqualTo("first\nsec\nthird\n");
    }

    /** Takes three bytes more when it is full, as a real one may. */
    private static final class FullDisk extends OutputStream {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        volatile boolean full;

        @Override
        public void write(int b) {
            bytes.write(b);
        }

        @Override
        public void write(byte[] b, int from, int length) throws IOException {
            bytes.write(b, from, full ? 3 : length);
            if (full) {
                throw new IOException("No space left on device");
            }
        }

        String written() {
            return bytes.toString(StandardCharsets.UTF_8);
        }
    }
}
