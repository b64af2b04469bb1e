package io.gatun.http;

import io.gatun.service.CallOptions;
import io.gatun.service.RequestException;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/** What a request asks for in its headers: {@code x-priority} and {@code x-timeout-ms}. */
final class CallHeaders {
    private static final HeaderName PRIORITY = HeaderNames.create("x-priority");
    private static final HeaderName TIMEOUT = HeaderNames.create("x-timeout-ms");
    private static final Pattern MILLIS = Pattern.compile("[1-9][0-9]{0,8}");

    private CallHeaders() {}

    static CallOptions read(ServerRequest request) {
        Optional<String> priority = request.headers().first(PRIORITY);
        Optional<String> timeout = request.headers().first(TIMEOUT);
        return priority.isEmpty() && timeout.isEmpty()
                ? CallOptions.NONE
                : new CallOptions(
                        priority.map(name -> CallOptions.priority(name.strip())), timeout.map(CallHeaders::timeout));
    }

    private static Duration timeout(String text) {
        if (!MILLIS.matcher(text.strip()).matches()) {
            throw RequestException.validation(
                    "The header x-timeout-ms must be a whole number of milliseconds above 0.");
        }
        return Duration.ofMillis(Long.parseLong(text.strip()));
    }
}
