/*
 * java CmsReader FILE KEY CERTIFICATE OUT - decrypts a CMS EnvelopedData or AuthEnvelopedData (DER) for the
 * holder of KEY (PKCS#8 PEM) and writes the content to OUT.
 *
 * A second implementation beside OpenSSL's: the structure (RFC 5652, 5083, 5753) is taken apart here, the
 * cryptography is that of Java.  One recipient, named by issuer and serial number; exit 0 only if all of it is
 * as those documents have it.
 */
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;

public class CmsReader {
    /** One DER value; `parts` reads what a constructed one holds. */
    static final class Der {
        final int tag;
        final byte[] whole, body;

        private Der(int tag, byte[] whole, byte[] body) {
            this.tag = tag;
            this.whole = whole;
            this.body = body;
        }

        static Der take(ByteBuffer in) throws Exception {
            int start = in.position(), tag = in.get() & 0xff, length = in.get() & 0xff;

            if (length > 0x80) {
                int bytes = length - 0x80;

                if (bytes > 3)
                    throw new Exception("a length of " + bytes + " bytes");
                for (length = 0; bytes > 0; bytes--)
                    length = length << 8 | in.get() & 0xff;
            } else if (length == 0x80) {
                throw new Exception("an indefinite length: BER, not DER");
            }
            byte[] body = new byte[length];
            in.get(body);
            return new Der(tag, Arrays.copyOfRange(in.array(), start, in.position()), body);
        }

        static Der one(byte[] bytes) throws Exception {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            Der d = take(in);

            if (in.hasRemaining())
                throw new Exception("something follows the value");
            return d;
        }

        List<Der> parts() throws Exception {
            ByteBuffer in = ByteBuffer.wrap(body);
            List<Der> list = new ArrayList<>();

            while (in.hasRemaining())
                list.add(take(in));
            return list;
        }

        Der want(int wanted) throws Exception {
            if (tag != wanted)
                throw new Exception(String.format("tag %02x where %02x belongs", tag, wanted));
            return this;
        }

        String oid() throws Exception {
            return HexFormat.of().formatHex(want(6).body);
        }
    }

    private static final String ENVELOPED = "2a864886f70d010703", AUTH_ENVELOPED = "2a864886f70d0109100117",
            RSA = "2a864886f70d010101", OAEP = "2a864886f70d010107", MGF1 = "2a864886f70d010108",
            SHA256 = "608648016503040201", AES256_CBC = "60864801650304012a", AES256_GCM = "60864801650304012e",
            AES256_WRAP = "60864801650304012d", DES3_CBC = "2a864886f70d0307", ECDH_SHA256 = "2b8104010b01",
            DATA = "2a864886f70d010701";

    private static PrivateKey key;
    private static X509Certificate holder;

    private static void named(Der rid) throws Exception {
        List<Der> p = rid.want(0x30).parts();

        if (!Arrays.equals(p.get(0).whole, holder.getIssuerX500Principal().getEncoded())
                || !new BigInteger(p.get(1).want(2).body).equals(holder.getSerialNumber()))
            throw new Exception("the recipient is another certificate");
    }

    /** RFC 4055 4.1: hash and mask both SHA-256; source empty. */
    private static void oaepSha256(Der parameters) throws Exception {
        List<Der> p = parameters.want(0x30).parts();
        List<Der> mask = p.get(1).want(0xa1).parts().get(0).parts();

        if (p.size() != 2 || !p.get(0).want(0xa0).parts().get(0).parts().get(0).oid().equals(SHA256)
                || !mask.get(0).oid().equals(MGF1) || !mask.get(1).parts().get(0).oid().equals(SHA256))
            throw new Exception("OAEP with other parameters than SHA-256 throughout");
    }

