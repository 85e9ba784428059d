/* see claims.h */
#include "proto/claims.h"
#include "certs/mem.h"
#include "certs/text.h"
#include "proto/json.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    JSON_MAX = 64 << 10,
    TEXT_MAX = 256,     /* bytes of a short text */
    VALUE_MAX = 2048,   /* bytes of a name */
    SUBJECT_MAX = 8192, /* bytes */
    USAGES_MAX = 16,
    SKEW_S = 300
};
static const int64_t AT_MAX = 253402300799; /* end of the year 9999 */

#define SID_TAG "tag:microsoft.com,2022-09-14:sid:"

/* ---- parts ---- */

/* A restriction that we do not know would not be kept: nothing unknown is let pass, not even null. */
static int check_members(const struct json *object, const char *const *known, struct err *e)
{
    const struct json *v;
    const char *name;
    size_t state = 0, i;

    while (json_next_member(object, &state, &name, &v)) {
        for (i = 0; known[i] != NULL && strcmp(known[i], name) != 0;)
            i++;
        if (known[i] == NULL)
            return err_set(e, ERR_INPUT, "\"%.60s\" is not a member we know", name);
    }
    return 0;
}

static int check_text(const char *name, const char *text, struct err *e)
{
    if (text[0] == '\0')
        return err_set(e, ERR_INPUT, "%s: empty", name);
    if (text_has_control(view_text(text)))
        return err_set(e, ERR_INPUT, "%s: a control character", name);
    return 0;
}

static int read_copy(const struct json *object, const char *name, char **out, struct err *e)
{
    const char *text = NULL;

    if (json_text(object, name, false, TEXT_MAX, &text, e) != 0)
        return -1;
    if (text == NULL)
        return 0;
    if (check_text(name, text, e) != 0)
        return -1;
    *out = xstrdup(text);
    return 0;
}

/* The member if it is there and an array of at most `max` strings; *out stays NULL without one. */
static int read_list(
    const struct json *object, const char *name, size_t max, const struct json **out, struct err *e)
{
    const struct json *list = json_get(object, name);

    if (list == NULL)
        return 0;
    if (!json_is_array(list))
        return err_set(e, ERR_PROTO, "%s: not an array", name);
    if (json_count(list) > max)
        return err_set(
            e, ERR_INPUT, "%s: %zu elements, at most %zu are taken", name, json_count(list), max);
    for (size_t i = 0; i < json_count(list); i++)
        if (json_string(json_at(list, i)) == NULL)
            return err_set(e, ERR_PROTO, "%s[%zu]: not a string", name, i);
    *out = list;
    return 0;
}

/* ---- names ---- */

static int read_subject(const struct json *root, struct csr_claims *k, struct err *e)
{
    const char *text = NULL;

    if (json_text(root, "subject", false, SUBJECT_MAX, &text, e) != 0)
        return -1;
    if (text == NULL)
        return 0;
    k->has_subject = true;
    if (name_parse(&k->t.subject, text, NULL, 0, e) == 0)
        return 0;
    if (e->cls == ERR_VARIABLE) /* there are none here */
        e->cls = ERR_INPUT;
    return err_wrap(e, "subject");
}

/* A SID may stand among the URIs, as it will in the request; it is the same claim as "sid". */
static int add_sid_uri(const char *uri, struct template *t, struct err *e)
{
    const char *sid = uri + sizeof SID_TAG - 1;

    if (t->sid != NULL && strcmp(t->sid, sid) != 0)
        return err_set(e, ERR_INPUT, "the SID %.80s, but \"sid\" is %.80s", sid, t->sid);
    return template_set_sid(t, sid, SID_URI, e);
}

static int add_sans(
    const struct json *san, const char *name, enum san_type type, struct template *t, struct err *e)
{
    const struct json *list = NULL;

    if (read_list(san, name, CSR_SANS_MAX, &list, e) != 0)
        return err_wrap(e, "san");
    for (size_t i = 0; i < json_count(list); i++) {
        const char *value = json_string(json_at(list, i));
        bool sid = type == SAN_URI && strncmp(value, SID_TAG, sizeof SID_TAG - 1) == 0;

        if ((sid ? add_sid_uri(value, t, e) : template_add_san(t, type, value, e)) != 0)
            return err_wrap(e, "san.%s[%zu]", name, i);
    }
    return 0;
}

