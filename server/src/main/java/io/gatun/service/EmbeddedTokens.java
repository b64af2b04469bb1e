package io.gatun.service;

import java.util.List;

/**
 * A vector for each token of each of a request's texts, in their order.
 *
 * @param width of a vector
 * @param rows {@code [tokens][width]} each, row by row
 */
public record EmbeddedTokens(String model, int width, List<float[]> rows) {}
