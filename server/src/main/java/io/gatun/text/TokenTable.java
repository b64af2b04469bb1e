package io.gatun.text;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;

/**
 * The tokens of a vocabulary by their ids and their ids by the tokens, which Hugging Face's library does not tell. All
 * texts lie in one array: a vocabulary of 30,000 takes 0.6 MB, where as many strings with a map of them take 4.
 */
final class TokenTable {
    private final byte[] texts;
    /** Where a token's text ends; it starts where the one before it ends. */
    private final int[] ends;
    /** Ids plus 1 by the hash of their token, in the next free slot where that one is taken; 0 is free. */
    private final int[] slots;

    /**
     * Copies a vocabulary.
     *
     * @param unused ids of places in the table that no token has: they have a text and are not found by it
     */
    TokenTable(List<String> tokens, BitSet unused) {
        ByteArrayOutputStream all = new ByteArrayOutputStream(8 * tokens.size());
        ends = new int[tokens.size()];
        for (int id = 0; id < ends.length; id++) {
            all.writeBytes(tokens.get(id).getBytes(UTF_8));
            ends[id] = all.size();
        }
        texts = all.toByteArray();
        slots = new int[Integer.highestOneBit(Math.max(1, ends.length)) << 2];
        for (int id = 0; id < ends.length; id++) {
            if (!unused.get(id)) {
                // Of two ids with the same text the last counts, as in a file that lists them.
                slots[slot(texts, start(id), ends[id])] = id + 1;
            }
        }
    }

    /** The id of a token, spelt as in the vocabulary. */
    OptionalInt idOf(String token) {
        byte[] text = token.getBytes(UTF_8);
        int id = slots[slot(text, 0, text.length)] - 1;
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /**
     * The token of an id.
     *
     * @throws IndexOutOfBoundsException when the vocabulary has none of that id
     */
    String tokenOf(int id) {
        int start = start(id);
        return new String(texts, start, ends[id] - start, UTF_8);
    }

    private int start(int id) {
        return id == 0 ? 0 : ends[id - 1];
    }

    /** The slot that holds a text's id or, where no token has that text, the free one for it. */
    private int slot(byte[] text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text[i];
        }
        int mask = slots.length - 1;
        int slot = (hash ^ hash >>> 16) & mask;
        while (slots[slot] != 0) {
            int id = slots[slot] - 1;
            if (Arrays.equals(texts, start(id), ends[id], text, start, end)) {
                return slot;
            }
            slot = slot + 1 & mask;
        }
        return slot;
    }
}
