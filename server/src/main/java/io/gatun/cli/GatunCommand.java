package io.gatun.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program without a command: says that it needs one. */
@Command(
        name = "gatun",
        description = "Serves text models of the BERT family.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ServeCommand.class,
            PredictCommand.class,
            NerCommand.class,
            QaCommand.class,
            FillMaskCommand.class,
            EmbedCommand.class,
            AnalyzeCommand.class,
            ConvertCommand.class,
            InspectCommand.class
        })
final class GatunCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "A command is missing: serve, predict, ner, qa, fill-mask, embed, analyze, convert or inspect");
    }
}
