package io.gatun.bench.soak;

import java.nio.ByteBuffer;

/**
 * What a server said.
 *
 * @param status HTTP's, or the one that stands for gRPC's
 * @param body what of it is the same whenever the same is asked
 */
record Reply(int status, ByteBuffer body) {
    static final int OK = 200;
    static final int REFUSED = 429;

    boolean isAnswer() {
        return status == OK;
    }
}