    private static byte[] transported(Der info) throws Exception {
        List<Der> p = info.parts(), how = p.get(2).want(0x30).parts();
        byte[] encrypted = p.get(3).want(4).body;
        Cipher c;

        named(p.get(1));
        if (how.get(0).oid().equals(OAEP)) {
            oaepSha256(how.get(1));
            c = Cipher.getInstance("RSA/ECB/OAEPPadding");
            c.init(Cipher.DECRYPT_MODE, key,
                    new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT));
        } else if (how.get(0).oid().equals(RSA)) {
            c = Cipher.getInstance("RSA/ECB/PKCS1Padding");
            c.init(Cipher.DECRYPT_MODE, key);
        } else {
            throw new Exception("key transport " + how.get(0).oid());
        }
        return c.doFinal(encrypted);
    }

    /** RFC 5753 7.2 and X9.63: one round of SHA-256 gives the 32 bytes of the wrapping key. */
    private static byte[] derived(byte[] secret, Der wrap) throws Exception {
        byte[] bits = {(byte) 0xa2, 6, 4, 4, 0, 0, 1, 0}; /* [2] OCTET STRING: 256 */
        MessageDigest md = MessageDigest.getInstance("SHA-256");
        ByteArrayOutputStream shared = new ByteArrayOutputStream();

        shared.write(0x30);
        shared.write(wrap.whole.length + bits.length);
        shared.write(wrap.whole);
        shared.write(bits);
        md.update(secret);
        md.update(new byte[] {0, 0, 0, 1});
        return md.digest(shared.toByteArray());
    }

    private static byte[] agreed(Der info) throws Exception {
        List<Der> p = info.parts();
        Der originator = p.get(1).want(0xa0).parts().get(0).want(0xa1);
        List<Der> how = p.get(2).want(0x30).parts();
        List<Der> keys = p.get(3).want(0x30).parts().get(0).want(0x30).parts();
        Der wrap = how.get(1).want(0x30), curve = Der.one(holder.getPublicKey().getEncoded()).parts().get(0);
        Der point = originator.parts().get(1).want(3);
        ByteArrayOutputStream spki = new ByteArrayOutputStream();
        KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
        Cipher unwrap = Cipher.getInstance("AESWrap");

        if (!how.get(0).oid().equals(ECDH_SHA256) || !wrap.parts().get(0).oid().equals(AES256_WRAP))
            throw new Exception("key agreement " + how.get(0).oid());
        named(keys.get(0));
        spki.write(0x30); /* the sender's point on the recipient's curve, as a key that Java reads */
        spki.write(curve.whole.length + point.whole.length);
        spki.write(curve.whole);
        spki.write(point.whole);
        agreement.init(key);
        agreement.doPhase(
                KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(spki.toByteArray())), true);
        unwrap.init(Cipher.UNWRAP_MODE, new SecretKeySpec(derived(agreement.generateSecret(), wrap), "AES"));
        return unwrap.unwrap(keys.get(1).want(4).body, "AES", Cipher.SECRET_KEY).getEncoded();
    }

    private static byte[] content(byte[] secret, Der info, byte[] mac) throws Exception {
        List<Der> p = info.want(0x30).parts(), how = p.get(1).want(0x30).parts();
        byte[] encrypted = p.get(2).want(0x80).body;
        String algorithm = how.get(0).oid();
        Cipher c;

        if (!p.get(0).oid().equals(DATA))
            throw new Exception("the content is no data");
        if (algorithm.equals(AES256_GCM) && mac != null) {
            byte[] both = Arrays.copyOf(encrypted, encrypted.length + mac.length);

            System.arraycopy(mac, 0, both, encrypted.length, mac.length);
            encrypted = both;
            c = Cipher.getInstance("AES/GCM/NoPadding");
            c.init(Cipher.DECRYPT_MODE, new SecretKeySpec(secret, "AES"),
                    new GCMParameterSpec(8 * mac.length, how.get(1).parts().get(0).want(4).body));
        } else if ((algorithm.equals(AES256_CBC) || algorithm.equals(DES3_CBC)) && mac == null) {
            Key k = new SecretKeySpec(secret, algorithm.equals(AES256_CBC) ? "AES" : "DESede");

            c = Cipher.getInstance(k.getAlgorithm() + "/CBC/PKCS5Padding");
            c.init(Cipher.DECRYPT_MODE, k, new IvParameterSpec(how.get(1).want(4).body));
        } else {
            throw new Exception("content encryption " + algorithm);
        }
        return c.doFinal(encrypted);
    }

    private static byte[] open(byte[] file) throws Exception {
        List<Der> outer = Der.one(file).want(0x30).parts();
        boolean authenticated = outer.get(0).oid().equals(AUTH_ENVELOPED);
        List<Der> p = outer.get(1).want(0xa0).parts().get(0).want(0x30).parts();
        List<Der> recipients = p.get(1).want(0x31).parts();

        if (!authenticated && !outer.get(0).oid().equals(ENVELOPED))
            throw new Exception("neither EnvelopedData nor AuthEnvelopedData");
        if (recipients.size() != 1 || p.size() != (authenticated ? 4 : 3))
            throw new Exception("not one recipient, or parts that nobody needs");
        Der r = recipients.get(0);
        byte[] secret = r.tag == 0x30 ? transported(r) : agreed(r.want(0xa1));
        return content(secret, p.get(2), authenticated ? p.get(3).want(4).body : null);
    }

    private static byte[] pem(String file) throws Exception {
        return Base64.getMimeDecoder().decode(Files.readString(Path.of(file)).replaceAll("-----[A-Z ]*-----", ""));
    }

    public static void main(String[] args) throws Exception {
        holder = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(pem(args[2])));
        key = KeyFactory.getInstance(holder.getPublicKey().getAlgorithm())
                .generatePrivate(new PKCS8EncodedKeySpec(pem(args[1])));
        Files.write(Path.of(args[3]), open(Files.readAllBytes(Path.of(args[0]))));
    }
}
