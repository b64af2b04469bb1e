package io.gatun.service;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.task.Entity;
import io.gatun.task.LabelScore;
import java.io.IOException;
import java.util.List;

/** What one head says of one text. */
public sealed interface Finding {
    /** All labels, the best first. */
    record Labels(List<LabelScore> scores) implements Finding {
        public Labels {
            scores = List.copyOf(scores);
        }
    }

    /** In the order in which they are there. */
    record Entities(List<Entity> entities) implements Finding {
        public Entities {
            entities = List.copyOf(entities);
        }
    }

    /** Writes it as the pipeline of the head's task does. */
    default void write(JsonGenerator out) throws IOException {
        switch (this) {
            case Labels(List<LabelScore> scores) -> LabelScore.write(scores, out);
            case Entities(List<Entity> entities) -> Entity.write(entities, out);
        }
    }

    /** About what it takes of the heap and as text, in things that are written. */
    default int size() {
        return switch (this) {
            case Labels(List<LabelScore> scores) -> scores.size();
            case Entities(List<Entity> entities) -> entities.size();
        };
    }
}
