/** Texts to tokens and back, exactly as Hugging Face's tokenizers do it. Knows nothing of models or servers. */
@NullMarked
package io.gatun.text;

import org.jspecify.annotations.NullMarked;
