/** What a model's numbers mean: pure functions from logits to what a client reads. */
@NullMarked
package io.gatun.task;

import org.jspecify.annotations.NullMarked;
