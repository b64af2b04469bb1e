/** What the server counts and measures, and its Prometheus text. */
@NullMarked
package io.gatun.metrics;

import org.jspecify.annotations.NullMarked;
