package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.golden.GoldenCase;
import io.gatun.golden.GoldenModels;
import io.gatun.kernel.Compute;
import io.gatun.model.ModelSource;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Hugging Face's pipelines answer to the same calls: text classification, zero-shot, fill-mask, questions. */
final class GoldenPipelinesTest {
    private static final List<String> CHECKPOINTS = List.of(
            "text-classification",
            "text-classification-multi",
            "regression",
            "pair",
            "fill-mask",
            "question-answering");

    @TempDir
    private static Path folder = Path.of("");

    private static RunningServer full;
    private static RunningServer rounded;

    @BeforeAll
    static void serve() {
        Map<String, ModelSource> sources = new LinkedHashMap<>();
        for (String model : GoldenModels.NAMES) {
            for (String checkpoint : CHECKPOINTS) {
                sources.put(
                        model + "-" + checkpoint, ModelSource.file(GoldenModels.convert(model, checkpoint, folder)));
            }
        }
        full = new RunningServer(Compute.F32, sources);
        rounded = new RunningServer(Compute.INT8, sources);
    }

    @AfterAll
    static void close() {
        full.close();
        rounded.close();
    }

    @ParameterizedTest
    @CsvSource({
        "text-classification, golden.jsonl, text-classification",
        "text-classification-multi, golden.jsonl, text-classification",
        "regression, golden.jsonl, text-classification",
        "pair, golden.jsonl, text-classification",
        "pair, zero-shot.jsonl, zero-shot-classification",
        "fill-mask, golden.jsonl, fill-mask",
        "question-answering, golden.jsonl, question-answering"
    })
    void theSameAnswers(String checkpoint, String file, String task) {
        int cases = 0;
        List<String> others = new ArrayList<>();
        for (String model : GoldenModels.NAMES) {
            String path = "/models/" + model + "-" + checkpoint + "/pipeline/" + task;
            for (GoldenCase golden : GoldenCase.of(model, checkpoint, file)) {
                golden.assertAnswer(answer(full, path, golden), 1e-4);
                if (golden.holdsInInt8()) {
                    cases++;
                    difference(golden, answer(rounded, path, golden), checkpoint)
                            .ifPresent(others::add);
                }
            }
        }
        assertThat(others).as("of %d", cases).hasSizeLessThanOrEqualTo(cases / 20);
    }

    /** Scores of weights in 8 bits by what they are of: what is nearly as likely as another may change places with it. */
    private static Optional<String> difference(GoldenCase golden, JsonNode answer, String checkpoint) {
        boolean logits = checkpoint.equals("regression")
                || golden.call().at("/parameters/function_to_apply").asText().equals("none");
        double tolerance = logits ? 1e-1 : 2e-2; // logits are up to 8
        Map<String, Double> expected = new LinkedHashMap<>();
        Map<String, Double> found = new LinkedHashMap<>();
        collect(golden.answer(), "", expected);
        collect(answer, "", found);
        boolean same =
                expected.size() == found.size() && near(expected, found, tolerance) && near(found, expected, tolerance);
        return same ? Optional.empty() : Optional.of(golden.call() + ": " + expected + " and not " + found);
    }

    /** What is not in the other answer, because that ends before it, may be no likelier than what is last there. */
    private static boolean near(Map<String, Double> scores, Map<String, Double> others, double tolerance) {
        double last =
                others.values().stream().mapToDouble(Double::doubleValue).min().orElseThrow();
        return scores.entrySet().stream()
                .allMatch(score -> Math.abs(score.getValue() - others.getOrDefault(score.getKey(), last)) <= tolerance);
    }

    private static void collect(JsonNode answer, String place, Map<String, Double> scores) {
        if (answer.has("score")) {
            String name = Stream.of("label", "token_str", "answer")
                    .filter(answer::has)
                    .findFirst()
                    .orElseThrow();
            String where = answer.path("start").asText();
            scores.put(
                    place + where + answer.get(name).textValue(),
                    answer.get("score").doubleValue());
        }
        for (int i = 0; i < answer.path("labels").size(); i++) {
            scores.put(
                    place + answer.at("/labels/" + i).textValue(),
                    answer.at("/scores/" + i).doubleValue());
        }
        for (int i = 0; answer.isArray() && i < answer.size(); i++) {
            collect(answer.get(i), answer.get(i).has("score") ? place : place + i + ":", scores);
        }
    }

    private static JsonNode answer(RunningServer running, String path, GoldenCase golden) {
        HttpResponse<String> response = running.post(path, golden.call().toString());
        assertThat(response.statusCode()).as(golden.call() + response.body()).isEqualTo(200);
        return RunningServer.json(response);
    }
}
