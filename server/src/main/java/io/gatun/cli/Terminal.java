package io.gatun.cli;

import java.io.Console;
import org.jspecify.annotations.Nullable;

/** Whether a person sits at the other end. */
final class Terminal {
    private Terminal() {}

    @SuppressWarnings("SystemConsoleNull") // a class library without a console still returns null
    static boolean interactive() {
        @Nullable Console console = System.console();
        return console != null && console.isTerminal();
    }
}
