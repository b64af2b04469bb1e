package io.gatun.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ShapeTest {
    private List<Shape> shapes = List.of();

    private TextModel model = TextModel.load("default", ModelSource.embedded());

    @BeforeAll
    void tokenize() {
        shapes = Shape.all(text -> model.tokenizer().encode(text, true).ids());
    }

    @AfterAll
    void close() {
        model.close();
    }

    @Test
    void namesTellSizes() {
        assertThat(shapes)
                .extracting(Shape::name)
                .containsExactly("1x8", "1x16", "1x32", "1x64", "1x128", "1x512", "8x32", "8x128", "mixed");
        for (Shape shape : shapes.subList(0, 8)) {
            assertThat(shape.name()).isEqualTo(shape.sequences().size() + "x" + shape.longest());
            assertThat(shape.sequences()).allSatisfy(ids -> {
                assertThat(ids).hasSize(shape.longest()).startsWith(101).endsWith(102);
            });
        }
    }

    @Test
    void mixedIsSixteenTextsOf4To128Tokens() {
        List<int[]> mixed = shapes.getLast().sequences();
        assertThat(mixed).hasSize(16);
        assertThat(mixed.stream().mapToInt(ids -> ids.length)).contains(4, 128).allMatch(n -> n >= 4 && n <= 128);
    }

    /** DistilBERT-base: 42,467,328 a token, of which the last layer saves 5,898,240 for every token but the first. */
    @Test
    void neededMultiplies() {
        assertThat(shapes.getFirst().neededMultiplies(6, 768, 3072)).isEqualTo(8 * 42_467_328L - 7 * 5_898_240L);
        assertThat(new Shape("2x1", List.of(new int[1], new int[1])).neededMultiplies(6, 768, 3072))
                .isEqualTo(2 * 42_467_328L);
    }
}
