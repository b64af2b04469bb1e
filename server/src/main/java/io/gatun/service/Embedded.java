package io.gatun.service;

import java.util.List;

/**
 * A vector for each of a request's texts, in their order.
 *
 * @param vectors {@code [width]} each
 * @param tokens how many tokens each text has
 */
public record Embedded(String model, List<float[]> vectors, List<Integer> tokens) {}
