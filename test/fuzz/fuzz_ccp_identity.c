/* CCP/1: discovery, and the answer to enrol and renew.  The first byte chooses. */
#include "certs/text.h"
#include "proto/ccp_identity.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_https(const char *url)
{
    return url[0] == '\0' || strncasecmp(url, "https://", 8) == 0;
}

static int discovery(struct view body, struct err *e)
{
    struct ccp_discovery d;

    if (ccp_discovery_parse(body, &d, e) != 0)
        return -1;
    if (!is_https(d.agents) || !is_https(d.requests) || !is_https(d.scep) || !is_https(d.issuer))
        abort();
    return 0;
}

/* No key that anybody knows is meant: with the certificate's own the answer must be believed or refused for another
 * reason, with this one never believed. */
static int identity(struct view body, struct err *e)
{
    struct ccp_identity i = CCP_IDENTITY_INIT;

    if (ccp_identity_parse(body, view_of("x", 1), NULL, 1760000000, &i, e) == 0)
        abort();
    if (i.certificate.len != 0 || i.chain.len != 0 || i.agent_id[0] != '\0')
        abort();
    return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    struct view body;

    if (size == 0)
        return 0;
    body = view_of(data + 1, size - 1);
    if ((data[0] % 2 == 0 ? discovery(body, &e) : identity(body, &e)) != 0
        && (e.cls == ERR_NONE || text_has_control(view_text(e.msg))))
        abort();
    return 0;
}
