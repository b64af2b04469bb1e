package io.gatun.task;

/**
 * A label and how sure the model is of it. The order of the two is that of text-embeddings-inference's JSON.
 *
 * @param score a probability or, where raw scores were asked for and in a regression, the logit
 */
public record LabelScore(float score, String label) {}
