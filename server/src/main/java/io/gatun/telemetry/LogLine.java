package io.gatun.telemetry;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import io.gatun.service.Timings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/** Lines of a log. All that is not plain ASCII is escaped: nothing that a client sends can end a line or move a cursor. */
final class LogLine {
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .recyclerPool(JsonRecyclerPools.newBoundedPool(2))
            .build();
    private static final int MAX_TRACE = 4000;
    private static final double NANOS_PER_MILLI = 1e6;

    private LogLine() {}

    /** Writes the fields of one object. */
    @FunctionalInterface
    private interface Fields {
        void write(JsonGenerator out) throws IOException;
    }

    /** A request and how it was answered. Times are in milliseconds. */
    static String of(AnsweredRequest request) {
        return line(out -> {
            out.writeStringField("time", request.start().toString());
            known(out, "request_id", request.requestId());
            known(out, "trace_id", request.traceId());
            out.writeStringField("door", request.door().name().toLowerCase(Locale.ROOT));
            known(out, "method", request.method());
            known(out, "route", request.route());
            if (request.door() == Door.HTTP) {
                out.writeNumberField("status", Integer.parseInt(request.status()));
            } else {
                out.writeStringField("status", request.status());
            }
            millis(out, "total_ms", request.total().toNanos());
            if (request.call() != null && !request.call().model().isEmpty()) {
                Timings timings = request.call().timings();
                out.writeStringField("model", request.call().model());
                out.writeNumberField("texts", request.call().texts());
                out.writeNumberField("tokens", timings.tokens());
                millis(out, "tokenization_ms", timings.tokenizationNanos());
                millis(out, "queue_ms", timings.queueNanos());
                millis(out, "inference_ms", timings.inferenceNanos());
            }
            bytes(out, "request_bytes", request.requestBytes());
            bytes(out, "response_bytes", request.responseBytes());
        });
    }

    /** What the program itself has to say. */
    static String of(LogRecord entry) {
        return line(out -> {
            out.writeStringField("time", entry.getInstant().toString());
            out.writeStringField("level", entry.getLevel().getName());
            out.writeStringField("logger", String.valueOf(entry.getLoggerName()));
            out.writeStringField("message", new SimpleFormatter().formatMessage(entry));
            if (entry.getThrown() != null) {
                StringWriter trace = new StringWriter();
                entry.getThrown().printStackTrace(new PrintWriter(trace));
                out.writeStringField(
                        "exception",
                        trace.toString().substring(0, Math.min(trace.toString().length(), MAX_TRACE)));
            }
        });
    }

    private static void known(JsonGenerator out, String name, String value) throws IOException {
        if (!value.isEmpty()) {
            out.writeStringField(name, value);
        }
    }

    private static void millis(JsonGenerator out, String name, long nanos) throws IOException {
        out.writeFieldName(name);
        out.writeNumber(Math.round(nanos / NANOS_PER_MILLI * 1000) / 1000.0);
    }

    private static void bytes(JsonGenerator out, String name, long count) throws IOException {
        if (count >= 0) {
            out.writeNumberField(name, count);
        }
    }

    private static String line(Fields fields) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = JSON.createGenerator(text)) {
            out.writeStartObject();
            fields.write(out);
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }
}
