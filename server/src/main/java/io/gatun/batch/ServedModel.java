package io.gatun.batch;

import io.gatun.model.TextModel;

/** A model with its lanes. Owns both. */
public record ServedModel(TextModel model, Lanes lanes) implements AutoCloseable {
    public String name() {
        return model.name();
    }

    /** Native bytes of the model and its sessions. */
    public long bytes() {
        return model.kernel().bytes() + Lanes.bytes(model, lanes.settings());
    }

    @Override
    public void close() {
        lanes.close();
        model.close();
    }
}
