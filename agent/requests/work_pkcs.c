/* see work_pkcs.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/requests/work_pkcs.h"
#include "certs/chain.h"
#include "certs/check.h"
#include "certs/cms.h"
#include "certs/csr.h"
#include "certs/der.h"
#include "certs/mem.h"
#include "certs/p12.h"
#include "certs/text.h"
#include "proto/ccp.h"

enum { PART_MAX = 1 << 20, SKEW_S = 300 };

static struct work_pkcs *self(struct io_work *w)
{
    return (struct work_pkcs *)w;
}

static void work_free(struct io_work *base)
{
    struct work_pkcs *w = self(base);
    struct buf *const bufs[] = { &w->item, &w->data_key, &w->key, &w->csr, &w->chain, &w->issuers,
        &w->anchors, &w->result };

    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        buf_free(bufs[i]);
    key_free(w->from_pool);
    vault_close(&w->vault);
    free(w);
}

struct work_pkcs *work_pkcs_new(const char *id, const struct vault *v, struct view item,
    int (*run)(struct lib *l, struct io_work *w, struct err *e))
{
    struct work_pkcs *w = xcalloc(1, sizeof *w);
    struct buf *const bufs[] = { &w->item, &w->data_key, &w->key, &w->csr, &w->chain, &w->issuers,
        &w->anchors, &w->result };

    w->work = (struct io_work){ .run = run, .free = work_free };
    (void)snprintf(w->id, sizeof w->id, "%s", id);
    w->vault = *v;
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        *bufs[i] = (struct buf)BUF_INIT(PART_MAX);
    buf_add_view(&w->item, item);
    return w;
}

int work_pkcs_key(struct lib *l, struct io_work *base, struct err *e)
{
    struct work_pkcs *w = self(base);
    struct key *k = w->from_pool;
    int rc;

    if (k == NULL && (k = key_new(l, w->key_type, w->keygen, e)) == NULL)
        return -1;
    rc = vault_seal_new(&w->vault, l, w->id, "key", key_pkcs8(k), &w->data_key, &w->key, e);
    key_free(k);
    w->from_pool = NULL;
    return rc;
}

/* ---- csr ------------------------------------------------------------------------------------------------ */

int work_pkcs_csr(struct lib *l, struct io_work *base, struct err *e)
{
    struct work_pkcs *w = self(base);
    struct ccp_item item = { 0 };
    struct buf pkcs8 = BUF_SECRET(16384);
    struct key *k = NULL;
    int rc = -1;

    if (ccp_item_parse(buf_view(&w->item), &item, e) != 0
        || vault_unseal(
               &w->vault, l, w->id, "key", buf_view(&w->data_key), buf_view(&w->key), &pkcs8, e)
               != 0
        || (k = key_parse(l, buf_view(&pkcs8), e)) == NULL)
        goto done;
    item.template.in_csr_v1 = w->template_name;
    item.template.in_csr_pair = w->template_pair;
    rc = csr_build(l, &item.template, k, &w->csr, e);
done:
    key_free(k);
    buf_free(&pkcs8);
    ccp_item_free(&item);
    return rc;
}

/* ---- wrap: check the certificate, make the file, encrypt it to the device, write the result ---------------- */

struct wrap {
    struct work_pkcs *w;
    struct ccp_item item;
    struct buf path; /* leaf first, DER */
    struct buf pkcs8, pfx, password_cms, blob_cms, secret;
    char password[P12_PASSWORD_LEN + 1];
    enum p12_profile profile;
};

static int check(struct lib *l, struct wrap *x, struct err *e)
{
    struct work_pkcs *w = x->w;
    const struct check_policy policy = { .anchors = buf_view(&w->anchors),
        .now = w->now,
        .skew_s = SKEW_S,
        .validity_max_s = w->validity_max_s,
        .subject_by_ca = w->subject_by_ca };
    struct view spki;

    if (csr_spki(buf_view(&w->csr), &spki, e) != 0)
        return -1;
    /* What the CA sent with the certificate comes first, then what it is known to send. */
    buf_add_view(&w->chain, buf_view(&w->issuers));
    buf_add_view(&w->chain, buf_view(&w->anchors));
    if (buf_check(&w->chain, e) != 0 || chain_order(buf_view(&w->chain), spki, &x->path, e) != 0)
        return -1;
    return check_issued(l, &x->item.template, spki, buf_view(&x->path), &policy, e);
}

static const char *provider_of(const struct ccp_item *item)
{
    static const char software[] = "Microsoft Software Key Storage Provider";

    if (strcmp(item->platform, "windows10AndLater") != 0)
        return NULL;
    if (item->key_storage_provider != NULL
        && strcmp(item->key_storage_provider, "useTpmKspOtherwiseFail") == 0)
        return "Microsoft Platform Crypto Provider";
    if (item->key_storage_provider != NULL
        && strcmp(item->key_storage_provider, "usePassportForWorkKspOtherwiseFail") == 0)
        return "Microsoft Passport Key Storage Provider";
    return software;
}

