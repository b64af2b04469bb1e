package io.gatun.edge;

import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * The certificate with which the server shows who it is, and its key. New ones are for handshakes that begin after they
 * were read; connections that are open live on. Thread-safe.
 */
public final class TlsIdentity extends X509ExtendedKeyManager {
    private static final byte[] ANYTHING = "whether they fit".getBytes(StandardCharsets.US_ASCII);
    private static final int SESSIONS = 1024;

    /** {@code alias} is another for each that was read: a handshake asks for key and chain one after the other. */
    private record Identity(String alias, PrivateKey key, List<X509Certificate> chain) {}

    /** The one in use and the one before it. */
    private record Identities(Identity now, @Nullable Identity before) {
        @Nullable
        Identity named(@Nullable String alias) {
            if (now.alias().equals(alias)) {
                return now;
            }
            return before != null && before.alias().equals(alias) ? before : null;
        }
    }

    private volatile @Nullable Identities identities;

    private TlsIdentity() {}

    /**
     * Reads a chain of certificates, the server's own first, and its private key, and reads them again when they change.
     * A pair that does not fit, or of which a half is missing, is told in the log and leaves the old one in use.
     *
     * @throws EdgeException when they are of no use now
     */
    public static TlsIdentity watch(Path certificates, Path key, FileWatch watch) {
        TlsIdentity identity = new TlsIdentity();
        watch.add(
                List.of(certificates, key),
                contents -> identity.use(
                        new Pem(certificates.toString(), contents.get(0)).certificates(),
                        new Pem(key.toString(), contents.get(1)).privateKey(),
                        certificates + " and " + key));
        return identity;
    }

    private synchronized void use(List<X509Certificate> chain, PrivateKey key, String names) {
        if (!fit(chain.getFirst(), key)) {
            throw new EdgeException(names + " do not fit: the key is not that of the first certificate.");
        }
        Identities old = identities;
        Identity before = old == null ? null : old.now();
        String alias = before == null ? "1" : Long.toString(Long.parseLong(before.alias()) + 1);
        identities = new Identities(new Identity(alias, key, List.copyOf(chain)), before);
    }

    private static boolean fit(X509Certificate certificate, PrivateKey key) {
        String algorithm = switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> key.getAlgorithm();
        };
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(ANYTHING);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(ANYTHING);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false; // a key of one kind, a certificate of another
        }
    }

    /** For a door that takes Java's own; it shows this identity, and asks clients for none. */
    public SSLContext context() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(new KeyManager[] {this}, null, null);
            context.getServerSessionContext().setSessionCacheSize(SESSIONS);
            return context;
        } catch (GeneralSecurityException e) {
            throw new EdgeException("This Java has no TLS.", e);
        }
    }

    private Identity now() {
        Identities current = identities;
        if (current == null) {
            throw new IllegalStateException("asked before anything was read");
        }
        return current.now();
    }

    private @Nullable Identity named(@Nullable String alias) {
        Identities current = identities;
        return current == null ? null : current.named(alias);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
            String keyType, Principal @Nullable [] issuers, @Nullable SSLEngine engine) {
        Identity now = now();
        return now.key().getAlgorithm().equals(keyType) ? now.alias() : null;
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return chooseEngineServerAlias(keyType, issuers, null);
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(@Nullable String alias) {
        Identity identity = named(alias);
        return identity == null ? null : identity.chain().toArray(X509Certificate[]::new);
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(@Nullable String alias) {
        Identity identity = named(alias);
        return identity == null ? null : identity.key();
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        Identity now = now();
        return now.key().getAlgorithm().equals(keyType) ? new String[] {now.alias()} : null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }
}
