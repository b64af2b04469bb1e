/**
 * Models as files: what a GGUF file holds, how a Hugging Face folder becomes one, and the model that a program runs.
 */
@NullMarked
package io.gatun.model;

import org.jspecify.annotations.NullMarked;
