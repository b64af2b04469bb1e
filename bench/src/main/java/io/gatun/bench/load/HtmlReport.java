package io.gatun.bench.load;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** The report as a page that needs nothing but itself. */
final class HtmlReport {
    private static final String DATA = "\"DATA\"";

    private HtmlReport() {}

    /** The page with its data in it. */
    static String of(ObjectNode report) throws IOException {
        try (InputStream stream = Objects.requireNonNull(HtmlReport.class.getResourceAsStream("report.html"))) {
            // "</script>" in a string would end the page's script.
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8)
                    .replace(DATA, report.toString().replace("</", "<\\/"));
        }
    }
}
