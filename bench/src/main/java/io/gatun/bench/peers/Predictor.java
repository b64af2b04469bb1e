package io.gatun.bench.peers;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/** How a server on ONNX Runtime gives its texts to a session. Thread-safe. */
sealed interface Predictor extends AutoCloseable permits OneByOne, WindowBatcher {
    /**
     * The logits of one text, when they are computed.
     *
     * @param ids from [CLS] to [SEP]
     * @throws RejectedExecutionException when too much waits already
     */
    CompletableFuture<float[]> predict(int[] ids);

    /** What waits is never answered. */
    @Override
    void close();
}
