package io.gatun.http;

import java.io.IOException;
import java.util.Optional;

/** Answers one of Hugging Face's tasks: {@code {"inputs", "parameters"}} to its pipeline's output. */
@FunctionalInterface
interface Pipeline {
    /** {@code model}: or nothing, the default one. */
    Reply answer(Asked asked, Optional<String> model, Fields fields) throws IOException, InterruptedException;
}
