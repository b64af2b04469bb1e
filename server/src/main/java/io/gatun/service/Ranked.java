package io.gatun.service;

/**
 * A text's place in the answer to a query.
 *
 * @param index its place in the request
 * @param score larger is better
 */
public record Ranked(int index, float score) {}
