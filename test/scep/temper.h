#ifndef SCEP_TEMPER_H
#define SCEP_TEMPER_H
#include "test/scep/envelope.h"
#include "test/scep/message.h"
#include "test/scep/talk.h"

/* temper.h - how clients of one make speak SCEP: a table row each. */
enum url_style {
    URL_ESCAPED, /* %2B %2F %3D */
    URL_LINES,   /* %0A after each 64 characters and at the end, %2B, raw / */
    URL_RAW,     /* raw + and /, padding escaped */
    URL_BARE,    /* raw + / = */
    URL_SAFE,    /* base64url */
};

enum id_style { /* of the transaction id: what is hashed is the public key */
    ID_SHA1_UPPER,
    ID_SHA1_LOWER,
    ID_MD5_UPPER,
    ID_BASE64,
    ID_DECIMAL,
};

struct temper {
    const char *name;
    /* HTTP */
    const char *suffix, *message, *agent, *content_type; /* NULL: none */
    bool ca_first;                                       /* GetCACert before GetCACaps */
    bool get;                                            /* even if POST is offered */
    enum url_style url;
    bool http10, no_host;
    /* CMS */
    bool ber;
    size_t chunk;
    enum cipher cipher, old_cipher; /* if AES is offered, if not */
    const char *hashes[3];          /* in the order of preference */
    enum transport transport;
    enum signature_style style;
    size_t nonce_len;
    enum id_style id;
    const char *signer; /* subject of the self-signed certificate; NULL: the request's; "uuid" */
    bool signer_sha1, critical_aki, signing_time;
    /* PKCS#10 */
    unsigned challenge_tag;
    bool unsorted;
    const char *renewal; /* messageType */
    bool renewal_challenge;
    /* what it checks */
    bool exact_types; /* of the responses' content */
};
const struct temper *temper_find(const char *name);
void temper_names(struct str *out);

/* temper_get, temper_post - a request as it writes one; query without '?'. */
void temper_get(
    const struct temper *t, const struct target *to, const char *query, struct str *out);
void temper_post(
    const struct temper *t, const struct target *to, const struct str *message, struct str *out);
void temper_operation(const struct temper *t, const struct target *to, bool post,
    const struct str *message, struct str *out);
void url_base64(enum url_style style, const struct str *bytes, struct str *out);

void temper_transaction(const struct temper *t, EVP_PKEY *key, struct str *out);
#endif
