package io.gatun.cli;

import io.gatun.model.ModelSource;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** One {@code --model [NAME=]PATH}: what requests call the model, and where it is. */
record ModelOption(String name, ModelSource source) {
    static final String DEFAULT_NAME = "default";

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
    private static final String SUFFIX = ".gguf";

    /** Text in front of the first {@code =} is the name, unless it holds a path's separator and so belongs to the path. */
    static ModelOption parse(String text) {
        int equals = text.indexOf('=');
        boolean named = equals >= 0 && text.lastIndexOf('/', equals) < 0;
        String path = named ? text.substring(equals + 1) : text;
        if (path.isBlank()) {
            throw new CommandException("The option --model '" + text + "' names no file; write --model [NAME=]PATH.");
        }
        Path file = path(path);
        String name = named ? text.substring(0, equals) : nameOf(file);
        if (!NAME.matcher(name).matches()) {
            throw new CommandException("The model's name '" + name
                    + "' is not 1 to 63 letters, digits, '.', '_' or '-'; write --model NAME=" + path + ".");
        }
        return new ModelOption(name, ModelSource.file(file));
    }

    /** All models to serve: the embedded one when none is named. */
    static List<ModelOption> parseAll(List<String> texts) {
        if (texts.isEmpty()) {
            return List.of(embedded());
        }
        List<ModelOption> options = texts.stream().map(ModelOption::parse).toList();
        Set<String> names = new HashSet<>();
        for (ModelOption option : options) {
            if (!names.add(option.name)) {
                throw new CommandException(
                        "Two models are called '" + option.name + "'; give each its own name: --model NAME=PATH.");
            }
        }
        return options;
    }

    static ModelOption embedded() {
        return new ModelOption(DEFAULT_NAME, ModelSource.embedded());
    }

    /** A path, or a sentence where the system does not take the text as one. */
    static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new CommandException("'" + text.replace('\0', '?') + "' is no path: " + e.getReason() + ".", e);
        }
    }

    private static String nameOf(Path path) {
        Path last = path.getFileName();
        String name = last == null ? "" : last.toString();
        boolean suffixed = name.toLowerCase(Locale.ROOT).endsWith(SUFFIX);
        return suffixed ? name.substring(0, name.length() - SUFFIX.length()) : name;
    }
}
