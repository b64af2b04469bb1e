package io.gatun.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HypothesisTemplateTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "This example is {}. | This example is sport.",
                "{} | sport",
                "{0}, or {0}? | sport, or sport?",
                "a set {{{}}} | a set {sport}",
                "{{}} is not {} | {} is not sport",
                "{{0}} is not {0} | {0} is not sport"
            })
    void theLabelIsPutAsPythonPutsIt(String template, String sentence) {
        assertThat(new HypothesisTemplate(template).with("sport")).isEqualTo(sentence);
    }

    @Test
    void aLabelIsPutAsItIs() {
        assertThat(new HypothesisTemplate("It is {}.").with("a {} {{\ud83c\udf89}}"))
                .isEqualTo("It is a {} {{\ud83c\udf89}}.");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "This example is.",
                "{{}}",
                "{} or {}",
                "{0} or {}",
                "{1}",
                "{label}",
                "{",
                "}",
                "{} }",
                "{:d}"
            })
    void whatHasNoPlaceForALabelIsRefused(String template) {
        assertThatThrownBy(() -> new HypothesisTemplate(template))
                .isInstanceOf(RequestException.class)
                .hasMessageContaining("\"hypothesis_template\"")
                .hasMessageContaining("write {} where the label goes");
    }
}
