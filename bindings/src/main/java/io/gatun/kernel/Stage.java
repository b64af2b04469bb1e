package io.gatun.kernel;

import io.gatun.kernel.generated.gatun_h;
import java.util.Locale;

/** What a batch's time goes to. Linears include the activation or residual behind. */
public enum Stage {
    /** Tokens, positions and types looked up, added and normed. */
    EMBED(gatun_h.GT_STAGE_EMBED()),
    /** The linears of queries, keys and values. */
    QKV(gatun_h.GT_STAGE_QKV()),
    ATTENTION(gatun_h.GT_STAGE_ATTENTION()),
    /** Attention's rows rounded to what linears multiply, and the rows picked that are needed. */
    PREPARE(gatun_h.GT_STAGE_PREPARE()),
    /** The linear behind attention. */
    OUT(gatun_h.GT_STAGE_OUT()),
    /** Layer norms, their rows rounded to what linears multiply. */
    NORM(gatun_h.GT_STAGE_NORM()),
    /** The feed-forward's first linear. */
    UP(gatun_h.GT_STAGE_UP()),
    /** The feed-forward's second linear. */
    DOWN(gatun_h.GT_STAGE_DOWN()),
    HEAD(gatun_h.GT_STAGE_HEAD()),
    /** Waiting for other threads. */
    WAIT(gatun_h.GT_STAGE_WAIT());

    private final int code;

    Stage(int code) {
        this.code = code;
    }

    /** The constant of {@code gatun.h}. */
    int code() {
        return code;
    }

    /** Its name in reports. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }
}
