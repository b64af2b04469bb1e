/**
 * Text encoders and their heads on native memory: a {@link io.gatun.kernel.Model} is packed from a GGUF image and shared,
 * a {@link io.gatun.kernel.Session} runs batches on the thread that calls it and on those that join. All memory is lent by Java and counted by
 * {@link io.gatun.kernel.Slab}.
 */
@NullMarked
package io.gatun.kernel;

import org.jspecify.annotations.NullMarked;
