package io.gatun.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.gatun.kernel.GgufWriter;
import io.gatun.text.Encoding;
import io.gatun.text.Tokenizer;
import io.gatun.text.TruncationDirection;
import io.gatun.text.WordPieceVocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ids and offsets equal those of Hugging Face's own library, also where the tokenizer comes from a model file alone. */
final class GoldenTokensTest {
    private static final Path CASED = Path.of("src/test/resources/io/gatun/text/cased");
    private static final int CASED_TOKENS = 3000;

    private static TextModel model;

    @BeforeAll
    static void load() {
        model = TextModel.load("default", ModelSource.embedded());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void theDefaultModelTokenizesEveryGoldenText() {
        assertTokens(model.tokenizer(), "text/golden-tokens.jsonl", 800);
    }

    @Test
    void theDefaultModelTokenizesEveryReferenceText() {
        List<JsonNode> lines = Checkpoints.lines("model/reference.jsonl");
        assertThat(lines).hasSize(336);
        for (JsonNode line : lines) {
            Encoding whole = model.tokenizer().encode(line.get("text").asText(), true);
            assertSame(whole.truncate(512, TruncationDirection.RIGHT), line);
        }
    }

    @Test
    void pairsHaveTheirTypes() {
        for (JsonNode line : Checkpoints.lines("text/golden-pairs.jsonl")) {
            Encoding pair = model.tokenizer()
                    .encodePair(line.get("first").asText(), line.get("second").asText());
            assertSame(pair, line);
            assertThat(pair.typeIds()).containsExactly(Checkpoints.ints(line.get("type_ids")));
        }
    }

    @Test
    void idsBecomeTextAgain() {
        for (JsonNode line : Checkpoints.lines("text/golden-decode.jsonl")) {
            int[] ids = Checkpoints.ints(line.get("ids"));
            assertThat(model.tokenizer().decode(ids, false))
                    .isEqualTo(line.get("text").asText());
            assertThat(model.tokenizer().decode(ids, true))
                    .isEqualTo(line.get("text_without_special").asText());
        }
    }

    @Test
    void aCasedTokenizerKeepsCaseAndAccents() {
        try (Tokenizer tokenizer = Tokenizer.fromJson(CASED.resolve("tokenizer.json"))) {
            assertTokens(tokenizer, "text/golden-tokens-cased.jsonl", 300);
        }
    }

    @Test
    void aVocabularySurvivesTheModelFile(@TempDir Path folder) throws IOException {
        WordPieceVocabulary vocabulary = TokenizerFiles.read(CASED, CASED_TOKENS);
        Path file = folder.resolve("vocabulary.gguf");
        try (GgufWriter writer = new GgufWriter()) {
            VocabularyKeys.write(vocabulary, writer);
            writer.write(file, (index, target) -> {});
        }
        WordPieceVocabulary read = ModelSource.file(file).read(image -> VocabularyKeys.read(GgufFile.parse(image)));
        assertThat(read).isEqualTo(vocabulary);
        try (Tokenizer tokenizer = Tokenizer.fromVocabulary(read)) {
            assertTokens(tokenizer, "text/golden-tokens-cased.jsonl", 300);
        }
    }

    private static void assertTokens(Tokenizer tokenizer, String file, int atLeast) {
        List<JsonNode> lines = Checkpoints.lines(file);
        assertThat(lines).hasSizeGreaterThanOrEqualTo(atLeast);
        for (JsonNode line : lines) {
            assertSame(tokenizer.encode(line.get("text").asText(), true), line);
        }
    }

    private static void assertSame(Encoding encoding, JsonNode line) {
        assertThat(encoding.ids()).as(line.toString()).containsExactly(Checkpoints.ints(line.get("ids")));
        List<List<Integer>> offsets = IntStream.range(0, encoding.length())
                .mapToObj(i -> List.of(encoding.starts()[i], encoding.ends()[i]))
                .toList();
        assertThat(line.get("offsets").toString()).isEqualTo(offsets.toString().replace(" ", ""));
    }
}
