package io.gatun.text;

/** A text whose places are counted in code points. Looking places up in rising order costs one pass in all. */
public final class CodePoints {
    private final String text;
    private int codePoint;
    private int unit;

    public CodePoints(String text) {
        this.text = text;
    }

    /** The piece from one place to another, exclusive. */
    public String piece(int start, int end) {
        int from = unitAt(start);
        codePoint = start;
        unit = from;
        return text.substring(from, unitAt(end));
    }

    private int unitAt(int place) {
        return text.offsetByCodePoints(unit, place - codePoint);
    }
}
