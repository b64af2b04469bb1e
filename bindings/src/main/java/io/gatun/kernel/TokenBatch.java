package io.gatun.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A flat batch in a session's native memory: token ids one sequence behind the other, and where each starts. No padding.
 * Used by the session's thread only; every bound is checked here, before the kernel sees it.
 */
public final class TokenBatch {
    private final Model model;
    private final SessionLimits limits;
    private final MemorySegment ids; // int[maxTokens]
    private final MemorySegment types; // int[maxTokens]
    private final MemorySegment starts; // int[maxSequences + 1]
    private final MemorySegment outputs; // int[maxSequences]
    private final int[] logitsStarts; // [maxSequences + 1], in floats
    private final int[] maskStarts; // [maxSequences + 1]: masks before each sequence that are to be filled
    private int tokens;
    private int sequences;
    private boolean answered;

    TokenBatch(
            Model model,
            SessionLimits limits,
            MemorySegment ids,
            MemorySegment types,
            MemorySegment starts,
            MemorySegment outputs) {
        this.model = model;
        this.limits = limits;
        this.ids = ids;
        this.types = types;
        this.starts = starts;
        this.outputs = outputs;
        this.logitsStarts = new int[limits.maxSequences() + 1];
        this.maskStarts = new int[limits.maxSequences() + 1];
        clear();
    }

    public void clear() {
        answered = false;
        tokens = 0;
        sequences = 0;
        starts.setAtIndex(JAVA_INT, 0, 0);
    }

    public int tokens() {
        return tokens;
    }

    public int sequences() {
        return sequences;
    }

    /** Whether one more sequence of {@code length} tokens has room. */
    public boolean fits(int length) {
        return sequences < limits.maxSequences() && length <= limits.maxTokens() - tokens;
    }

    /**
     * Adds a sequence.
     *
     * @param tokenIds one id a token, each in the vocabulary, at least one and at most the model's context
     * @param typeIds one type a token, or null: all 0
     * @param heads a bit for each head that is wanted
     * @param states whether the last layer's rows are wanted
     * @return the sequence's index in this batch
     * @throws KernelException {@link KernelException.Status#BATCH} when a bound is broken, that of masks too; the batch
     *     is unchanged
     */
    public int add(int[] tokenIds, int @Nullable [] typeIds, int heads, boolean states) {
        int length = tokenIds.length;
        ModelInfo info = model.info();
        if (length < 1 || length > info.contextLength()) {
            throw refused(
                    "A sequence has " + length + " tokens; the model takes from 1 to " + info.contextLength() + ".");
        }
        if (!fits(length)) {
            throw refused("A sequence of " + length + " tokens has no room in a batch that holds " + tokens + " of "
                    + limits.maxTokens() + " tokens and " + sequences + " of " + limits.maxSequences() + " sequences.");
        }
        checkRange(tokenIds, info.vocabularySize(), "Token id");
        if (typeIds != null) {
            if (typeIds.length != length) {
                throw refused("A sequence of " + length + " tokens has " + typeIds.length + " token types.");
            }
            checkRange(typeIds, info.tokenTypeCount(), "Token type");
        }
        int known = model.heads().isEmpty()
                ? 0
                : -1 >>> (Integer.SIZE - model.heads().size());
        if ((heads & ~known) != 0 || (heads == 0 && !states)) {
            throw refused("A sequence asks for heads " + Integer.toBinaryString(heads) + " of a model with "
                    + model.heads().size() + ".");
        }
        int masks = model.masks(tokenIds, heads);
        if (masks > limits.maxMasks() - maskStarts[sequences]) {
            throw refused("A sequence of " + masks + " masks has no room in a batch that holds " + maskStarts[sequences]
                    + " of " + limits.maxMasks() + " masks.");
        }
        MemorySegment.copy(tokenIds, 0, ids, JAVA_INT, 4L * tokens, length);
        if (typeIds == null) {
            types.asSlice(4L * tokens, 4L * length).fill((byte) 0);
        } else {
            MemorySegment.copy(typeIds, 0, types, JAVA_INT, 4L * tokens, length);
        }
        answered = false;
        outputs.setAtIndex(JAVA_INT, sequences, heads | (states ? Session.STATES : 0));
        tokens += length;
        starts.setAtIndex(JAVA_INT, sequences + 1L, tokens);
        maskStarts[sequences + 1] = maskStarts[sequences] + masks;
        logitsStarts[sequences + 1] = logitsStarts[sequences] + width(sequences, Integer.SIZE);
        return sequences++;
    }

    /** The batch ran as it is now: its logits are there. */
    void answered() {
        answered = true;
    }

    /** Where in the logits a head's answer for a sequence lies, in floats. {@code head} 31 is the states. */
    int logitsStart(int sequence, int head) {
        if (!answered) {
            throw new IllegalStateException("the batch did not run since it was changed");
        }
        if (sequence < 0 || sequence >= sequences) {
            throw new IndexOutOfBoundsException("sequence " + sequence + " of " + sequences);
        }
        if ((outputs.getAtIndex(JAVA_INT, sequence) & 1 << head) == 0) {
            throw new IllegalArgumentException("sequence " + sequence + " did not ask for head " + head);
        }
        return logitsStarts[sequence] + width(sequence, head);
    }

    int length(int sequence) {
        return starts.getAtIndex(JAVA_INT, sequence + 1L) - starts.getAtIndex(JAVA_INT, sequence);
    }

    /** How many rows a head gives for a sequence that asked it. */
    int rows(int sequence, HeadInfo.Rows rows) {
        return switch (rows) {
            case PER_TEXT -> 1;
            case PER_TOKEN -> length(sequence);
            case PER_MASK -> maskStarts[sequence + 1] - maskStarts[sequence];
        };
    }

    /** Floats of a sequence's answers to the heads below {@code head}. */
    private int width(int sequence, int head) {
        int wanted = outputs.getAtIndex(JAVA_INT, sequence);
        int width = 0;
        for (HeadInfo info : model.heads()) {
            if (info.index() < head && (wanted & 1 << info.index()) != 0) {
                width += info.labelCount() * rows(sequence, info.rows());
            }
        }
        return head == Integer.SIZE && (wanted & Session.STATES) != 0
                ? width + length(sequence) * model.info().embeddingLength()
                : width;
    }

    private static void checkRange(int[] values, int bound, String what) {
        for (int value : values) {
            if (value < 0 || value >= bound) {
                throw refused(what + " " + value + " is outside 0 to " + (bound - 1) + ".");
            }
        }
    }

    private static KernelException refused(String sentence) {
        return new KernelException(KernelException.Status.BATCH, sentence);
    }
}
