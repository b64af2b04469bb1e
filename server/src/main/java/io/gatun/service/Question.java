package io.gatun.service;

import java.util.List;

/**
 * A question and the text that answers it.
 *
 * @param history what was asked and answered before, the oldest first
 */
public record Question(String question, String context, List<Turn> history) {
    /** An earlier question of a conversation, and its answer. */
    public record Turn(String question, String answer) {
        /** As it is put before a later question. */
        String text() {
            return question + " " + answer;
        }
    }

    public Question {
        history = List.copyOf(history);
    }
}
