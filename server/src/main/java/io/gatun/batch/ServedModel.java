package io.gatun.batch;

import io.gatun.model.TextModel;

/** A model with its lanes. Owns both. */
public record ServedModel(TextModel model, Lanes lanes) implements AutoCloseable {
    public String name() {
        return model.name();
    }

    /** Native bytes that the model and its lanes hold now. */
    public long bytes() {
        return model.kernel().bytes() + lanes.bytes();
    }

    @Override
    public void close() {
        lanes.close();
        model.close();
    }
}
