package io.gatun.service;

import java.time.Duration;

/**
 * How much one request may hold.
 *
 * @param maxTexts texts
 * @param maxTokens tokens of one text, where the model could read more
 * @param maxVectorTokens tokens of a request that wants a vector for each
 * @param bulkTexts a request of more texts is bulk, unless it says otherwise
 * @param timeout a request that is not answered by then is given up
 */
public record ServiceLimits(int maxTexts, int maxTokens, int maxVectorTokens, int bulkTexts, Duration timeout) {
    /** The usual limits. */
    public static final ServiceLimits DEFAULT = new ServiceLimits(1024, 1 << 20, 8192, 8, Duration.ofSeconds(60));
}
