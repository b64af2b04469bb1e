package io.gatun.grpc;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.ServerTransportFilter;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.net.SocketAddress;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The connections that are open, up to a limit. When there are as many, the one that has said nothing for the longest time
 * makes room; if all have greeted, the new one is refused. Thread-safe.
 */
final class Connections extends ServerTransportFilter {
    private final int limit;
    private final Map<SocketAddress, Channel> silent = new LinkedHashMap<>();
    private int open;

    Connections(int limit) {
        this.limit = limit;
    }

    /** Whether a new connection may stay. */
    synchronized boolean admit(Channel connection) {
        Iterator<Channel> longest = silent.values().iterator();
        if (open >= limit) {
            if (!longest.hasNext()) {
                return false;
            }
            Channel oldest = longest.next();
            longest.remove();
            close(oldest);
        }
        open++;
        SocketAddress client = connection.remoteAddress();
        if (client != null) {
            silent.put(client, connection);
        }
        connection.closeFuture().addListener(closed -> ended(client, connection));
        return true;
    }

    static void close(Channel connection) {
        if (connection.isRegistered()) {
            ChannelFuture _ = connection.close();
        } else {
            connection.unsafe().closeForcibly(); // none of Netty's threads has it yet
        }
    }

    private synchronized void ended(@Nullable SocketAddress client, Channel connection) {
        open--;
        if (client != null) {
            silent.remove(client, connection);
        }
    }

    /** The client has greeted. */
    @Override
    public Attributes transportReady(Attributes attributes) {
        SocketAddress client = attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
        synchronized (this) {
            silent.remove(client);
        }
        return attributes;
    }
}
