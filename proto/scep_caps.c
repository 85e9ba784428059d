/* see scep.h: capabilities (RFC 8894 3.5) */
#include "proto/scep.h"
#include <string.h>
#include <strings.h>

void scep_caps_write(struct buf *out, const struct scep_caps *c)
{
    const struct {
        bool said;
        const char *keyword;
    } rows[] = {
        { !c->ndes, "AES" },
        { true, "POSTPKIOperation" },
        { c->renewal, "Renewal" },
        { c->next_ca, "GetNextCACert" },
        { true, "SHA-512" },
        { !c->ndes, "SHA-384" },
        { true, "SHA-256" },
        { c->sha1, "SHA-1" },
        { c->des3, "DES3" },
        { !c->ndes, "SCEPStandard" },
    };
    const char *between = "";

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].said)
            continue;
        buf_add_text(out, between);
        buf_add_text(out, rows[i].keyword);
        between = "\n";
    }
}

static bool says(struct view body, const char *keyword)
{
    size_t at = 0;

    while (at < body.len) {
        size_t start, len;

        while (at < body.len && body.p[at] <= ' ')
            at++;
        for (start = at; at < body.len && body.p[at] != '\r' && body.p[at] != '\n';)
            at++;
        for (len = at - start; len != 0 && body.p[start + len - 1] <= ' ';)
            len--;
        if (len == strlen(keyword) && strncasecmp((const char *)body.p + start, keyword, len) == 0)
            return true;
    }
    return false;
}

bool scep_caps_have(struct view body, const char *keyword)
{
    static const char *const standard[] = { "AES", "POSTPKIOperation", "SHA-256" };

    for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++)
        if (strcasecmp(keyword, standard[i]) == 0 && says(body, "SCEPStandard"))
            return true;
    return says(body, keyword);
}
