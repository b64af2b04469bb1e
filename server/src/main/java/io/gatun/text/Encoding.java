package io.gatun.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A tokenized text, or a pair of texts, special tokens included. The arrays are as long as each other and are not
 * copied: whoever gets an encoding leaves them as they are.
 *
 * @param typeIds 0 for the first text, 1 for the second
 * @param starts where a token starts in its text, in Unicode code points; 0 for special tokens
 * @param ends where it ends, exclusive; 0 for special tokens
 * @param words which word of its text a token is a part of, counted from 0; -1 for special tokens
 * @param special whether a token was added and is not in the text
 */
@SuppressWarnings("ArrayRecordComponent") // one object a text on the hot path; never compared
public record Encoding(int[] ids, int[] typeIds, int[] starts, int[] ends, int[] words, boolean[] special) {

    /** Tokens that come as such and are nowhere in a text; the special ones are added where they are missing. */
    public static Encoding of(int[] ids, int cls, int sep) {
        int before = ids.length > 0 && ids[0] == cls ? 0 : 1;
        int behind = ids.length > 1 && ids[ids.length - 1] == sep ? 0 : 1;
        int length = before + ids.length + behind;
        int[] all = new int[length];
        System.arraycopy(ids, 0, all, before, ids.length);
        all[0] = cls;
        all[length - 1] = sep;
        boolean[] special = new boolean[length];
        special[0] = true;
        special[length - 1] = true;
        return new Encoding(all, new int[length], new int[length], new int[length], new int[length], special);
    }

    /** One to be filled. */
    private static Encoding blank(int length) {
        return new Encoding(
                new int[length],
                new int[length],
                new int[length],
                new int[length],
                new int[length],
                new boolean[length]);
    }

    public int length() {
        return ids.length;
    }

    /**
     * Cuts to at most {@code maxTokens}, special tokens kept, as Hugging Face's {@code longest_first} does: of a pair the
     * longer text is cut first, then both to the same length.
     */
    public Encoding truncate(int maxTokens, TruncationDirection direction) {
        if (length() <= maxTokens) {
            return this;
        }
        int added = addedTokens();
        int room = Math.max(0, maxTokens - added);
        int second = secondLength();
        int first = length() - added - second;
        int keptFirst = Math.min(first, room);
        int keptSecond = 0;
        if (second > 0) {
            int shorter = Math.min(first, second);
            int longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
            if (shorter + longer > room) {
                shorter = room / 2;
                longer = shorter + room % 2;
            }
            keptFirst = first > second ? longer : shorter;
            keptSecond = first > second ? shorter : longer;
        }
        return select(kept(first, keptFirst, second, keptSecond, direction));
    }

    /** The pair of this text and another, each with its own special tokens: the other's first is left out. */
    public Encoding followedBy(Encoding second) {
        int all = length() + second.length() - 1;
        Encoding pair = blank(all);
        copyTo(pair, 0, 0);
        second.copyTo(pair, 1, length());
        Arrays.fill(pair.typeIds, length(), all, 1);
        return pair;
    }

    /**
     * The tokens of several texts as those of one, special tokens before and behind them all, as of one text that has
     * spaces between them. Where they start and end, and of which word they are, is still told of each text by itself.
     *
     * @param texts at least one, special tokens added
     */
    public static Encoding joined(List<Encoding> texts) {
        Encoding joined = texts.getFirst();
        for (Encoding next : texts.subList(1, texts.size())) {
            int all = joined.length() + next.length() - 2;
            Encoding both = blank(all);
            joined.copyTo(both, 0, 0);
            next.copyTo(both, 1, joined.length() - 1);
            joined = both;
        }
        return joined;
    }

    /** Copies all behind the first {@code from} tokens. */
    private void copyTo(Encoding other, int from, int at) {
        int count = length() - from;
        System.arraycopy(ids, from, other.ids, at, count);
        System.arraycopy(typeIds, from, other.typeIds, at, count);
        System.arraycopy(starts, from, other.starts, at, count);
        System.arraycopy(ends, from, other.ends, at, count);
        System.arraycopy(words, from, other.words, at, count);
        System.arraycopy(special, from, other.special, at, count);
    }

