package io.gatun.grpc;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.util.List;

/** A listening socket that closes what it accepts when there are too many connections. Used by Netty's threads. */
final class BoundedServerChannel extends NioServerSocketChannel {
    private final Connections connections;

    BoundedServerChannel(Connections connections) {
        this.connections = connections;
    }

    @Override
    protected int doReadMessages(List<Object> accepted) throws Exception {
        int before = accepted.size();
        int count = super.doReadMessages(accepted);
        if (accepted.size() > before && !connections.admit((Channel) accepted.getLast())) {
            Connections.close((Channel) accepted.removeLast());
        }
        return count;
    }
}
