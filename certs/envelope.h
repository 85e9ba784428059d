#ifndef CERTS_ENVELOPE_H
#define CERTS_ENVELOPE_H
#include "certs/key.h"

/*
 * envelope.h - CMS EnvelopedData (RFC 5652 6) opened with an RSA key of ours.  Writing one: cms.h.
 *
 * Accepted: ContentInfo enveloped-data, version 0 or 2, exactly one KeyTransRecipientInfo, RSA PKCS#1 v1.5
 * or RSA-OAEP (SHA-1 or SHA-256, MGF1 with the same hash, no label), content id-data in AES-128/192/256-CBC or
 * 3DES-CBC with an IV of exactly one block.  Everything else is refused by shape, before a key is touched:
 * AuthEnvelopedData, KARI, KEK, PWRI, a second recipient, originatorInfo, unprotected attributes.
 *
 * Whoever can send captured envelopes again, altered, must learn nothing from what we do with them (RFC 3218,
 * security requirement SR-07).  So the RSA result is unpadded here in constant time to a key of exactly the
 * length the cipher needs; if the padding is wrong a random key takes its place; the content is decrypted in any
 * case; and whatever then is wrong, the padding or what was inside, is one and the same error.
 */
enum envelope_cipher {
    ENVELOPE_NONE,
    ENVELOPE_AES128,
    ENVELOPE_AES192,
    ENVELOPE_AES256,
    ENVELOPE_DES3
};
enum envelope_transport { ENVELOPE_PKCS1, ENVELOPE_OAEP_SHA1, ENVELOPE_OAEP_SHA256 };

struct envelope {
    struct view issuer, serial,
        key_id; /* of the recipient: DER Name and INTEGER content, or key id */
    enum envelope_transport transport;
    enum envelope_cipher cipher;
    struct view wrapped_key, iv, content; /* content: pieces already joined */
    struct buf joined;                    /* holds `content` if it came in pieces; envelope_free */
};

/*
 * envelope_parse - views point into `der` (DER as ber_to_der wrote it).  Threads: pure.
 * fails ERR_UNSUPPORTED  the cipher or key transport is none of these (single DES, RC2 ...): badAlg
 *       ERR_PROTO        another shape
 */
int envelope_parse(struct view der, struct envelope *v, struct err *e) MUST;
void envelope_free(struct envelope *v);

/*
 * envelope_open - append the plain content to out, which is a secret buf.
 *
 * key      RSA, of the recipient
 * fails    ERR_INPUT "the envelope does not open": wrong recipient, wrong padding, altered content, all
 *          alike in text, class and, as far as it lies with us, time; ERR_CRYPTO, ERR_NOMEM
 */
int envelope_open(
    struct lib *l, const struct envelope *v, struct key *key, struct buf *out, struct err *e) MUST;

/* envelope_is_for - does the envelope name this certificate (issuer as name_equal, serial; or key id)? */
bool envelope_is_for(const struct envelope *v, struct view certificate);
#endif
