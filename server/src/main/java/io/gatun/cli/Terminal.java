package io.gatun.cli;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Whether a person sits at the other end. */
final class Terminal {
    private Terminal() {}

    @SuppressWarnings("SystemConsoleNull") // a class library without a console still returns null
    static boolean interactive() {
        @Nullable Console console = System.console();
        return console != null && console.isTerminal();
    }

    /** Whether a person reads standard error, wherever standard input and output go. */
    static boolean showsErrors() {
        try {
            String device = Path.of("/proc/self/fd/2").toRealPath().toString();
            return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
        } catch (IOException e) {
            return interactive(); // not Linux
        }
    }
}
