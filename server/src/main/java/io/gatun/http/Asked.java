package io.gatun.http;

import io.gatun.service.Call;
import io.gatun.service.RequestException;
import java.util.Optional;
import java.util.regex.Pattern;

/** Who asks a pipeline. */
interface Asked {
    Pattern INFERENCE_CLIENT = Pattern.compile("\\bhf_hub/|@huggingface/inference/");

    /** What is asked of a model. */
    Call call();

    /** Takes memory for a large answer until the request is answered. */
    void reserve(long heapBytes) throws RequestException;

    /** A header of the request. */
    Optional<String> header(String name);

    /**
     * Whether it is Hugging Face's {@code InferenceClient}, which reads of some tasks what their servers answer and not
     * what the pipeline does.
     */
    default boolean isInferenceClient() {
        return header("User-Agent")
                .filter(agent -> INFERENCE_CLIENT.matcher(agent).find())
                .isPresent();
    }

    /** A program that asks for itself: it has the heap to itself, and no headers. */
    record Alone(Call call) implements Asked {
        @Override
        public void reserve(long heapBytes) {}

        @Override
        public Optional<String> header(String name) {
            return Optional.empty();
        }
    }
}
