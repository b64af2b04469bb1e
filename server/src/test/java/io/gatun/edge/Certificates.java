package io.gatun.edge;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemObject;

/** An authority that signs certificates for this machine, by way of an authority between, as they are in the world. */
public final class Certificates {
    private static long serial = System.nanoTime();

    private final KeyPair rootKey = keys("EC", 256);
    private final X509Certificate root = sign("root", rootKey, "root", rootKey, true);
    private final KeyPair middleKey = keys("RSA", 2048);
    private final X509Certificate middle = sign("middle", middleKey, "root", rootKey, true);

    /** A server's certificate, with those that lead to the root, and its key. */
    public record Issued(List<X509Certificate> chain, KeyPair keys) {
        /** The key as PKCS#8, and as the older form that its algorithm has. */
        String pkcs8() {
            return pem(writer -> writer.writeObject(new JcaPKCS8Generator(keys.getPrivate(), null)));
        }

        String olderForm() {
            return pem(writer -> {
                if (keys.getPrivate() instanceof ECPrivateKey key) {
                    // Java leaves the curve's name out
                    int bits = key.getParams().getOrder().bitLength();
                    ASN1Encodable curve = SubjectPublicKeyInfo.getInstance(
                                    keys.getPublic().getEncoded())
                            .getAlgorithm()
                            .getParameters();
                    writer.writeObject(new PemObject(
                            "EC PRIVATE KEY",
                            new org.bouncycastle.asn1.sec.ECPrivateKey(bits, key.getS(), curve).getEncoded()));
                } else {
                    writer.writeObject(keys.getPrivate());
                }
            });
        }

        String olderFormWithoutCurve() {
            return pem(writer -> writer.writeObject(keys.getPrivate()));
        }

        public String certificates() {
            return pem(writer -> {
                for (X509Certificate certificate : chain) {
                    writer.writeObject(certificate);
                }
            });
        }

        /** Puts both where a server may be reading them: each whole, one after the other. */
        public void write(Path certificates, Path key) {
            replace(certificates, certificates());
            replace(key, pkcs8());
        }

        public BigInteger serial() {
            return chain.getFirst().getSerialNumber();
        }
    }

    public Issued issue(String algorithm, int size) {
        KeyPair keys = keys(algorithm, size);
        return new Issued(List.of(sign("localhost", keys, "middle", middleKey, false), middle), keys);
    }

    /** For a client that trusts the root and nothing else. */
    public SSLContext trust() {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setCertificateEntry("root", root);
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The root, for a client that reads it from a file. */
    public String rootPem() {
        return pem(writer -> writer.writeObject(root));
    }

    private static KeyPair keys(String algorithm, int size) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            if (size > 0) {
                generator.initialize(size);
            }
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static synchronized X509Certificate sign(
            String name, KeyPair keys, String issuer, KeyPair issuerKeys, boolean authority) {
        String algorithm = issuerKeys.getPrivate().getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
        Instant now = Instant.now();
        try {
            JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                    new X500Principal("CN=" + issuer),
                    BigInteger.valueOf(++serial),
                    Date.from(now.minus(Duration.ofDays(1))),
                    Date.from(now.plus(Duration.ofDays(1))),
                    new X500Principal("CN=" + name),
                    keys.getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
            if (!authority) {
                builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(new GeneralName[] {
                    new GeneralName(GeneralName.dNSName, "localhost"),
                    new GeneralName(GeneralName.iPAddress, "127.0.0.1")
                }));
            }
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(new JcaContentSignerBuilder(algorithm).build(issuerKeys.getPrivate())));
        } catch (OperatorCreationException | GeneralSecurityException | CertIOException e) {
            throw new IllegalStateException(e);
        }
    }

    @FunctionalInterface
    private interface Objects {
        void write(JcaPEMWriter writer) throws IOException;
    }

    private static String pem(Objects objects) {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            objects.write(writer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    static void replace(Path file, String content) {
        try {
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(fresh, content);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
