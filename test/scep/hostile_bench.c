/* see hostile.h: the service, the sandbox behind it, keys, challenges */
#include "test/scep/hostile.h"
#include "test/sandbox/commands.h"
#include "test/sandbox/js.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool load(const char *dir, const char *name, const char *end, struct str *path)
{
    str_cut(path, 0);
    str_f(path, "%s/%s.%s", dir, name, end);
    return true;
}

static bool open_sandbox(struct bench *b)
{
    struct str path = { 0 };
    bool ok = load(b->sandbox, "issuing-ca", "pem", &path) && cert_load(path.p, &b->ca)
              && load(b->sandbox, "issuing-ca", "key", &path) && key_load(path.p, &b->ca_key)
              && load(b->sandbox, "scep-sign", "key", &path) && key_load(path.p, &b->agent_key);

    if (!ok)
        str_f(&b->why, "%s: not readable", path.p);
    str_free(&path);
    return ok;
}

bool bench_open(struct bench *b, const char *url, const char *renew_url)
{
    unsigned char r[4];

    need(RAND_bytes(r, sizeof r) == 1 ? r : NULL);
    snprintf(b->run, sizeof b->run, "%02x%02x%02x%02x", r[0], r[1], r[2], r[3]);
    if (!target_read(url, &b->to)
        || !target_read(renew_url == NULL ? url : renew_url, &b->renew_to)) {
        str_puts(&b->why, "not a URL");
        return false;
    }
    return (b->sandbox == NULL || open_sandbox(b))
           && ra_fetch(temper_find("windows"), &b->to, &b->ra, &b->why);
}

void bench_close(struct bench *b)
{
    ra_free(&b->ra);
    for (size_t i = 0; i < b->keys; i++)
        EVP_PKEY_free(b->key[i].key);
    X509_free(b->ca);
    EVP_PKEY_free(b->ca_key);
    EVP_PKEY_free(b->agent_key);
    X509_free(b->held);
    str_free(&b->used);
    str_free(&b->why);
}

EVP_PKEY *bench_key(struct bench *b, const char *name)
{
    static const char *const kinds[] = { "rsa1024", "rsa3072", "rsa4096", "p256", "p384" };
    const char *kind = "rsa2048";

    for (size_t i = 0; i < b->keys; i++) {
        if (strcmp(b->key[i].name, name) == 0)
            return b->key[i].key;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        kind = strcmp(kinds[i], name) == 0 ? kinds[i] : kind;
    need(b->keys < 16 ? b : NULL);
    copy_n(b->key[b->keys].name, sizeof b->key[0].name, name);
    b->key[b->keys].key = key_make(kind);
    return b->key[b->keys++].key;
}

void bench_new_cn(struct bench *b, char cn[48])
{
    snprintf(cn, 48, "h-%s-%u", b->run, b->number++);
}

/* What the challenge of a case entitles to; rows_request.c changes one of these at a time. */
static void claims(const char *cn, int ttl_s, struct str *out)
{
    str_f(out,
        "{\"subject\":\"CN=%s,O=Contoso\",\"san\":[\"dns:%s.contoso.example\","
        "\"email:%s@contoso.example\",\"upn:%s@contoso.example\",\"uri:urn:device:%s\"],"
        "\"ku\":[\"digitalSignature\",\"keyEncipherment\"],\"eku\":[\"1.3.6.1.5.5.7.3.2\"],"
        "\"keyBits\":2048,\"ttl\":%d}",
        cn, cn, cn, cn, cn, ttl_s);
}

static bool from_sandbox(struct bench *b, const char *cn, int ttl_s, struct str *out)
{
    struct str body = { 0 };
    char why[DIR_WHY] = "";
    int status = 0;
    bool ok;

    claims(cn, ttl_s, &body);
    ok = tls_ask(b->sandbox, "POST", "/sandbox/scep-challenge", &body, &status, out, why)
         && status == 200;
    if (!ok)
        str_f(&b->why, "no challenge: HTTP %d %s", status, why);
    str_free(&body);
    return ok;
}

static bool from_file(struct bench *b, struct str *out)
{
    char why[DIR_WHY];
    bool ok = b->challenge_file != NULL && file_read(b->challenge_file, out, why);

    if (ok)
        str_cut(out, strcspn(str_text(out), "\r\n"));
    else
        str_puts(&b->why, "no challenge: neither --sandbox nor a readable --challenge-file");
    return ok;
}

bool bench_challenge(struct bench *b, enum challenge_kind k, const char *cn, struct str *out)
{
    switch (k) {
    case NONE:
        return true;
    case WRONG:
        str_puts(out, "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF");
        return true;
    case USED:
        str_puts(out, str_text(&b->used));
        return true;
    case SOMEBODY_ELSES:
        return b->sandbox != NULL ? from_sandbox(b, "somebody-else", 3600, out) : from_file(b, out);
    default:
        return b->sandbox != NULL ? from_sandbox(b, cn, k == OVERDUE ? -1 : 3600, out)
                                  : from_file(b, out);
    }
}

bool bench_submitted(struct bench *b, int64_t *out)
{
    struct str body = { 0 };
    char why[DIR_WHY] = "";
    struct json_object *o = NULL;
    int status = 0;
    bool ok = b->sandbox != NULL
              && tls_ask(b->sandbox, "GET", "/sandbox/summary", NULL, &status, &body, why)
              && (o = js_parse(str_text(&body), body.len, why, sizeof why)) != NULL
              && js_int(o, "submitted", out);

    js_free(o);
    str_free(&body);
    return ok;
}

bool bench_first(struct bench *b)
{
    static const struct row plain = { .name = "the first", .key = "held" };
    struct made m = { .key = NULL };
    struct certrep rep = { 0 };
    bool ok = make_case(b, &plain, &m);

    ok = ok && post_case(b, &m, &rep) == OK;
    if (ok) {
        b->held = rep.first;
        X509_up_ref(b->held);
        b->held_key = m.key;
        copy_n(b->held_cn, sizeof b->held_cn, m.cn);
    }
    certrep_free(&rep);
    made_free(&m);
    return ok;
}
