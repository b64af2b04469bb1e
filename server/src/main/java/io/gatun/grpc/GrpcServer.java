package io.gatun.grpc;

import io.gatun.edge.Edge;
import io.gatun.edge.ListenAddress;
import io.gatun.edge.ListenException;
import io.gatun.edge.TlsIdentity;
import io.gatun.inference.InferenceService;
import io.gatun.service.ServerVersion;
import io.gatun.service.TextService;
import io.gatun.telemetry.Telemetry;
import io.grpc.BindableService;
import io.grpc.DecompressorRegistry;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLException;

/** The gRPC server. The work of each call runs on virtual threads of its own; few of Netty's move the bytes. */
public final class GrpcServer implements AutoCloseable {
    // Netty tells at WARNING of connections that break. Kept, or the level is lost.
    private static final Logger NETTY_LOGGER = Logger.getLogger("io.netty");
    private static final Logger TRANSPORT_LOGGER = Logger.getLogger("io.grpc.netty");
    /** For connections on which nobody waits for an answer, but that may hold a stream of health or reflection. */
    private static final Duration SHUTDOWN_GRACE = Duration.ofSeconds(1);

    private static final int BACKLOG = 1024;
    private static final int FLOW_CONTROL_WINDOW = 512 << 10;
    private static final int MAX_RESETS_A_SECOND = 2000;
    /** What clients may set their pings to; tritonclient's users set 20 s. */
    private static final Duration SHORTEST_PING = Duration.ofSeconds(5);
    /** After which it is asked whether a silent client is there. */
    private static final Duration PING = Duration.ofMinutes(1);

    private static final Duration PING_TIMEOUT = Duration.ofSeconds(20);
    private static final int PROCESSORS_A_LOOP = 8;

    static {
        // The JVM warns on standard error of whoever uses sun.misc.Unsafe, and nothing here needs it.
        System.setProperty("io.netty.noUnsafe", "true");
    }

    private final Server server;
    private final GrpcSettings settings;
    private final WorkInFlight inFlight;
    private final HealthStatusManager health;
    private final EventLoopGroup loops;
    private final ScheduledThreadPoolExecutor timer;

    private GrpcServer(
            Server server,
            GrpcSettings settings,
            WorkInFlight inFlight,
            HealthStatusManager health,
            EventLoopGroup loops,
            ScheduledThreadPoolExecutor timer) {
        this.server = server;
        this.settings = settings;
        this.inFlight = inFlight;
        this.health = health;
        this.loops = loops;
        this.timer = timer;
    }

