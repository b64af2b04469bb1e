package io.gatun.batch;

import io.gatun.kernel.Session;
import java.util.List;

/** What a lane does next. */
sealed interface Work {
    /**
     * Compute these jobs as one batch.
     *
     * @param jobs at least one
     * @param offer to the lanes that had nothing to do
     */
    record Batch(List<Job> jobs, Offer offer) implements Work {}

    /** The queue was closed. */
    record End() implements Work {}

    /**
     * Join the batch that another lane has taken, for as long as it runs.
     *
     * <p>Both lanes were woken by the same request, so that the one that joins may be there before the batch runs.
     */
    final class Offer implements Work {
        private final Session session;
        private final int lanes;
        /** How many lanes have not come yet; under the queue's lock. */
        private int places;

        private volatile boolean over;

        Offer(Session session, int lanes) {
            this.session = session;
            this.lanes = lanes;
            this.places = lanes;
        }

        /** The session that runs the batch. */
        Session session() {
            return session;
        }

        /** How many lanes were asked; they may come late or never. */
        int lanes() {
            return lanes;
        }

        int places() {
            return places;
        }

        void taken() {
            places--;
        }

        /** The batch has run. */
        void end() {
            over = true;
        }

        boolean over() {
            return over;
        }
    }
}
