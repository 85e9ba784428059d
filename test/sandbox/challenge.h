#ifndef SANDBOX_CHALLENGE_H
#define SANDBOX_CHALLENGE_H
#include <openssl/x509.h>
#include "test/sandbox/js.h"
#include "test/sandbox/ledger.h"

/*
 * challenge.h - challenges that devices were given, what each entitles to, what became of it.
 *
 * A challenge is a random text with claims: {"subject":"CN=a,O=b", "san":["dns:...","upn:...",
 * "email:...","uri:...","ip:<hex>"], "ku":["digitalSignature"], "eku":["1.3.6.1.5.5.7.3.2"], "keyBits":2048,
 * "ttl":3600}.  A member that is absent claims nothing.
 */

/* All answers of ScepActions, in Microsoft's order; the number is the argument of the fault. */
#define CODES(X)                                              \
    X(UNKNOWN, "Unknown")                                     \
    X(SUCCESS, "Success")                                     \
    X(DECODING, "CertificateRequestDecodingFailed")           \
    X(MISSING, "ChallengePasswordMissing")                    \
    X(DESERIALIZATION, "ChallengeDeserializationError")       \
    X(DECRYPTION, "ChallengeDecryptionError")                 \
    X(CHALLENGE_DECODING, "ChallengeDecodingError")           \
    X(TIMESTAMP, "ChallengeInvalidTimestamp")                 \
    X(CHALLENGE_EXPIRED, "ChallengeExpired")                  \
    X(SUBJECT_MISSING, "SubjectNameMissing")                  \
    X(SUBJECT_MISMATCH, "SubjectNameMismatch")                \
    X(SAN_MISSING, "SubjectAltNameMissing")                   \
    X(SAN_MISMATCH, "SubjectAltNameMismatch")                 \
    X(KU_MISMATCH, "KeyUsageMismatch")                        \
    X(LENGTH_MISMATCH, "KeyLengthMismatch")                   \
    X(EKU_MISSING, "EnhancedKeyUsageMissing")                 \
    X(EKU_MISMATCH, "EnhancedKeyUsageMismatch")               \
    X(AAD_LIST, "AadKeyIdentifierListMissing")                \
    X(REGISTERED_KEY, "RegisteredKeyMismatch")                \
    X(THUMBPRINT, "SigningCertThumbprintMismatch")            \
    X(NOT_TARGETED, "ScepProfileNoLongerTargetedToTheClient") \
    X(SIGNATURE, "SignatureValidationFailed")                 \
    X(BAD_REQUEST_ID, "BadCertificateRequestIdInChallenge")   \
    X(BAD_DEVICE_ID, "BadDeviceIdInChallenge")                \
    X(BAD_USER_ID, "BadUserIdInChallenge")

enum code {
    CODE_NONE,
#define X(id, text) CODE_##id,
    CODES(X)
#undef X
        CODE_COUNT
};
const char *code_name(enum code c);
bool code_find(const char *name, int64_t *number);

enum { CHALLENGE_SHA256 = 32 };

struct challenge {
    unsigned id;
    char text[65];
    struct json_object *claims;
    int64_t expires_at;
    char *transaction; /* of the request that was validated, or NULL */
    unsigned char csr_sha256[CHALLENGE_SHA256];
    enum { CHALLENGE_NEW, CHALLENGE_VALIDATED, CHALLENGE_ISSUED, CHALLENGE_FAILED } state;
};
/* challenge_new - takes over claims.  NULL: they cannot be understood (and are still the caller's) */
struct challenge *challenge_new(unsigned id, struct json_object *claims);
void challenge_free(struct challenge *c);

/* challenge_password - of a request, as UTF-8; false: none, or several. */
bool challenge_password(X509_REQ *req, struct str *out);
/* challenge_judge - the request against the claims; CODE_SUCCESS when it is what was asked for. */
enum code challenge_judge(const struct challenge *c, X509_REQ *req);
#endif
