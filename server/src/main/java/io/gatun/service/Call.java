package io.gatun.service;

/** One request on its way to an answer, whichever door it came through. Used by the request's own thread. */
public final class Call {
    private final Caller caller;
    private CallOptions options;
    private final Timings timings;
    private String model = "";
    private int texts;

    /** {@code start}: the {@link System#nanoTime} at which the request was there. */
    public Call(Caller caller, CallOptions options, long start) {
        this.caller = caller;
        this.options = options;
        this.timings = new Timings(start);
    }

    public Timings timings() {
        return timings;
    }

    /** The model that answers, or an empty text before it is known. */
    public String model() {
        return model;
    }

    /** How many texts the request holds, as far as is known. */
    public int texts() {
        return texts;
    }

    /** As metrics tell requests apart: {@code single} or {@code batch}. */
    String method() {
        return texts > 1 ? "batch" : "single";
    }

    Caller caller() {
        return caller;
    }

    /** What it asks for beside its answer. */
    public CallOptions options() {
        return options;
    }

    /** It asks for more than was known at first. */
    public void asks(CallOptions more) {
        options = more;
    }

    void isFor(String servingModel, int textCount) {
        model = servingModel;
        texts = textCount;
    }
}
