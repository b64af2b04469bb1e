/**
 * What a request of any door becomes: tokenized, queued, computed and told, within bounds, by one of the models that are
 * served. Knows nothing of HTTP or gRPC; its methods block, for callers on virtual threads.
 */
@NullMarked
package io.gatun.service;

import org.jspecify.annotations.NullMarked;
