package io.gatun.text;

import java.util.List;

/** Pieces of words to a text, as the WordPiece decoder of Hugging Face's tokenizers joins them. */
public final class WordPieces {
    private static final String CONTINUES = "##";
    /** What the decoder takes back of the spaces that tokenization put in, in its order. */
    private static final List<List<String>> SPACES = List.of(
            List.of(" .", "."),
            List.of(" ?", "?"),
            List.of(" !", "!"),
            List.of(" ,", ","),
            List.of(" ' ", "'"),
            List.of(" n't", "n't"),
            List.of(" 'm", "'m"),
            List.of(" do not", " don't"),
            List.of(" 's", "'s"),
            List.of(" 've", "'ve"),
            List.of(" 're", "'re"));

    private WordPieces() {}

    /** Joins them: a piece that does not go on with a word has a space before it, unless it is punctuation. */
    public static String join(List<String> pieces) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pieces.size(); i++) {
            String piece = pieces.get(i);
            if (i > 0) {
                piece = piece.startsWith(CONTINUES) ? piece.substring(CONTINUES.length()) : " " + piece;
            }
            text.append(piece.indexOf(' ') < 0 ? piece : cleaned(piece));
        }
        return text.toString();
    }

    private static String cleaned(String piece) {
        String cleaned = piece;
        for (List<String> pair : SPACES) {
            cleaned = cleaned.replace(pair.getFirst(), pair.getLast());
        }
        return cleaned;
    }
}
