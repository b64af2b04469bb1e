package io.gatun.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.util.IntSummaryStatistics;
import org.junit.jupiter.api.Test;

final class TextsTest {
    @Test
    void textsHaveTheTokensThatTheyAreSaidToHave() {
        try (TextModel model = TextModel.load("default", ModelSource.embedded())) {
            IntSummaryStatistics mixed = Texts.mixed().all().stream()
                    .mapToInt(text -> model.tokenizer().encode(text, true).length())
                    .summaryStatistics();
            assertThat(mixed.getCount()).isEqualTo(2000);
            assertThat(mixed.getMin()).isEqualTo(3);
            assertThat(mixed.getMax()).isEqualTo(256);
            assertThat(mixed.getSum()).isEqualTo(56_841);
            assertThat(Texts.ofTokens(16).all())
                    .allMatch(text -> model.tokenizer().encode(text, true).length() == 16);
        }
    }
}
