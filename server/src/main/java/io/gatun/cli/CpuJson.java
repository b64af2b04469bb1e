package io.gatun.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.kernel.InstructionSet;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;

/** The instruction sets as one JSON object on one line. */
final class CpuJson {
    private CpuJson() {}

    static String write(List<InstructionSet> sets) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeArrayFieldStart("instruction_sets");
            for (InstructionSet set : sets) {
                json.writeStartObject();
                json.writeStringField("name", set.name());
                json.writeBooleanField("supported", set.supported());
                json.writeBooleanField("in_use", set.inUse());
                json.writeBooleanField("bf16", set.bf16());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }
}
