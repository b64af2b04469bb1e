package io.gatun.cli;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows whoever watches a terminal how far a run is, and how fast; nothing elsewhere. For one thread. */
final class Progress implements AutoCloseable {
    private static final int SHOW_EVERY = 64;
    private static final double NANOS = 1e9;

    private final @Nullable ProgressBar bar;
    private final long start = System.nanoTime();
    private long texts;

    private Progress(@Nullable ProgressBar bar) {
        this.bar = bar;
    }

    /** {@code shown}: whether somebody watches. */
    static Progress of(Source source, boolean shown) {
        return new Progress(
                shown
                        ? new ProgressBarBuilder()
                                .setTaskName("Answering")
                                .setInitialMax(source.size())
                                .setStyle(ProgressBarStyle.ASCII)
                                .setUpdateIntervalMillis(200)
                                .setMaxRenderedLength(100)
                                .build()
                        : null);
    }

    /** One more text is answered. */
    void answered(Source source) {
        texts++;
        if (bar != null && texts % SHOW_EVERY == 0) {
            show(bar, source);
        }
    }

    /** All are. */
    void ends(Source source) {
        if (bar != null) {
            show(bar, source);
        }
    }

    private void show(ProgressBar shown, Source source) {
        double seconds = (System.nanoTime() - start) / NANOS;
        shown.stepTo(source.size() < 0 ? texts : source.done());
        shown.setExtraMessage("%d texts, %.0f/s".formatted(texts, texts / seconds));
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
