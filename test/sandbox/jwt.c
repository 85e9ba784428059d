/* see jwt.h */
#include "test/sandbox/jwt.h"
#include "test/sandbox/clock.h"
#include "test/sandbox/jws.h"
#include <string.h>

enum { LIFE_MAX_S = 600, SKEW_S = 60 };

static bool is(struct json_object *o, const char *name, const char *want)
{
    const char *have = js_text(o, name);

    return have != NULL && strcmp(have, want) == 0;
}

static const char *check_header(const struct jws *j, const struct jwt_rule *r)
{
    if (!is(j->header, "alg", "PS256") && !r->any_alg)
        return "AADSTS5002727: alg is not PS256";
    if (!is(j->header, "typ", "JWT"))
        return "AADSTS50027: typ is not JWT";
    if (!jws_names(j, r->registered))
        return "AADSTS700027: x5t#S256 or x5t is no registered certificate";
    return NULL;
}

static const char *check_times(struct json_object *p)
{
    int64_t nbf = 0, exp = 0, iat = 0, now = wall_s();

    if (!js_int(p, "nbf", &nbf) || !js_int(p, "exp", &exp) || !js_int(p, "iat", &iat))
        return "AADSTS50027: nbf, exp and iat are whole numbers";
    if (nbf > now + SKEW_S || iat > now + SKEW_S)
        return "AADSTS700024: not valid yet";
    if (exp <= now)
        return "AADSTS700024: expired";
    if (exp - nbf > LIFE_MAX_S || exp - nbf < 60)
        return "AADSTS700024: valid for too long, or too short";
    return NULL;
}

static const char *check_payload(struct json_object *p, const struct jwt_rule *r)
{
    const char *why, *jti = js_text(p, "jti");

    if (!is(p, "aud", r->audience))
        return "AADSTS50027: aud is not this endpoint";
    if (!is(p, "iss", r->client) || !is(p, "sub", r->client))
        return "AADSTS700021: iss and sub are not the client";
    if ((why = check_times(p)) != NULL)
        return why;
    if (jti == NULL || !guid_ok(jti))
        return "AADSTS50027: jti is no GUID";
    if (!r->once(r->arg, jti))
        return "AADSTS50027: this jti was here before";
    return NULL;
}

const char *jwt_check(const struct jwt_rule *r, const char *jwt)
{
    const char *why;
    struct jws j;

    if (!jws_read(jwt, &j))
        return "AADSTS50027: not a signed JWT";
    why = check_header(&j, r);
    if (why == NULL && !jws_good(&j, X509_get0_pubkey(r->registered)))
        why = "AADSTS700027: the signature is wrong";
    if (why == NULL)
        why = check_payload(j.payload, r);
    jws_free(&j);
    return why;
}
