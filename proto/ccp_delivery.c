/* see ccp_parts.h: how the certificate travels to the device */
#include "proto/ccp_parts.h"
#include "certs/cert.h"
#include <string.h>

enum { RECIPIENTS_MAX = 10, CERTIFICATE_MAX = 16 << 10 };

/* Only that it is a certificate: whether its key is fit to encrypt to, cms.h says. */
static int add_recipient(const struct json *recipient, struct buf *out, struct err *e)
{
    struct buf der = BUF_INIT(CERTIFICATE_MAX);
    struct cert c;
    int rc = -1;

    if (json_base64(recipient, "certificate", true, &der, e) != 0)
        goto done;
    if (cert_parse(buf_view(&der), &c, e) != 0) {
        e->cls = ERR_INPUT;
        err_wrap(e, "certificate");
        goto done;
    }
    buf_add_view(out, buf_view(&der));
    rc = buf_check(out, e);
done:
    buf_free(&der);
    return rc;
}

static int read_recipients(const struct json *delivery, struct ccp_item *out, struct err *e)
{
    const struct json *list = NULL;

    if (part_array(delivery, "recipients", true, RECIPIENTS_MAX, &list, e) != 0)
        return -1;
    if (json_count(list) == 0)
        return err_set(e, ERR_INPUT, "recipients: none, so nobody could open the file");
    for (size_t i = 0; i < json_count(list); i++) {
        if (add_recipient(json_at(list, i), &out->recipients, e) != 0)
            return err_wrap(e, "recipients[%zu]", i);
        out->recipient_count++;
    }
    return 0;
}

int part_delivery(const struct json *delivery, struct ccp_item *out, struct err *e)
{
    static const char *const modes[] = { "passwordToDevice", "blobToDevice", NULL };
    static const char *const contents[] = { "aes256-cbc", "aes256-gcm", "des-ede3-cbc", NULL };
    static const enum cms_content content_of[] = { CMS_AES256_CBC, CMS_AES256_GCM, CMS_DES3_CBC };
    static const char *const transports[] = { "rsaOaepSha256", "rsaPkcs1", NULL };
    static const enum cms_transport transport_of[] = { CMS_RSA_OAEP_SHA256, CMS_RSA_PKCS1 };
    static const char *const profiles[] = { "auto", "modern", "compat", NULL };
    int mode = 0, content = 0, transport = 0, profile = 0;

    if (part_choice(delivery, "mode", true, modes, &mode, e) != 0
        || part_choice(delivery, "contentEncryption", false, contents, &content, e) != 0
        || part_choice(delivery, "keyTransport", false, transports, &transport, e) != 0
        || part_choice(delivery, "pfxProfile", false, profiles, &profile, e) != 0
        || json_bool(delivery, "escrow", false, &out->escrow, e) != 0)
        return -1;
    out->blob_to_device = mode == 1;
    out->content = content_of[content];
    out->transport = transport_of[transport];
    memcpy(out->pfx_profile, profiles[profile], strlen(profiles[profile]) + 1);
    return read_recipients(delivery, out, e);
}
