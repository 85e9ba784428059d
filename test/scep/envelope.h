#ifndef SCEP_ENVELOPE_H
#define SCEP_ENVELOPE_H
#include <openssl/x509.h>
#include "test/scep/der.h"

/* envelope.h - CMS EnvelopedData, written by hand: as devices of all kinds write it, and as none should. */
enum cipher {
    CIPHER_AES128,
    CIPHER_AES192,
    CIPHER_AES256,
    CIPHER_DES3,
    CIPHER_DES, /* the rest is for the shape's sake: content that nobody could decrypt */
    CIPHER_RC2,
    CIPHER_RC4,
    CIPHER_GCM,
    CIPHER_CAMELLIA,
    CIPHER_UNKNOWN,
};

enum transport {
    TRANSPORT_PKCS1,
    TRANSPORT_OAEP,        /* SHA-1, parameters present and empty */
    TRANSPORT_OAEP_SHA256, /* and MGF1 with the same */
    TRANSPORT_OAEP_MIXED,  /* SHA-256, MGF1 with SHA-1 */
    TRANSPORT_RAW,         /* an OID of no key transport */
};

enum envelope_twist {     /* bits */
    ENV_BAD_RSA = 1,      /* the padding inside of the RSA block */
    ENV_WRONG_KEY = 2,    /* right padding, right length, another key */
    ENV_SHORT_KEY = 4,    /* right padding, a key of another length */
    ENV_BAD_BLOCK = 8,    /* the last block of the content */
    ENV_BAD_PAD = 16,     /* the content's padding */
    ENV_CUT_CONTENT = 32, /* no whole number of blocks */
    ENV_NO_CONTENT = 64,
    ENV_EMPTY_CONTENT = 128,
    ENV_LONG_IV = 256,
    ENV_NO_IV = 512,
    ENV_TWO_RECIPIENTS = 1024,
    ENV_NO_RECIPIENT = 2048,
    ENV_KARI = 4096,
    ENV_PWRI = 8192,
    ENV_KEKRI = 16384,
    ENV_ORI = 32768,
    ENV_AUTH = 1 << 16, /* AuthEnvelopedData */
    ENV_ORIGINATOR = 1 << 17,
    ENV_UNPROTECTED = 1 << 18,
    ENV_KEY_ID = 1 << 19,       /* recipient named by subjectKeyIdentifier: legal */
    ENV_OTHER_SERIAL = 1 << 20, /* a recipient that is not there */
    ENV_INNER_TYPE = 1 << 21,   /* the content is said to be SignedData */
    ENV_BAD_VERSION = 1 << 22,
    ENV_TRAILING = 1 << 23,
    ENV_CUT = 1 << 24,
    ENV_ENCRYPTED_DATA = 1 << 25, /* another content type */
    ENV_SHORT_RSA = 1 << 26,      /* the RSA block too short by one */
    ENV_ZERO_RSA = 1 << 27,       /* the RSA block is 0 */
    ENV_BIG_RSA = 1 << 28,        /* the RSA block is larger than the modulus */
    ENV_HUGE_IV = 1 << 29,        /* 16 KiB */
};

struct envelope_plan {
    X509 *recipient, *second;
    enum cipher cipher;
    enum transport transport;
    bool ber;
    size_t chunk; /* with ber: pieces of the content */
    unsigned twist;
};
/* envelope_write - the ContentInfo. */
void envelope_write(const struct envelope_plan *p, const struct str *content, struct str *out);
#endif
