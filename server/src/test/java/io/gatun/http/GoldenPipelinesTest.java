package io.gatun.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.gatun.kernel.Compute;
import io.gatun.model.ModelSource;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Hugging Face's pipelines answer for the same calls: text classification, zero-shot, fill-mask, questions. */
final class GoldenPipelinesTest {
    private static final List<String> MODELS = List.of("distilbert-uncased", "distilbert-cased", "bert-uncased");
    private static final List<String> CHECKPOINTS = List.of(
            "text-classification",
            "text-classification-multi",
            "regression",
            "pair",
            "fill-mask",
            "question-answering");

    @TempDir
    private static Path folder = Path.of("");

    private static final Map<Compute, RunningServer> SERVERS = new HashMap<>();

    @AfterAll
    static void close() {
        SERVERS.values().forEach(RunningServer::close);
    }

    private static RunningServer serve(Compute compute) {
        Map<String, ModelSource> sources = new LinkedHashMap<>();
        for (String model : MODELS) {
            for (String checkpoint : CHECKPOINTS) {
                String name = model + "-" + checkpoint;
                Path golden = RunningServer.resource("/io/gatun/golden/" + model + "/" + checkpoint);
                sources.put(name, RunningServer.convert(folder, name, golden));
            }
        }
        return new RunningServer(compute, sources);
    }

    @ParameterizedTest
    @CsvSource({
        "text-classification, golden, text-classification",
        "text-classification-multi, golden, text-classification",
        "regression, golden, text-classification",
        "pair, golden, text-classification",
        "pair, zero-shot, zero-shot-classification",
        "fill-mask, golden, fill-mask",
        "question-answering, golden, question-answering"
    })
    void theSameAnswers(String checkpoint, String file, String task) throws IOException {
        SoftAssertions all = new SoftAssertions();
        for (String model : MODELS) {
            check(all, Compute.F32, 1e-4, model, checkpoint, file, task);
            check(all, Compute.INT8, 2e-2, model, checkpoint, file, task);
        }
        all.assertAll();
    }

    private static void check(
            SoftAssertions all,
            Compute compute,
            double tolerance,
            String model,
            String checkpoint,
            String file,
            String task)
            throws IOException {
        RunningServer running = SERVERS.computeIfAbsent(compute, GoldenPipelinesTest::serve);
        Path cases = RunningServer.resource("/io/gatun/golden/" + model + "/" + checkpoint + "/" + file + ".jsonl");
        String path = "/models/" + model + "-" + checkpoint + "/pipeline/" + task;
        for (String line : Files.readAllLines(cases)) {
            JsonNode golden = RunningServer.json(line);
            if (compute == Compute.INT8 && !golden.get("int8").booleanValue()) {
                continue; // two answers are so near each other that rounded weights may swap them
            }
            HttpResponse<String> response =
                    running.post(path, golden.get("call").toString());
            assertThat(response.statusCode()).as(line + response.body()).isEqualTo(200);
            JsonNode answer = RunningServer.json(response);
            all.assertThatCode(() -> same(golden.get("answer"), answer, tolerance, compute + " " + path + " " + line))
                    .doesNotThrowAnyException();
        }
    }

    private static void same(JsonNode expected, JsonNode found, double tolerance, String what) {
        if (expected.isFloatingPointNumber()) {
            assertThat(found.doubleValue()).as(what).isCloseTo(expected.doubleValue(), within(tolerance));
        } else if (expected instanceof ArrayNode list) {
            assertThat(found).as(what).hasSize(list.size());
            for (int i = 0; i < list.size(); i++) {
                same(list.get(i), found.get(i), tolerance, what);
            }
        } else if (expected instanceof ObjectNode object) {
            assertThat(found.size()).as(what + found).isEqualTo(object.size());
            object.properties().forEach(field -> same(field.getValue(), found.path(field.getKey()), tolerance, what));
        } else {
            assertThat(found).as(what).isEqualTo(expected);
        }
    }
}
