package io.gatun.service;

/** Calls that were answered, for what only looks at them. */
public final class Calls {
    private Calls() {}

    /** One that was tokenized for a millisecond from the second on. */
    public static Call answered(String model, int texts, int tokens, long start) {
        Call call = new Call(
                new Caller() {
                    @Override
                    public void whenGone(Runnable action) {}

                    @Override
                    public void isAnswered() {}
                },
                CallOptions.NONE,
                start);
        call.isFor(model, texts);
        call.timings().addTokens(tokens);
        call.timings().tokenizationStarts(start + 1_000_000);
        call.timings().tokenizationEnds(start + 2_000_000);
        return call;
    }
}
