package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gatun.model.ModelSource;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ModelOptionTest {
    @ParameterizedTest
    @CsvSource({
        "mood=a/b.gguf, mood, a/b.gguf",
        "a/b.gguf, b, a/b.gguf",
        "b.q8_0.GGUF, b.q8_0, b.q8_0.GGUF",
        "model, model, model",
        "a/x=y/b.gguf, b, a/x=y/b.gguf",
        "n=a=b.gguf, n, a=b.gguf"
    })
    void readsNameAndPath(String text, String name, String path) {
        assertThat(ModelOption.parse(text)).isEqualTo(new ModelOption(name, ModelSource.file(Path.of(path))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "name=", "=a.gguf", "a b=c.gguf", ".gguf", "/", "a/my model.gguf", "\0.gguf"})
    void refusesWhatCannotBeNamed(String text) {
        assertThatExceptionOfType(CommandException.class).isThrownBy(() -> ModelOption.parse(text));
    }

    @Test
    void theEmbeddedModelIsServedWhenNoneIsNamed() {
        assertThat(ModelOption.parseAll(List.of())).containsExactly(ModelOption.embedded());
    }

    @Test
    void twoModelsOfOneNameAreRefused() {
        assertThatExceptionOfType(CommandException.class)
                .isThrownBy(() -> ModelOption.parseAll(List.of("a/m.gguf", "b/m.gguf")))
                .withMessageContaining("'m'");
    }
}
