#ifndef SCEP_PKCS10_H
#define SCEP_PKCS10_H
#include <openssl/evp.h>
#include "test/scep/der.h"

/*
 * pkcs10.h - a PKCS#10 request, right or wrong in whatever way a test wants.
 *
 * A plan of all zeros but key and subject is an ordinary request.
 */
enum { PKCS10_LIST = 8 };

enum tag {
    TAG_UTF8 = 12,
    TAG_PRINTABLE = 19,
    TAG_TELETEX = 20,
    TAG_IA5 = 22,
    TAG_UNIVERSAL = 28,
    TAG_BMP = 30,
};

enum pkcs10_twist { /* bits */
    P10_BAD_SIGNATURE = 1,
    P10_OTHER_KEY = 2,         /* signed by another key than the one in it */
    P10_UNSORTED = 4,          /* attributes not in SET order, as strongSwan's */
    P10_CHALLENGE_TWICE = 8,   /* the attribute twice */
    P10_CHALLENGE_VALUES = 16, /* two values in the attribute */
    P10_CHALLENGE_NUL = 32,    /* a NUL and more behind it */
    P10_EXTENSIONS_TWICE = 64, /* the attribute twice */
    P10_EXTENSION_TWICE = 128, /* key usage twice in it */
    P10_EXTENSIONS_MS = 256,   /* under Microsoft's older OID */
    P10_TRAILING = 512,        /* bytes behind it */
    P10_CUT = 1024,            /* its last bytes missing */
    P10_VERSION_2 = 2048,
    P10_SUBJECT_NUL = 4096,     /* a NUL inside of the common name */
    P10_EXTENSIONS_BOTH = 8192, /* under both OIDs */
    P10_NO_ATTRIBUTES = 16384,  /* not even the [0] */
    P10_CHALLENGE_EMPTY = 32768,
};

struct pkcs10_extra { /* of an extension: the value; of an attribute: one value */
    const char *oid, *hex;
    bool critical;
};

struct pkcs10_plan {
    const char *subject;          /* "CN=a,O=b"; "+" instead of "," joins RDNs; NULL or "": empty */
    unsigned name_tag;            /* of its values; 0: TAG_UTF8 */
    const char *san[PKCS10_LIST]; /* "dns:", "email:", "uri:", "upn:", "ip:<hex>", "raw:<hex>" */
    unsigned many_sans;           /* besides these: host1.contoso.example ... */
    unsigned key_usage;           /* bit n is 1 << n; 0: no extension */
    const char *eku[PKCS10_LIST];
    bool ca_true;
    struct pkcs10_extra extension[3], attribute[3];
    size_t padding; /* bytes in an attribute that says nothing */
    const char *challenge;
    unsigned challenge_tag; /* 0: TAG_PRINTABLE */
    EVP_PKEY *key, *other;
    const EVP_MD *md; /* NULL: SHA-256 */
    bool pss;
    unsigned twist;
};
void pkcs10_write(const struct pkcs10_plan *p, struct str *out);

/* pkcs10_sign - append BIT STRING of a signature over bytes, and before it the AlgorithmIdentifier. */
void pkcs10_sign(EVP_PKEY *key, const EVP_MD *md, bool pss, const void *bytes, size_t len,
    bool spoil, struct str *out);
/* sign_raw - the signature alone. */
void sign_raw(
    EVP_PKEY *key, const EVP_MD *md, bool pss, const void *bytes, size_t len, struct str *out);

/* name_write - "CN=a,O=b" as a DER Name. */
void name_write(const char *text, unsigned tag, bool nul, struct str *out);
/* text_write - ASCII under a string tag, two or four bytes a character where the tag wants that. */
void text_write(const char *text, unsigned tag, struct str *out);
#endif
