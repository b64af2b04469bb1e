package io.gatun.grpc;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A listening socket that closes the connections above a limit as it accepts them. Used by Netty's threads. */
final class BoundedServerChannel extends NioServerSocketChannel {
    private final int maxConnections;
    private final AtomicInteger open = new AtomicInteger();

    BoundedServerChannel(int maxConnections) {
        this.maxConnections = maxConnections;
    }

    @Override
    protected int doReadMessages(List<Object> accepted) throws Exception {
        int before = accepted.size();
        int count = super.doReadMessages(accepted);
        if (accepted.size() > before) {
            Channel connection = (Channel) accepted.getLast();
            if (open.incrementAndGet() > maxConnections) {
                open.decrementAndGet();
                accepted.removeLast();
                connection.unsafe().closeForcibly();
            } else {
                connection.closeFuture().addListener(closed -> open.decrementAndGet());
            }
        }
        return count;
    }
}
