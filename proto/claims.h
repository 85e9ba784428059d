#ifndef PROTO_CLAIMS_H
#define PROTO_CLAIMS_H
#include "certs/csr_check.h"

/*
 * claims.h - what a challenge entitles to, as a plugin answers it or a policy cloud signs it: JSON.
 *
 *   {"v":1, "jti":"...", "aud":"connector:2b7c", "iat":1767225600, "exp":1767229200,
 *    "profile":"wifi-user", "template":"ContosoUser",
 *    "subject":"CN=alice", "san":{"upn":["alice@contoso.example"],"dns":[],"email":[],"uri":[],"ip":[]},
 *    "sid":"S-1-5-21-...", "ku":["digitalSignature","keyEncipherment"], "eku":["1.3.6.1.5.5.7.3.2"],
 *    "key":{"alg":"RSA","bits":2048}, "hash":"sha256"}
 *
 * All members are optional; one that is unknown is refused, for it may be a restriction we do not know.
 * "device", "user", "validity" are known, may be anything and are not kept.  An empty list claims nothing, but "san"
 * with nothing in it that there are none, and "subject":"" that it is empty.  null is the same as absent.
 * subject is read as name.h's subject formats are, without variables; key is RSA 2048, 3072, 4096 or EC 256, 384, 521.
 * A SID claimed as a URI tag:microsoft.com,2022-09-14:sid: is the same as "sid", and then has to be in that form.
 */
struct claims {
    struct csr_claims csr;
    char *profile, *template_name, *audience, *id; /* NULL = not claimed */
    int64_t issued_at, expires_at;                 /* 0 = not claimed */
};
/* claims_parse - at most 64 KiB.  fails ERR_PROTO, ERR_INPUT, ERR_TOO_LARGE, ERR_NOMEM */
int claims_parse(struct view json, struct claims *c, struct err *e) MUST;
void claims_free(struct claims *c);

/* claims_check - time (skew 300 s), template (without regard to case) and profile; whether "aud" means us is for
 * the caller to say.  The request itself is csr_check_claims'.
 * fails ERR_EXPIRED, ERR_MISMATCH */
int claims_check(const struct claims *c, const char *template_name, const char *endpoint,
    int64_t now, struct err *e) MUST;
#endif
