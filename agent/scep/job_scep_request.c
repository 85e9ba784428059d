/* see job_scep_inner.h.  BLOB_ITEM, and the request as a plugin sees it. */
#include <stdio.h>
#include <string.h>
#include "agent/scep/job_scep_inner.h"
#include "proto/json.h"

enum { ITEM_MAX = 4096, TEXTS_MAX = 64 << 10 };

/* ---- BLOB_ITEM ------------------------------------------------------------------------------------------ */

void scep_item_write(struct buf *out, const struct scep_item *i)
{
    struct json_out o = { .to = out };

    json_open(&o, NULL, '{');
    json_put_int(&o, "v", 1);
    json_put_text(&o, "endpoint", i->endpoint);
    json_put_text(&o, "transaction", i->transaction);
    json_put_text(&o, "remote", i->remote);
    json_put_text(&o, "challenge", i->challenge);
    json_put_bool(&o, "renewal", i->renewal);
    json_put_text(&o, "hash", i->hash);
    json_put_bool(&o, "ec", i->ec);
    json_put_int(&o, "bits", i->key_bits);
    json_close(&o, '}');
}

int scep_item_parse(struct view text, struct scep_item *i, struct err *e)
{
    struct json *root = json_parse(text, ITEM_MAX, e);
    const struct {
        const char *name;
        char *to;
        size_t size;
    } texts[] = { { "endpoint", i->endpoint, sizeof i->endpoint },
        { "transaction", i->transaction, sizeof i->transaction },
        { "remote", i->remote, sizeof i->remote },
        { "challenge", i->challenge, sizeof i->challenge }, { "hash", i->hash, sizeof i->hash } };
    int rc = -1;

    if (root == NULL)
        return -1;
    for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++) {
        const char *value = NULL;

        if (json_text(root, texts[n].name, true, texts[n].size - 1, &value, e) != 0)
            goto done;
        (void)snprintf(texts[n].to, texts[n].size, "%s", value);
    }
    if (json_bool(root, "renewal", true, &i->renewal, e) == 0
        && json_bool(root, "ec", true, &i->ec, e) == 0
        && json_int(root, "bits", true, 0, 65536, &i->key_bits, e) == 0)
        rc = 0;
done:
    json_free(root);
    return rc;
}

/* ---- as a plugin sees it ---------------------------------------------------------------------------------- */

static enum digest digest_named(const char *name)
{
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++)
        if (strcmp(digest_name(d), name) == 0)
            return d;
    return DIGEST_NONE;
}

static struct certferry_bytes bytes_of(struct view v)
{
    return (struct certferry_bytes){ v.p, v.len };
}

/* Texts are appended first, their addresses taken when the buffer no longer grows. */
static int list_texts(struct scep *c, size_t *sans, size_t *ekus, struct err *e)
{
    const char *at;

    for (*sans = 0; *sans < CSR_SANS_MAX && csr_san_at(&c->csr, *sans, &c->texts); (*sans)++)
        buf_add_byte(&c->texts, 0);
    for (*ekus = 0; *ekus < CSR_EKUS_MAX && csr_eku_at(&c->csr, *ekus, &c->texts); (*ekus)++)
        buf_add_byte(&c->texts, 0);
    name_text(c->csr.subject, &c->texts);
    buf_add_byte(&c->texts, 0);
    buf_add_view(&c->texts, buf_view(&c->csr.challenge));
    buf_add_byte(&c->texts, 0);
    if (buf_check(&c->texts, e) != 0)
        return -1;
    at = buf_text(&c->texts);
    for (size_t i = 0; i < *sans; i++, at += strlen(at) + 1)
        c->sans[i] = at;
    for (size_t i = 0; i < *ekus; i++, at += strlen(at) + 1)
        c->ekus[i] = at;
    c->seen.subject = at;
    at += strlen(at) + 1;
    c->seen.challenge = c->csr.has_challenge ? at : NULL;
    return 0;
}

int scep_see(struct job *j, struct scep *c, struct err *e)
{
    size_t sans, ekus;
    unsigned usage = 0;

    c->texts = (struct buf)BUF_SECRET(TEXTS_MAX); /* the challenge is among them */
    if (csr_parse(buf_view(&j->blob[BLOB_CSR]), &c->csr, e) != 0
        || csr_key_usage(&c->csr, &usage, e) != 0)
        return -1;
    c->csr.hash = digest_named(c->item.hash);
    c->csr.ec = c->item.ec;
    c->csr.key_bits = (size_t)c->item.key_bits;
    c->seen = (struct certferry_request){ .size = sizeof c->seen,
        .endpoint = c->item.endpoint,
        .ca = j->r.ca,
        .template_name = j->r.template_name,
        .transaction_id = c->item.transaction,
        .remote_address = c->item.remote,
        .pkcs10 = bytes_of(buf_view(&j->blob[BLOB_CSR])),
        .spki = bytes_of(c->csr.spki),
        .sans = c->sans,
        .ekus = c->ekus,
        .key_usage = usage,
        .key_type = c->item.ec ? "ec" : "rsa",
        .key_bits = (unsigned)c->item.key_bits,
        .hash = c->item.hash };
    if (c->item.renewal)
        c->seen.signing_cert = bytes_of(buf_view(&j->blob[BLOB_SIGNER]));
    if (list_texts(c, &sans, &ekus, e) != 0)
        return -1;
    c->seen.san_count = sans;
    c->seen.eku_count = ekus;
    return 0;
}
