package io.gatun.service;

import io.gatun.batch.Lanes;
import io.gatun.metrics.Metrics;
import io.gatun.model.TextModel;

/** A model with its lanes and its gauges. Owns them. */
public record ServedModel(TextModel model, Lanes lanes, Metrics.Registration gauges) implements AutoCloseable {
    public String name() {
        return model.name();
    }

    @Override
    public void close() {
        gauges.close();
        lanes.close();
        model.close();
    }
}