    /**
     * Starts the server. The services stay the caller's.
     *
     * @throws ListenException when it cannot listen
     */
    public static GrpcServer start(
            GrpcSettings settings, TextService texts, InferenceService inference, Edge edge, Telemetry telemetry) {
        NETTY_LOGGER.setLevel(Level.SEVERE);
        TRANSPORT_LOGGER.setLevel(Level.SEVERE);
        ListenAddress listen = listenAddress(settings);
        InetSocketAddress address = new InetSocketAddress(listen.resolve(), settings.port());
        WorkInFlight inFlight = new WorkInFlight(settings.maxMessageBytesTogether());
        HealthStatusManager health = new HealthStatusManager();
        EventLoopGroup loops = new NioEventLoopGroup(
                Math.ceilDiv(Runtime.getRuntime().availableProcessors(), PROCESSORS_A_LOOP),
                Thread.ofPlatform().daemon().name("gatun-grpc-io-", 0).factory());
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("gatun-grpc-timer").factory());
        timer.setRemoveOnCancelPolicy(true);
        try {
            NettyServerBuilder builder =
                    transport(settings, address, loops).intercept(new Admission(inFlight, timer, settings.timeout()));
            // the one added last comes first
            builder.addStreamTracerFactory(InboundBytes.factory(inFlight))
                    .intercept(new KeyCheck(edge.keys()))
                    .intercept(new Observing(telemetry))
                    .intercept(Incoming.interceptor());
            if (edge.tls().isPresent()) {
                builder.sslContext(secure(edge.tls().get()));
            }
            for (BindableService service : services(settings, texts, inference, inFlight)) {
                health.setStatus(service.bindService().getServiceDescriptor().getName(), ServingStatus.SERVING);
                builder.addService(CheckedMessages.of(service));
            }
            Server server = builder.addService(CheckedMessages.of(health.getHealthService()))
                    .addService(CheckedMessages.of(ProtoReflectionServiceV1.newInstance()))
                    .addService(CheckedMessages.of(olderReflection()))
                    .fallbackHandlerRegistry(new UnservedMethods())
                    .build()
                    .start();
            return new GrpcServer(server, settings, inFlight, health, loops, timer);
        } catch (IOException e) {
            end(loops, timer);
            throw listen.refused(e);
        }
    }

    private static SslContext secure(TlsIdentity identity) throws SSLException {
        return GrpcSslContexts.configure(SslContextBuilder.forServer(identity), SslProvider.JDK)
                .build();
    }

    private static NettyServerBuilder transport(
            GrpcSettings settings, InetSocketAddress address, EventLoopGroup loops) {
        // Pools would keep megabytes for each of Netty's threads, and what is read and written here is small.
        ByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
        Connections connections = new Connections(settings.maxConnections());
        return NettyServerBuilder.forAddress(address)
                .channelFactory(() -> new BoundedServerChannel(connections))
                .addTransportFilter(connections)
                .bossEventLoopGroup(loops)
                .workerEventLoopGroup(loops)
                .withOption(ChannelOption.SO_BACKLOG, BACKLOG)
                .withOption(ChannelOption.ALLOCATOR, allocator)
                .withChildOption(ChannelOption.ALLOCATOR, allocator)
                .withChildOption(ChannelOption.TCP_NODELAY, true)
                .executor(Executors.newThreadPerTaskExecutor(
                        Thread.ofVirtual().name("gatun-grpc-", 0).factory()))
                .decompressorRegistry(DecompressorRegistry.getDefaultInstance().with(new Deflate(), true))
                .flowControlWindow(FLOW_CONTROL_WINDOW)
                .maxInboundMessageSize(settings.maxMessageBytes())
                .maxInboundMetadataSize(settings.maxMetadataBytes())
                .maxConcurrentCallsPerConnection(settings.maxCallsPerConnection())
                .maxRstFramesPerWindow(MAX_RESETS_A_SECOND, 1)
                .maxConnectionIdle(settings.idleTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .handshakeTimeout(settings.handshakeTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveTime(SHORTEST_PING.toMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveWithoutCalls(true)
                .keepAliveTime(PING.toMillis(), TimeUnit.MILLISECONDS)
                .keepAliveTimeout(PING_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static List<BindableService> services(
            GrpcSettings settings, TextService texts, InferenceService inference, WorkInFlight inFlight) {
        Answering answering = new Answering(texts, inFlight);
        return List.of(
                new InferenceCalls(inference, texts.catalogue(), answering, inFlight, ServerVersion.TEXT),
                new TeiInfo(texts, answering, settings, ServerVersion.TEXT),
                new TeiEmbed(texts, answering),
                new TeiPredict(texts, answering),
                new TeiRerank(texts, answering, settings.maxMessageBytes()),
                new TeiTokenize(texts, answering));
    }

    @SuppressWarnings("deprecation") // many clients know only this version
    private static BindableService olderReflection() {
        return io.grpc.protobuf.services.ProtoReflectionService.newInstance();
    }

    private static ListenAddress listenAddress(GrpcSettings settings) {
        return new ListenAddress(settings.host(), settings.port(), "--grpc-port");
    }

    public int port() {
        return server.getPort();
    }

    /** The address with which a client on this machine reaches it. */
    public String address() {
        return listenAddress(settings).url("grpc", port());
    }

    /** Calls that are being answered; streams count until they end. */
    public int callsInFlight() {
        return inFlight.calls();
    }

    /** Of the messages that are being answered. */
    public long bytesInFlight() {
        return inFlight.bytes();
    }

    /**
     * From now on new work is refused, and health says so. Calls in flight are answered; streams end when what they have
     * sent is answered.
     */
    public synchronized void drain() {
        if (!inFlight.isDraining()) {
            health.enterTerminalState();
            inFlight.drain();
        }
    }

    /** Waits for the answers in flight, and then closes all connections. */
    @Override
    public void close() {
        drain();
        try {
            inFlight.awaitNone(settings.drainTimeout());
            boolean ended = server.shutdown().awaitTermination(SHUTDOWN_GRACE.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                server.shutdownNow().awaitTermination(SHUTDOWN_GRACE.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
        end(loops, timer);
    }

    private static void end(EventLoopGroup loops, ScheduledThreadPoolExecutor timer) {
        Future<?> _ = loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        timer.shutdownNow();
    }
}