static int make_file(struct lib *l, struct wrap *x, struct err *e)
{
    struct work_pkcs *w = x->w;
    struct p12_spec spec = { .iterations = w->iterations,
        .password = x->password,
        .chain = buf_view(&x->path),
        .include_root = w->include_root,
        .friendly_name = x->item.friendly_name,
        .provider_name = provider_of(&x->item),
        .machine_keyset = x->item.machine_store };

    spec.profile = p12_profile_for(x->item.pfx_profile, x->item.platform, &w->platform_guessed);
    x->profile = spec.profile;
    if (spec.profile == P12_NONE)
        return err_set(e, ERR_UNSUPPORTED, "pfxProfile \"%s\" is unknown", x->item.pfx_profile);
    if (vault_unseal(
            &w->vault, l, w->id, "key", buf_view(&w->data_key), buf_view(&w->key), &x->pkcs8, e)
            != 0
        || p12_password(l, x->password, e) != 0)
        return -1;
    spec.pkcs8 = buf_view(&x->pkcs8);
    return p12_build(l, &spec, &x->pfx, e);
}

/*
 * passwordToDevice: the file as it is, its password encrypted.
 * blobToDevice: one envelope around SEQUENCE { password UTF8String, pfx OCTET STRING }.
 */
static int encrypt(struct lib *l, struct wrap *x, struct view recipient, struct err *e)
{
    const struct ccp_item *item = &x->item;
    size_t mark;

    if (!item->blob_to_device)
        return cms_envelope(l, recipient, item->content, item->transport, view_text(x->password),
            &x->password_cms, e);
    mark = der_open(&x->secret, DER_SEQUENCE);
    der_tlv(&x->secret, DER_UTF8, view_text(x->password));
    der_tlv(&x->secret, DER_OCTET_STRING, buf_view(&x->pfx));
    der_close(&x->secret, mark);
    if (buf_check(&x->secret, e) != 0)
        return -1;
    return cms_envelope(
        l, recipient, item->content, item->transport, buf_view(&x->secret), &x->blob_cms, e);
}

static int write_result(struct lib *l, struct wrap *x, struct view recipient, struct err *e)
{
    struct work_pkcs *w = x->w;
    struct buf thumb = BUF_INIT(64), recipient_thumb = BUF_INIT(64), serial = BUF_INIT(64),
               issuer = BUF_INIT(512);
    struct view rest = buf_view(&x->path), leaf;
    struct cert c;
    uint8_t hash[32];
    int rc = -1;

    if (chain_next(&rest, &leaf, e) != 1 || cert_parse(leaf, &c, e) != 0
        || cert_thumbprint(l, leaf, &thumb, e) != 0
        || cert_thumbprint(l, recipient, &recipient_thumb, e) != 0)
        goto done;
    cert_serial_hex(&c, &serial);
    name_text(c.issuer, &issuer);
    ccp_result_write(
        &w->result, &(struct ccp_result){ .head = &x->item.head,
                        .context = x->item.context,
                        .issuance_state = "issued",
                        .activity_id = w->activity,
                        .chain = buf_view(&x->path),
                        .thumbprint = buf_text(&thumb),
                        .serial = buf_text(&serial),
                        .not_after_at = c.not_after_at,
                        .ca = w->ca,
                        .issuing_ca = buf_text(&issuer),
                        .pfx = x->item.blob_to_device ? buf_view(&x->blob_cms) : buf_view(&x->pfx),
                        .pfx_password = buf_view(&x->password_cms),
                        .recipient_thumbprint = buf_text(&recipient_thumb),
                        .profile = x->profile == P12_MODERN ? "modern" : "compat" });
    if (buf_check(&w->result, e) != 0 || lib_sha256(l, buf_view(&w->result), hash, e) != 0)
        goto done;
    (void)snprintf(w->serial, sizeof w->serial, "%s", buf_text(&serial));
    buf_reset(&issuer);
    hex_add(&issuer, view_of(hash, sizeof hash));
    (void)snprintf(w->digest, sizeof w->digest, "%s", buf_text(&issuer));
    rc = 0;
done:
    buf_free(&thumb);
    buf_free(&recipient_thumb);
    buf_free(&serial);
    buf_free(&issuer);
    return rc;
}

int work_pkcs_wrap(struct lib *l, struct io_work *base, struct err *e)
{
    struct wrap x = { .w = self(base),
        .path = BUF_INIT(PART_MAX),
        .pkcs8 = BUF_SECRET(16384),
        .pfx = BUF_INIT(PART_MAX),
        .password_cms = BUF_INIT(PART_MAX),
        .blob_cms = BUF_INIT(PART_MAX),
        .secret = BUF_SECRET(PART_MAX) };
    struct view recipients, recipient;
    int rc = -1;

    if (ccp_item_parse(buf_view(&x.w->item), &x.item, e) != 0 || check(l, &x, e) != 0)
        goto done;
    recipients = buf_view(&x.item.recipients);
    if (chain_next(&recipients, &recipient, e) != 1)
        goto done;
    if (make_file(l, &x, e) == 0 && encrypt(l, &x, recipient, e) == 0)
        rc = write_result(l, &x, recipient, e);
done:
    mem_wipe(x.password, sizeof x.password);
    buf_free(&x.path);
    buf_free(&x.pkcs8);
    buf_free(&x.pfx);
    buf_free(&x.password_cms);
    buf_free(&x.blob_cms);
    buf_free(&x.secret);
    ccp_item_free(&x.item);
    return rc;
}
