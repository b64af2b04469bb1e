package io.gatun.http;

/** A text whose places are counted in code points. Looking places up in rising order costs one pass in all. */
final class CodePoints {
    private final String text;
    private int codePoint;
    private int unit;

    CodePoints(String text) {
        this.text = text;
    }

    /** The piece from one place to another, exclusive. */
    String piece(int start, int end) {
        int from = unitAt(start);
        codePoint = start;
        unit = from;
        return text.substring(from, unitAt(end));
    }

    private int unitAt(int place) {
        return text.offsetByCodePoints(unit, place - codePoint);
    }
}