static int read_sans(const struct json *root, struct csr_claims *k, struct err *e)
{
    static const char *const kinds[] = { "upn", "dns", "email", "uri", "ip", NULL };
    static const enum san_type types[] = { SAN_UPN, SAN_DNS, SAN_EMAIL, SAN_URI, SAN_IP };
    const struct json *san = json_get(root, "san");

    if (san == NULL)
        return 0;
    if (!json_is_object(san))
        return err_set(e, ERR_PROTO, "san: not an object");
    if (check_members(san, kinds, e) != 0)
        return err_wrap(e, "san");
    k->has_sans = true;
    for (size_t i = 0; kinds[i] != NULL; i++)
        if (add_sans(san, kinds[i], types[i], &k->t, e) != 0)
            return -1;
    return 0;
}

static int read_sid(const struct json *root, struct csr_claims *k, struct err *e)
{
    const char *sid = NULL;

    if (json_text(root, "sid", false, TEXT_MAX, &sid, e) != 0)
        return -1;
    return sid == NULL ? 0 : template_set_sid(&k->t, sid, SID_NONE, e);
}

/* ---- uses ---- */

static int read_key_usage(const struct json *root, struct template *t, struct err *e)
{
    static const struct {
        const char *name;
        unsigned bit;
    } bits[] = { { "digitalSignature", KU_DIGITAL_SIGNATURE },
        { "nonRepudiation", KU_NON_REPUDIATION }, { "contentCommitment", KU_NON_REPUDIATION },
        { "keyEncipherment", KU_KEY_ENCIPHERMENT }, { "dataEncipherment", KU_DATA_ENCIPHERMENT },
        { "keyAgreement", KU_KEY_AGREEMENT } };
    const struct json *list = NULL;
    size_t k;

    if (read_list(root, "ku", USAGES_MAX, &list, e) != 0)
        return -1;
    for (size_t i = 0; i < json_count(list); i++) {
        const char *name = json_string(json_at(list, i));

        for (k = 0; k < sizeof bits / sizeof *bits && strcmp(bits[k].name, name) != 0;)
            k++;
        if (k == sizeof bits / sizeof *bits)
            return err_set(e, ERR_INPUT, "ku: \"%.60s\" cannot be claimed", name);
        t->key_usage |= bits[k].bit;
    }
    return 0;
}

static int read_ekus(const struct json *root, struct template *t, struct err *e)
{
    const struct json *list = NULL;

    if (read_list(root, "eku", CSR_EKUS_MAX, &list, e) != 0)
        return -1;
    for (size_t i = 0; i < json_count(list); i++)
        if (template_add_eku(t, json_string(json_at(list, i)), e) != 0)
            return err_wrap(e, "eku[%zu]", i);
    return 0;
}

/* ---- key and hash ---- */

static int read_key(const struct json *root, struct template *t, struct err *e)
{
    static const char *const members[] = { "alg", "bits", NULL };
    static const struct {
        const char *alg;
        int64_t bits;
        enum key_type type;
    } keys[] = { { "RSA", 2048, KEY_RSA2048 }, { "RSA", 3072, KEY_RSA3072 },
        { "RSA", 4096, KEY_RSA4096 }, { "EC", 256, KEY_P256 }, { "EC", 384, KEY_P384 },
        { "EC", 521, KEY_P521 } };
    const struct json *key = json_get(root, "key");
    const char *alg = NULL;
    int64_t bits = 0;

    if (key == NULL)
        return 0;
    if (!json_is_object(key))
        return err_set(e, ERR_PROTO, "key: not an object");
    if (check_members(key, members, e) != 0 || json_text(key, "alg", true, TEXT_MAX, &alg, e) != 0
        || json_int(key, "bits", true, 0, 1 << 20, &bits, e) != 0)
        return err_wrap(e, "key");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].alg, alg) == 0 && keys[i].bits == bits) {
            t->key = keys[i].type;
            return 0;
        }
    return err_set(
        e, ERR_INPUT, "key: \"%.40s\" of %lld bits cannot be claimed", alg, (long long)bits);
}

