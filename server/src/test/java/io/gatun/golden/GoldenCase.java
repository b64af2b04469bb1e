package io.gatun.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * One call and what a pipeline of transformers answered to it.
 *
 * @param call as a client posts it: {@code inputs}, and {@code parameters} where there are any
 * @param answer as the pipeline returned it
 * @param holdsInInt8 whether the model rounded to 8 bits gives this answer, too
 */
public record GoldenCase(JsonNode call, JsonNode answer, boolean holdsInInt8) {
    private static final JsonMapper JSON = new JsonMapper();

    /** Those of a task, as {@code of("bert-uncased", "fill-mask")}. */
    public static List<GoldenCase> of(String model, String task) {
        return of(model, task, "golden.jsonl");
    }

    /** Those of one of the files of a task. */
    public static List<GoldenCase> of(String model, String task, String file) {
        Path path = GoldenModels.folder(model, task).resolve(file);
        try {
            return Files.readAllLines(path).stream().map(GoldenCase::parse).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static GoldenCase parse(String line) {
        try {
            JsonNode json = JSON.readTree(line);
            return new GoldenCase(
                    json.path("call"), json.path("answer"), json.path("int8").asBoolean());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fails unless that is the answer. */
    public void assertAnswer(JsonNode actual, double tolerance) {
        try {
            assertSame(answer, actual, tolerance);
        } catch (AssertionError e) {
            throw new AssertionError("The call " + call + "\nis to be answered\n" + answer + "\nand was\n" + actual, e);
        }
    }

    /** Fails unless both are equal but for fractions: those may differ by the tolerance. */
    public static void assertSame(JsonNode expected, JsonNode actual, double tolerance) {
        assertSame("", expected, actual, tolerance);
    }

    private static void assertSame(String path, JsonNode expected, JsonNode actual, double tolerance) {
        if (expected.isFloatingPointNumber()) {
            assertThat(actual.isNumber()).as("%s is a number: %s", path, actual).isTrue();
            assertThat(Math.abs(actual.doubleValue() - expected.doubleValue()))
                    .as("%s: %s where %s is right", path, actual, expected)
                    .isLessThanOrEqualTo(tolerance);
        } else if (expected.isArray()) {
            assertThat(actual.isArray()).as("%s is a list: %s", path, actual).isTrue();
            assertThat(actual.size()).as("length of %s", path).isEqualTo(expected.size());
            for (int i = 0; i < expected.size(); i++) {
                assertSame(path + "[" + i + "]", expected.path(i), actual.path(i), tolerance);
            }
        } else if (expected.isObject()) {
            assertThat(actual.propertyStream().map(Map.Entry::getKey))
                    .as("fields of %s", path)
                    .containsExactlyInAnyOrderElementsOf(
                            expected.propertyStream().map(Map.Entry::getKey).toList());
            expected.propertyStream()
                    .forEach(field -> assertSame(
                            path + "." + field.getKey(), field.getValue(), actual.path(field.getKey()), tolerance));
        } else {
            assertThat(actual).as(path).isEqualTo(expected);
        }
    }
}
