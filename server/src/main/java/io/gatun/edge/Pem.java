package io.gatun.edge;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a PEM file (RFC 7468) holds. Java reads private keys in PKCS#8 only; the older forms, PKCS#1 for RSA (RFC 8017)
 * and SEC 1 for elliptic curves (RFC 5915), are what PKCS#8 wraps, so they are wrapped here.
 */
final class Pem {
    private static final Pattern BLOCK = Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");
    private static final Pattern BEGIN = Pattern.compile("-----BEGIN ");
    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA");

    private static final int INTEGER = 0x02;
    private static final int OCTET_STRING = 0x04;
    private static final int SEQUENCE = 0x30;
    private static final int CURVE = 0xA0;
    private static final byte[] VERSION = {INTEGER, 1, 0};
    /** 1.2.840.113549.1.1.1, and its parameters, which are null. */
    private static final byte[] RSA = {6, 9, 42, (byte) 134, 72, (byte) 134, (byte) 247, 13, 1, 1, 1, 5, 0};
    /** 1.2.840.10045.2.1. */
    private static final byte[] ELLIPTIC_CURVE = {6, 7, 42, (byte) 134, 72, (byte) 206, 61, 2, 1};

    private final String file;
    private final List<Block> blocks = new ArrayList<>();

    private record Block(String label, String body) {
        byte[] bytes() {
            return Base64.getMimeDecoder().decode(body);
        }
    }

    /** {@code file} is for messages. */
    Pem(String file, byte[] content) {
        this.file = file;
        String text = new String(content, StandardCharsets.ISO_8859_1);
        Matcher block = BLOCK.matcher(text);
        while (block.find()) {
            blocks.add(new Block(block.group(1), block.group(2)));
        }
        if (BEGIN.matcher(text).results().count() > blocks.size()) {
            throw new EdgeException(file + " ends in the midst of a PEM block.");
        }
    }

    /** The certificates, of which there is at least one. */
    List<X509Certificate> certificates() {
        List<X509Certificate> all = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Block block : blocks) {
                if (block.label().equals("CERTIFICATE")) {
                    all.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.bytes())));
                }
            }
        } catch (CertificateException | IllegalArgumentException e) {
            throw new EdgeException(file + " holds a certificate that cannot be read.", e);
        }
        if (all.isEmpty()) {
            throw new EdgeException(file + " holds no certificate; it must hold -----BEGIN CERTIFICATE-----.");
        }
        return all;
    }

    /** The first private key. */
    PrivateKey privateKey() {
        Block block = blocks.stream()
                .filter(b -> b.label().endsWith("PRIVATE KEY"))
                .findFirst()
                .orElseThrow(() ->
                        new EdgeException(file + " holds no private key; it must hold -----BEGIN PRIVATE KEY-----."));
        if (block.label().startsWith("ENCRYPTED") || block.body().contains("ENCRYPTED")) {
            throw new EdgeException(file + " holds an encrypted key; decrypt it with openssl pkey.");
        }
        try {
            return switch (block.label()) {
                case "PRIVATE KEY" -> key(block.bytes());
                case "RSA PRIVATE KEY" -> key(wrap(RSA, block.bytes()));
                case "EC PRIVATE KEY" -> key(wrap(join(ELLIPTIC_CURVE, curve(block.bytes())), block.bytes()));
                default -> throw new InvalidKeySpecException(block.label());
            };
        } catch (GeneralSecurityException | RuntimeException e) {
            throw new EdgeException(
                    file + " holds a key that cannot be read; it must be one for RSA, an elliptic curve, or Ed25519.",
                    e);
        }
    }

    private static PrivateKey key(byte[] pkcs8) throws GeneralSecurityException {
        InvalidKeySpecException failure = new InvalidKeySpecException("none of " + ALGORITHMS);
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (InvalidKeySpecException e) {
                failure.addSuppressed(e);
            }
        }
        throw failure;
    }

    private static byte[] wrap(byte[] algorithm, byte[] key) {
        return der(SEQUENCE, join(VERSION, der(SEQUENCE, algorithm), der(OCTET_STRING, key)));
    }

    /** The curve's name: in the key, or in the block of parameters that stands before it. */
    private byte[] curve(byte[] key) {
        ByteBuffer fields = content(ByteBuffer.wrap(key));
        while (fields.hasRemaining()) {
            int tag = Byte.toUnsignedInt(fields.get(fields.position()));
            ByteBuffer field = content(fields);
            if (tag == CURVE) {
                byte[] name = new byte[field.remaining()];
                field.get(name);
                return name;
            }
        }
        Optional<Block> parameters =
                blocks.stream().filter(b -> b.label().equals("EC PARAMETERS")).findFirst();
        return parameters.orElseThrow(() -> new EdgeException("no curve")).bytes();
    }

    /** What the next element of {@code der} holds; {@code der} goes on to the one after it. */
    private static ByteBuffer content(ByteBuffer der) {
        der.get(); // the tag
        int length = Byte.toUnsignedInt(der.get());
        if (length > 0x7f) {
            int bytes = length & 0x7f;
            length = 0;
            for (int i = 0; i < bytes; i++) {
                length = length << 8 | Byte.toUnsignedInt(der.get());
            }
        }
        ByteBuffer content = der.slice(der.position(), length);
        der.position(der.position() + length);
        return content;
    }

    private static byte[] der(int tag, byte[] content) {
        byte[] length = content.length < 0x80
                ? new byte[] {(byte) content.length}
                : new byte[] {(byte) 0x82, (byte) (content.length >> 8), (byte) content.length};
        return join(new byte[] {(byte) tag}, length, content);
    }

    private static byte[] join(byte[]... parts) {
        int size = 0;
        for (byte[] part : parts) {
            size += part.length;
        }
        ByteBuffer whole = ByteBuffer.allocate(size);
        for (byte[] part : parts) {
            whole.put(part);
        }
        return whole.array();
    }
}