static int read_hash(const struct json *root, struct template *t, struct err *e)
{
    static const char *const names[] = { NULL, "sha256", "sha384", "sha512" };
    const char *text = NULL;

    if (json_text(root, "hash", false, TEXT_MAX, &text, e) != 0)
        return -1;
    if (text == NULL)
        return 0;
    for (int h = HASH_SHA256; h <= HASH_SHA512; h++)
        if (strcmp(names[h], text) == 0) {
            t->hash = (enum hash)h;
            return 0;
        }
    return err_set(e, ERR_INPUT, "hash: \"%.40s\" cannot be claimed", text);
}

/* ---- the whole ---- */

static int read_head(const struct json *root, struct claims *c, struct err *e)
{
    int64_t version = 1;

    if (json_int(root, "v", false, 0, INT64_MAX, &version, e) != 0)
        return -1;
    if (version != 1)
        return err_set(e, ERR_INPUT, "v: %lld, we know 1 only", (long long)version);
    if (json_int(root, "iat", false, 1, AT_MAX, &c->issued_at, e) != 0
        || json_int(root, "exp", false, 1, AT_MAX, &c->expires_at, e) != 0)
        return -1;
    if (c->expires_at != 0 && c->expires_at < c->issued_at)
        return err_set(e, ERR_INPUT, "exp: before iat");
    if (read_copy(root, "jti", &c->id, e) != 0 || read_copy(root, "aud", &c->audience, e) != 0
        || read_copy(root, "profile", &c->profile, e) != 0
        || read_copy(root, "template", &c->template_name, e) != 0)
        return -1;
    return 0;
}

static int read_all(const struct json *root, struct claims *c, struct err *e)
{
    static const char *const members[] = { "v", "jti", "aud", "iat", "exp", "profile", "template",
        "subject", "san", "sid", "ku", "eku", "key", "hash", "device", "user", "validity", NULL };

    if (!json_is_object(root))
        return err_set(e, ERR_PROTO, "not an object");
    if (check_members(root, members, e) != 0 || read_head(root, c, e) != 0
        || read_subject(root, &c->csr, e) != 0 || read_sid(root, &c->csr, e) != 0
        || read_sans(root, &c->csr, e) != 0 || read_key_usage(root, &c->csr.t, e) != 0
        || read_ekus(root, &c->csr.t, e) != 0 || read_key(root, &c->csr.t, e) != 0)
        return -1;
    return read_hash(root, &c->csr.t, e);
}

int claims_parse(struct view json, struct claims *c, struct err *e)
{
    struct json *root = json_parse(json, JSON_MAX, e);
    struct claims read = { 0 };
    int rc = -1;

    if (root == NULL || read_all(root, &read, e) != 0) {
        claims_free(&read);
        err_wrap(e, "claims");
    } else {
        *c = read;
        rc = 0;
    }
    json_free(root);
    return rc;
}

void claims_free(struct claims *c)
{
    template_free(&c->csr.t);
    free(c->profile);
    free(c->template_name);
    free(c->audience);
    free(c->id);
    *c = (struct claims){ 0 };
}

/* ---- time, template, profile ---- */

static int not_for(const char *what, const char *claimed, const char *here, struct err *e)
{
    return err_set(e, ERR_MISMATCH, "%s: the challenge is for \"%.70s\", this is \"%.70s\"", what,
        claimed, here != NULL ? here : "");
}

int claims_check(const struct claims *c, const char *template_name, const char *endpoint,
    int64_t now, struct err *e)
{
    if (c->expires_at != 0 && now - c->expires_at > SKEW_S)
        return err_set(
            e, ERR_EXPIRED, "challenge: expired %lld s ago", (long long)(now - c->expires_at));
    if (c->issued_at - now > SKEW_S)
        return err_set(
            e, ERR_EXPIRED, "challenge: issued %lld s from now", (long long)(c->issued_at - now));
    if (c->template_name != NULL /* CAs compare these without regard to case */
        && (template_name == NULL || strcasecmp(c->template_name, template_name) != 0))
        return not_for("template", c->template_name, template_name, e);
    if (c->profile != NULL && (endpoint == NULL || strcmp(c->profile, endpoint) != 0))
        return not_for("profile", c->profile, endpoint, e);
    return 0;
}
