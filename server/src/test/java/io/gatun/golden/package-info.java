/** Comparison with what Hugging Face's pipelines answered. */
@NullMarked
package io.gatun.golden;

import org.jspecify.annotations.NullMarked;
