package io.gatun.inference;

import java.util.List;

/**
 * Tensors for a model.
 *
 * @param version of the model; each has the one version "1", and an empty text is any
 * @param outputs those wanted, in the answer's order; none: all of the model's task
 */
public record InferenceRequest(
        String model,
        String version,
        List<InputTensor> inputs,
        List<RequestedOutput> outputs,
        InferenceParameters parameters) {

    /**
     * An output that is wanted.
     *
     * @param classes if above 0: not the tensor, but so many of its largest values a row, each as the text {@code
     *     value:index:label}
     */
    public record RequestedOutput(String name, long classes) {}
}
