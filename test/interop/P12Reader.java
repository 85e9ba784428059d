/*
 * java P12Reader FILE PASSWORD OUT - opens FILE as any Java program would and writes the public key that
 * belongs to its one private key to OUT (PEM).
 *
 * Exit 0 only if there is exactly one key entry, its key signs, and its certificate verifies that.
 */
import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Base64;
import java.util.Collections;

public class P12Reader {
    private static String aliasOfTheKey(KeyStore store) throws Exception {
        String found = null;

        for (String alias : Collections.list(store.aliases())) {
            if (!store.isKeyEntry(alias))
                continue;
            if (found != null)
                throw new Exception("more than one key entry");
            found = alias;
        }
        if (found == null)
            throw new Exception("no key entry");
        return found;
    }

    private static void belongTogether(PrivateKey key, PublicKey open) throws Exception {
        String algorithm = switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> "Ed25519";
        };
        byte[] text = "signed and verified".getBytes();
        Signature s = Signature.getInstance(algorithm);

        s.initSign(key);
        s.update(text);
        byte[] signature = s.sign();
        s.initVerify(open);
        s.update(text);
        if (!s.verify(signature))
            throw new Exception("the key does not belong to the certificate");
    }

    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        char[] password = args[1].toCharArray();

        try (InputStream in = new FileInputStream(args[0])) {
            store.load(in, password);
        }
        String alias = aliasOfTheKey(store);
        PublicKey open = store.getCertificate(alias).getPublicKey();

        belongTogether((PrivateKey) store.getKey(alias, password), open);
        Files.writeString(Path.of(args[2]), "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(open.getEncoded())
                + "\n-----END PUBLIC KEY-----\n");
    }
}
