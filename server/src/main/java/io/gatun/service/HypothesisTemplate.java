package io.gatun.service;

/**
 * A sentence with a place for a label, as Python's {@code str.format} reads it: <code>{}</code> or <code>{0}</code> is
 * the place, <code>{{</code> and <code>}}</code> are braces.
 */
final class HypothesisTemplate {
    private static final String FORM =
            "; write {} where the label goes, as in \"This example is {}.\", and {{ or }} for a" + " brace.";

    private final String template;
    private final boolean numbered;

    /** @throws RequestException when it has a brace that is none of these */
    HypothesisTemplate(String template) {
        this.template = template;
        this.numbered = template.contains("{0}");
        int places = 0;
        for (int i = 0; i < template.length(); i++) {
            char c = template.charAt(i);
            if (isEscaped(i)) {
                i++;
            } else if (isPlace(i)) {
                places++;
                i += place().length() - 1;
            } else if (c == '{' || c == '}') {
                throw RequestException.validation(
                        "The parameter \"hypothesis_template\" has a brace that is no label's place" + FORM);
            }
        }
        if (places == 0 || (places > 1 && !numbered)) {
            throw RequestException.validation("The parameter \"hypothesis_template\" has "
                    + (places == 0 ? "no place" : places + " places") + " for a label" + FORM);
        }
    }

    /** The sentence with the label in its place. */
    String with(String label) {
        StringBuilder sentence = new StringBuilder(template.length() + label.length());
        for (int i = 0; i < template.length(); i++) {
            if (isEscaped(i)) {
                sentence.append(template.charAt(i++));
            } else if (isPlace(i)) {
                sentence.append(label);
                i += place().length() - 1;
            } else {
                sentence.append(template.charAt(i));
            }
        }
        return sentence.toString();
    }

    private boolean isEscaped(int at) {
        return template.startsWith("{{", at) || template.startsWith("}}", at);
    }

    private boolean isPlace(int at) {
        return template.startsWith(place(), at);
    }

    private String place() {
        return numbered ? "{0}" : "{}";
    }
}
