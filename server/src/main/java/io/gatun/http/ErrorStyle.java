package io.gatun.http;

import io.gatun.service.Problem;

/** How a route's clients read errors. */
enum ErrorStyle {
    /** {@code {"error": sentence, "error_type": kind}}: text-embeddings-inference, the Open Inference Protocol and ours. */
    PLAIN,
    /** {@code {"error": {"message", "type", "param", "code"}}}. */
    OPENAI;

    byte[] body(Problem problem) {
        return Json.bytes(out -> {
            out.writeStartObject();
            switch (this) {
                case PLAIN -> {
                    out.writeStringField("error", problem.message());
                    out.writeStringField("error_type", problem.type().wireName());
                }
                case OPENAI -> {
                    out.writeObjectFieldStart("error");
                    out.writeStringField("message", problem.message());
                    out.writeStringField("type", problem.type().wireName());
                    out.writeNullField("param");
                    out.writeNumberField("code", Status.of(problem.type()));
                    out.writeEndObject();
                }
            }
            out.writeEndObject();
        });
    }
}
