package io.gatun.service;

import com.fasterxml.jackson.core.JsonGenerator;
import io.gatun.task.Entity;
import io.gatun.task.LabelScore;
import io.gatun.task.MaskFill;
import java.io.IOException;
import java.util.List;

/** What one head says of one text. */
public sealed interface Finding {
    /** Of a label, an entity or a token. */
    long PART = 128;

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

    /** Of each mask the best tokens. */
    record Fills(List<List<MaskFill>> masks) implements Finding {
        public Fills {
            masks = List.copyOf(masks);
        }
    }

    /** Writes it as the pipeline of the head's task does. */
    default void write(JsonGenerator out) throws IOException {
        switch (this) {
            case Labels(List<LabelScore> scores) -> LabelScore.write(scores, out);
            case Entities(List<Entity> entities) -> Entity.write(entities, out);
            case Fills(List<List<MaskFill>> masks) -> MaskFill.write(masks, out);
        }
    }

    /** About how many characters it is as text. */
    default long characters() {
        return switch (this) {
            case Labels(List<LabelScore> scores) -> PART * scores.size();
            case Entities(List<Entity> entities) -> PART * entities.size();
            case Fills(List<List<MaskFill>> masks) ->
                masks.stream()
                        .flatMap(List::stream)
                        .mapToLong(fill -> PART + fill.sequence().length())
                        .sum();
        };
    }
}
