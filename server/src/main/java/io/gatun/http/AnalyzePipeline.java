package io.gatun.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.service.Finding;
import io.gatun.service.TextService;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** All heads at once: for each text an object with what each head's pipeline gives. */
final class AnalyzePipeline implements Pipeline {
    private static final String EXAMPLE = "{\"inputs\": \"a text\"}";
    /** As objects and as text. */
    private static final long HEAP_PER_CHARACTER = 2;

    private final TextService service;

    AnalyzePipeline(TextService service) {
        this.service = service;
    }

    @Override
    public Reply answer(Asked asked, Optional<String> model, Fields fields) throws InterruptedException {
        Fields wanted = fields.with("parameters");
        Inputs inputs = Inputs.texts(
                fields.required("inputs", EXAMPLE), service.limits().maxTexts());
        List<Map<String, Finding>> findings = service.analyzer()
                .analyze(
                        asked.call(),
                        model,
                        wanted.has("heads")
                                ? Optional.of(wanted.texts("heads", "{\"heads\": [\"sentiment\"]}"))
                                : Optional.empty(),
                        inputs.asTexts(),
                        wanted.truncation(),
                        TokenClassificationPipeline.options(
                                wanted,
                                wanted.text("aggregation_strategy").or(() -> Optional.of("simple")),
                                OptionalInt.empty()));
        asked.reserve(HEAP_PER_CHARACTER
                * findings.stream()
                        .flatMap(text -> text.values().stream())
                        .mapToLong(Finding::characters)
                        .sum());
        return Reply.largeJson(Json.answers(inputs.batch(), findings, AnalyzePipeline::write));
    }

    private static void write(Map<String, Finding> text, JsonGenerator out) throws IOException {
        out.writeStartObject();
        for (Map.Entry<String, Finding> head : text.entrySet()) {
            out.writeFieldName(head.getKey());
            head.getValue().write(out);
        }
        out.writeEndObject();
    }
}
