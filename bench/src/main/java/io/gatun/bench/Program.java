package io.gatun.bench;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;

/** A benchmark as a program of its own. */
final class Program {
    private Program() {}

    /**
     * Runs it and ends the process.
     *
     * @param name in front of what is told
     * @param told what is no fault of the program: one sentence says it, and not a stack trace
     */
    static void run(String name, Callable<Integer> command, List<Class<? extends Exception>> told, String... args) {
        CommandLine line = new CommandLine(command);
        line.setExecutionExceptionHandler((e, failed, _) -> {
            if (told.stream().anyMatch(kind -> kind.isInstance(e))) {
                failed.getErr().println(name + ": " + e.getMessage());
                return CommandLine.ExitCode.USAGE;
            }
            throw e;
        });
        System.exit(line.execute(args));
    }
}
