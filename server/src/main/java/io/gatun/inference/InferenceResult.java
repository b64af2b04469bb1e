package io.gatun.inference;

import java.util.List;

/** What a model gave for a request. */
public record InferenceResult(String model, String version, List<OutputTensor> outputs) {}