    /**
     * Cuts the text, or of a pair the second one, into windows of at most {@code maxTokens} that overlap, as Hugging
     * Face's {@code return_overflowing_tokens} does: each has all special tokens and, of a pair, the whole first text.
     *
     * @param stride how many tokens of the text a window has in common with the one before it
     * @return at least one; this alone when it fits
     * @throws IllegalArgumentException when there is no room for more tokens of the text than the stride
     */
    public List<Encoding> windows(int maxTokens, int stride) {
        int count = windowCount(maxTokens, stride);
        if (count == 1) {
            return List.of(this);
        }
        int cut = secondLength() > 0 ? 1 : 0;
        int length = cutLength();
        int room = maxTokens - (length() - length);
        int before = 0;
        while (special[before] || typeIds[before] != cut) {
            before++;
        }
        List<Encoding> windows = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int start = i * (room - stride);
            int end = Math.min(start + room, length);
            windows.add(select(IntStream.concat(
                            IntStream.concat(IntStream.range(0, before), IntStream.range(before + start, before + end)),
                            IntStream.range(before + length, length()))
                    .toArray()));
        }
        return windows;
    }

    /** How many {@link #windows} there are; throws what it throws. */
    public int windowCount(int maxTokens, int stride) {
        if (length() <= maxTokens) {
            return 1;
        }
        int length = cutLength();
        int room = maxTokens - (length() - length);
        if (stride < 0 || room <= stride) {
            throw new IllegalArgumentException("no room for windows: " + room + " tokens and a stride of " + stride);
        }
        return 1 + Math.ceilDiv(length - room, room - stride);
    }

    /** How many tokens of the text that {@link #windows} cuts have room in one; below 1: none. */
    public int room(int maxTokens) {
        return maxTokens - (length() - cutLength());
    }

    /** Where the first token of the text that {@link #windows} cuts starts in it, in code points; 0 without any. */
    public int start() {
        int cut = secondLength() > 0 ? 1 : 0;
        for (int i = 0; i < length(); i++) {
            if (!special[i] && typeIds[i] == cut) {
                return starts[i];
            }
        }
        return 0;
    }

    /** Where the last token of the text that {@link #windows} cuts ends in it, exclusive; 0 without any. */
    public int end() {
        int cut = secondLength() > 0 ? 1 : 0;
        for (int i = length() - 1; i >= 0; i--) {
            if (!special[i] && typeIds[i] == cut) {
                return ends[i];
            }
        }
        return 0;
    }

    /** Tokens of the text that windows cut. */
    private int cutLength() {
        int second = secondLength();
        return second > 0 ? second : length() - addedTokens();
    }

    /** Tokens that are in no text. */
    public int addedTokens() {
        int added = 0;
        for (boolean s : special) {
            added += s ? 1 : 0;
        }
        return added;
    }

    /** Tokens of the second text, which are those of type 1 that are in a text. */
    private int secondLength() {
        int count = 0;
        for (int i = 0; i < length(); i++) {
            count += typeIds[i] == 1 && !special[i] ? 1 : 0;
        }
        return count;
    }

    /** The places of the tokens that stay: all special ones, and of each text its first or last. */
    private int[] kept(int first, int keptFirst, int second, int keptSecond, TruncationDirection direction) {
        int[] places = new int[length()];
        int count = 0;
        int[] seen = new int[2];
        int[] lengths = {first, second};
        int[] kept = {keptFirst, keptSecond};
        for (int i = 0; i < length(); i++) {
            if (special[i]) {
                places[count++] = i;
                continue;
            }
            int text = second > 0 && typeIds[i] == 1 ? 1 : 0;
            int place = seen[text]++;
            boolean stays =
                    direction == TruncationDirection.RIGHT ? place < kept[text] : place >= lengths[text] - kept[text];
            if (stays) {
                places[count++] = i;
            }
        }
        return Arrays.copyOf(places, count);
    }

    private Encoding select(int[] places) {
        Encoding selected = blank(places.length);
        for (int i = 0; i < places.length; i++) {
            selected.ids[i] = ids[places[i]];
            selected.typeIds[i] = typeIds[places[i]];
            selected.starts[i] = starts[places[i]];
            selected.ends[i] = ends[places[i]];
            selected.words[i] = words[places[i]];
            selected.special[i] = special[places[i]];
        }
        return selected;
    }
}
