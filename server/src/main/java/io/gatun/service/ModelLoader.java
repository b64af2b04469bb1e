package io.gatun.service;

import io.gatun.batch.BatchListener;
import io.gatun.batch.LaneSettings;
import io.gatun.batch.Lanes;
import io.gatun.kernel.Compute;
import io.gatun.kernel.KernelException;
import io.gatun.kernel.Slab;
import io.gatun.metrics.Metrics;
import io.gatun.model.ModelException;
import io.gatun.model.ModelSource;
import io.gatun.model.TextModel;
import java.util.function.Function;

/**
 * Makes a source a model that answers.
 *
 * @param lanes how many lanes a model gets, and what may wait for them
 * @param memoryLimit the most native bytes of this process, of all models together
 * @param listener hears of the batches of all models
 * @param metrics shows the models that are loaded
 */
public record ModelLoader(
        Compute compute,
        Function<TextModel, LaneSettings> lanes,
        long memoryLimit,
        BatchListener listener,
        Metrics metrics) {
    /**
     * Loads a model and starts its lanes.
     *
     * @throws ModelException in one sentence, also when it needs more memory than there may be
     */
    ServedModel load(String name, ModelSource source) {
        TextModel model = TextModel.load(name, source, compute);
        try {
            LaneSettings settings = lanes.apply(model);
            long needed = Slab.allocatedBytes() + Lanes.bytes(model, settings);
            if (needed > memoryLimit) {
                throw new ModelException("The model " + name + " with " + settings.lanes() + " lanes needs " + needed
                        + " bytes of native memory with what is there already, more than the limit of " + memoryLimit
                        + "; raise --memory-limit or lower --lanes.");
            }
            Lanes started = Lanes.start(model, settings, listener);
            return new ServedModel(
                    model,
                    started,
                    metrics.register(new Metrics.Model(
                            name,
                            started::queuedJobs,
                            () -> model.kernel().bytes() + started.bytes(),
                            started::busyRatio,
                            started::abandonedJobs,
                            started::expiredJobs,
                            model.loadTime())));
        } catch (KernelException e) {
            model.close();
            throw new ModelException("The model " + name + " cannot be used: " + e.getMessage(), e);
        } catch (Throwable e) {
            model.close();
            throw e;
        }
    }
}
