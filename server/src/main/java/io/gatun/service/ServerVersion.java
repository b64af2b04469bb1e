package io.gatun.service;

/** The version of this program, as every door tells it. */
public final class ServerVersion {
    /** As the build wrote it into the program's manifest. */
    public static final String TEXT = read();

    private ServerVersion() {}

    private static String read() {
        String version = ServerVersion.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
