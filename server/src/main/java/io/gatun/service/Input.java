package io.gatun.service;

import java.util.Collection;
import java.util.List;

/** What is tokenized to one sequence. */
public sealed interface Input {
    record Text(String text) implements Input {}

    /** Two texts that are read as one input. */
    record Pair(String first, String second) implements Input {}

    /** Tokens of the model's own vocabulary; the special tokens around them are added where they are missing. */
    @SuppressWarnings("ArrayRecordComponent") // made once a text, never compared
    record Tokens(int[] ids) implements Input {}

    /** Each text as an input of its own. */
    static List<Input> texts(Collection<String> texts) {
        return texts.stream().<Input>map(Text::new).toList();
    }

    /** UTF-16 units, or tokens: about the work of tokenizing it. */
    default long characters() {
        return switch (this) {
            case Text(String text) -> text.length();
            case Pair(String first, String second) -> (long) first.length() + second.length();
            case Tokens(int[] ids) -> ids.length;
        };
    }
}
