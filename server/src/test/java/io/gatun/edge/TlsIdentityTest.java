package io.gatun.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real handshakes with certificates of several kinds, which change while connections come and go. */
final class TlsIdentityTest {
    private static final Certificates AUTHORITY = new Certificates();
    private static final Certificates.Issued FIRST = AUTHORITY.issue("EC", 256);
    private static final Certificates.Issued SECOND = AUTHORITY.issue("RSA", 2048);

    @TempDir
    private Path folder;

    private Path certificates;
    private Path key;
    private FileWatch watch;
    private @Nullable EchoServer server;

    @BeforeEach
    void name() {
        certificates = folder.resolve("tls.crt");
        key = folder.resolve("tls.key");
        watch = new FileWatch(Duration.ofMillis(20));
    }

    @AfterEach
    void close() {
        watch.close();
        if (server != null) {
            server.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "RSA,2048,PKCS#8",
        "RSA,2048,PKCS#1",
        "RSA,4096,PKCS#1",
        "EC,256,PKCS#8",
        "EC,256,SEC1",
        "EC,384,SEC1",
        "Ed25519,0,PKCS#8"
    })
    void aClientSeesTheChain(String algorithm, int size, String form) throws IOException {
        Certificates.Issued issued = AUTHORITY.issue(algorithm, size);
        String pem = form.equals("PKCS#8") ? issued.pkcs8() : issued.olderForm();
        assertThat(pem).contains(form.equals("PKCS#8") ? "BEGIN PRIVATE KEY" : "BEGIN " + algorithm + " PRIVATE KEY");
        Files.writeString(certificates, "# a comment\n" + issued.certificates());
        Files.writeString(key, pem);
        server = serve();
        try (SSLSocket client = server.connect()) {
            assertThat(client.getSession().getPeerCertificates()).hasSize(2);
            assertThat(serial(client)).isEqualTo(issued.serial());
        }
    }

    @Test
    void theCurveMayStandInABlockOfItsOwn() throws IOException {
        Certificates.Issued issued = AUTHORITY.issue("EC", 256);
        Files.writeString(certificates, issued.certificates());
        // prime256v1, as openssl ecparam -genkey writes it
        Files.writeString(
                key,
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                        + issued.olderFormWithoutCurve());
        server = serve();
        try (SSLSocket client = server.connect()) {
            assertThat(serial(client)).isEqualTo(issued.serial());
        }
    }

    @Test
    void newConnectionsSeeTheNewCertificateAndOldOnesLiveOn() throws IOException {
        FIRST.write(certificates, key);
        server = serve();
        try (SSLSocket old = server.connect()) {
            assertThat(serial(old)).isEqualTo(FIRST.serial());
            SECOND.write(certificates, key);
            awaitSerial(SECOND.serial());
            assertThat(echo(old)).isTrue();
        }
    }

    @Test
    void noConnectionFailsWhileCertificatesChange() throws Exception {
        FIRST.write(certificates, key);
        server = serve();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger connections = new AtomicInteger();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        EchoServer echo = server;
        Thread load = Thread.ofVirtual().start(() -> {
            while (!stop.get()) {
                try (SSLSocket client = echo.connect()) {
                    if (!echo(client)) {
                        throw new IOException("no echo");
                    }
                    connections.incrementAndGet();
                } catch (IOException | RuntimeException e) {
                    failure.set(e);
                }
            }
        });
        for (int i = 0; i < 6; i++) {
            Certificates.Issued next = i % 2 == 0 ? SECOND : FIRST;
            next.write(certificates, key);
            awaitSerial(next.serial());
        }
        stop.set(true);
        load.join();
        assertThat(failure.get()).isNull();
        assertThat(connections.get()).isGreaterThan(6);
    }

    @Test
    void aPairThatIsOfNoUseKeepsTheOld() throws IOException {
        FIRST.write(certificates, key);
        server = serve();
        try (LogLines log = new LogLines(FileWatch.class)) {
            Certificates.replace(key, SECOND.pkcs8());
            log.await("do not fit");
            String pem = SECOND.certificates();
            Certificates.replace(certificates, pem.substring(0, pem.length() - 100));
            log.await("ends in the midst");
            Files.delete(certificates);
            log.await("There is no file");
            Certificates.replace(certificates, "nothing");
            log.await("holds no certificate");
            awaitSerial(FIRST.serial());
            Certificates.replace(certificates, SECOND.certificates());
            awaitSerial(SECOND.serial());
            assertThat(log.lines()).hasSize(5);
        }
    }

    @Test
    void whatIsOfNoUseAtStartIsToldInOneSentence() throws IOException {
        assertThatThrownBy(this::serve)
                .isInstanceOf(EdgeException.class)
                .hasMessageContaining("There is no file " + certificates);
        Files.writeString(certificates, FIRST.certificates());
        Files.writeString(key, SECOND.pkcs8());
        assertThatThrownBy(this::serve).hasMessageContaining("do not fit");
        Files.writeString(key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        assertThatThrownBy(this::serve).hasMessageContaining("encrypted");
        Files.writeString(key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        assertThatThrownBy(this::serve).hasMessageContaining("cannot be read");
        Files.writeString(key, "-----BEGIN EC PRIVATE KEY-----\nMIL/////AA==\n-----END EC PRIVATE KEY-----\n");
        assertThatThrownBy(this::serve).hasMessageContaining("cannot be read");
    }

    private EchoServer serve() throws IOException {
        return new EchoServer(TlsIdentity.watch(certificates, key, watch).context());
    }

    private void awaitSerial(BigInteger serial) {
        EchoServer echo = Objects.requireNonNull(server);
        await().atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> {
                    try (SSLSocket client = echo.connect()) {
                        return serial(client).equals(serial);
                    }
                });
    }

    private static BigInteger serial(SSLSocket client) throws IOException {
        return ((X509Certificate) client.getSession().getPeerCertificates()[0]).getSerialNumber();
    }

    private static boolean echo(SSLSocket client) throws IOException {
        client.getOutputStream().write('x');
        return client.getInputStream().read() == 'x';
    }

    /** Sends back what it gets. */
    private static final class EchoServer implements AutoCloseable {
        private final SSLServerSocket socket;

        EchoServer(SSLContext context) throws IOException {
            socket = (SSLServerSocket)
                    context.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
            Thread.ofVirtual().start(this::accept);
        }

        private void accept() {
            while (true) {
                try {
                    Socket client = socket.accept();
                    Thread.ofVirtual().start(() -> answer(client));
                } catch (IOException e) {
                    return; // closed
                }
            }
        }

        private static void answer(Socket client) {
            try (client;
                    InputStream in = client.getInputStream();
                    OutputStream out = client.getOutputStream()) {
                in.transferTo(out);
            } catch (IOException e) {
                // the client sees it
            }
        }

        /** Connects as a client that keeps no session: each shakes hands anew. */
        SSLSocket connect() throws IOException {
            SSLSocket client =
                    (SSLSocket) AUTHORITY.trust().getSocketFactory().createSocket("localhost", socket.getLocalPort());
            client.setSoTimeout(10_000);
            client.startHandshake();
            return client;
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
