/** JMH benchmarks. Each checks its answer before it is timed. */
@NullMarked
package io.gatun.bench;

import org.jspecify.annotations.NullMarked;
