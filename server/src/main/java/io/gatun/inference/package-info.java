/**
 * The Open Inference Protocol without its wire: tensors in, tensors out, and what it tells of models. HTTP's {@code /v2}
 * and gRPC only read and write.
 */
@NullMarked
package io.gatun.inference;

import org.jspecify.annotations.NullMarked;
