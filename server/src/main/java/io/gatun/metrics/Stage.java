package io.gatun.metrics;

/** The parts of a request's time. */
public enum Stage {
    TOTAL("te_request_duration", "total"),
    TOKENIZATION("te_request_tokenization_duration", "tokenization"),
    QUEUE("te_request_queue_duration", "queue"),
    INFERENCE("te_request_inference_duration", "inference");

    private final String series;
    private final String label;

    Stage(String series, String label) {
        this.series = series;
        this.label = label;
    }

    String series() {
        return series;
    }

    String label() {
        return label;
    }
}
