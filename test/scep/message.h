#ifndef SCEP_MESSAGE_H
#define SCEP_MESSAGE_H
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "test/scep/der.h"

/* message.h - the outer SignedData of a SCEP message, right or wrong in whatever way a test wants. */
enum signature_style {
    SIGNATURE_RSA,     /* plain rsaEncryption, or for EC keys ecdsa-with-SHA256 */
    SIGNATURE_SHA_RSA, /* sha256WithRSAEncryption ...: BouncyCastle */
    SIGNATURE_PSS,
};

enum message_twist { /* bits */
    MSG_NO_TYPE = 1,
    MSG_NO_TRANSACTION = 2,
    MSG_NO_NONCE = 4,
    MSG_NO_CONTENT_TYPE = 8,
    MSG_NO_DIGEST = 16,
    MSG_TYPE_TWICE = 32,  /* the attribute twice, 19 and 17 */
    MSG_TYPE_VALUES = 64, /* two values in it */
    MSG_TYPE_INTEGER = 128,
    MSG_TYPE_UTF8 = 256, /* odd but readable */
    MSG_TRANSACTION_TWICE = 512,
    MSG_NO_ATTRIBUTES = 1024,
    MSG_TWO_SIGNERS = 2048,
    MSG_NO_SIGNER = 4096,
    MSG_NO_CERTIFICATE = 8192,
    MSG_WRONG_DIGEST = 1 << 14,
    MSG_BAD_SIGNATURE = 1 << 15,
    MSG_OTHER_KEY = 1 << 16,   /* signed with another key than the certificate's */
    MSG_KEY_ID = 1 << 17,      /* signer named by subjectKeyIdentifier: legal */
    MSG_CONTENT_OID = 1 << 18, /* eContentType is not id-data */
    MSG_UNSORTED = 1 << 19,    /* attributes not in SET order, but signed as they are */
    MSG_NO_CONTENT = 1 << 20,
    MSG_TRAILING = 1 << 21,
    MSG_CUT = 1 << 22,
    MSG_TRANSACTION_INTEGER = 1 << 23,
    MSG_NONCE_INTEGER = 1 << 24,
    MSG_NO_DIGESTS = 1 << 25,         /* digestAlgorithms is empty */
    MSG_DATA = 1 << 26,               /* the ContentInfo is plain data */
    MSG_OTHER_SERIAL = 1 << 27,       /* names a signer that is not there */
    MSG_CONTENT_TYPE_OTHER = 1 << 28, /* the attribute contentType is not id-data */
    MSG_TWO_CERTIFICATES = 1 << 29,   /* another one besides: legal */
};

struct message_plan {
    X509 *signer, *other_certificate;
    EVP_PKEY *key, *other_key;
    const EVP_MD *md; /* NULL: SHA-256 */
    enum signature_style style;
    const char *type;
    const char *transaction;
    const unsigned char *nonce;
    size_t nonce_len;
    int64_t signing_time;      /* 0: none */
    const char *status, *fail; /* of a reply, with the nonce it answers; or NULL */
    const struct str *recipient_nonce;
    bool ber;
    size_t chunk; /* with ber: pieces of the content */
    unsigned twist;
};
void message_write(const struct message_plan *p, const struct str *content, struct str *out);

/* nested_write - not a message: SEQUENCEs in each other, `depth` of them. */
void nested_write(unsigned depth, struct str *out);
#endif
