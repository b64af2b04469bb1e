package io.gatun.http;

/**
 * A route that is registered.
 *
 * @param task whether a model computes its answers
 * @param open whether it also answers those who show no key
 */
record Route(String method, String path, ErrorStyle style, boolean task, boolean open) {}
