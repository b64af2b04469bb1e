package io.gatun.edge;

import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * Where a door listens.
 *
 * @param port 0 for any that is free
 * @param portOption of the command line, for who must choose another
 */
public record ListenAddress(String host, int port, String portOption) {
    /**
     * The host's address.
     *
     * @throws ListenException when nobody knows it
     */
    public InetAddress resolve() {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new ListenException("The host " + host + " is unknown; choose another with --host.", e);
        }
    }

    /** What is to be thrown when the door cannot listen. */
    public ListenException refused(Exception e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        return new ListenException(
                "Cannot listen on " + host + ":" + port + ": " + message + "; choose another address with --host or "
                        + portOption + ".",
                e);
    }

    /** With which a client on this machine reaches the door, on the port that it got. */
    public String url(String scheme, int boundPort) {
        return scheme + "://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + boundPort;
    }
}
