/* see scep_own.h */
#include <stdio.h>
#include <string.h>
#include "agent/probe/scep_own.h"
#include "agent/secrets/identity.h"
#include "certs/cert.h"
#include "certs/der.h"
#include "certs/san.h"

/* A DNS name of the server's certificate; a wildcard stands for any. */
static bool name_in(struct view san, char *out, size_t size)
{
    struct view rest = san, value;
    struct der names, one;
    struct err e;

    if (der_expect(&rest, DER_SEQUENCE, "names", &names, &e) != 0)
        return false;
    while (names.content.len != 0 && der_next(&names.content, &one, &e) == 0)
        if (san_read(one, &value) == SAN_DNS && value.len + 8 < size) {
            bool any = value.len > 2 && value.p[0] == '*';

            (void)snprintf(out, size, "%s%.*s", any ? "certferry" : "",
                (int)(any ? value.len - 1 : value.len), (const char *)value.p + (any ? 1 : 0));
            return true;
        }
    return false;
}

static int server_name(
    struct lib *l, const struct conf_listen *listen, char *out, size_t size, struct err *e)
{
    struct buf der = BUF_INIT(1 << 20);
    struct cert c;
    int rc = -1;

    if (identity_certificate(l, listen->certificate, &der, e) == 0
        && cert_parse(buf_view(&der), &c, e) == 0)
        rc = name_in(c.san, out, size)
                 ? 0
                 : err_set(e, ERR_CONFIG, "%s has no DNS name; give the public one with --external",
                     listen->certificate);
    buf_free(&der);
    return rc;
}

/* "0.0.0.0:80" and "[::]:80" are every address: this machine's own is one of them. */
static bool own_address(const char *listen, char *out, size_t size)
{
    const char *port = strrchr(listen, ':');

    if (port == NULL || strncmp(listen, "systemd:", 8) == 0 || strcmp(port, ":0") == 0)
        return false;
    if (strncmp(listen, "0.0.0.0:", 8) == 0)
        (void)snprintf(out, size, "127.0.0.1%s", port);
    else if (strncmp(listen, "[::]:", 5) == 0)
        (void)snprintf(out, size, "[::1]%s", port);
    else
        (void)snprintf(out, size, "%s", listen);
    return true;
}

int scep_own(struct lib *l, const struct conf_scep *s, const struct conf_listen *listen,
    struct scep_own *out, struct err *e)
{
    char name[300] = "";

    *out = (struct scep_own){ .trust = listen->certificate };
    if (!own_address(listen->address, out->address, sizeof out->address))
        return err_set(e, ERR_CONFIG,
            "listen \"%s\" does not say its port; give the address with --external", listen->name);
    if (listen->certificate == NULL)
        (void)snprintf(out->url, sizeof out->url, "http://%s%s", out->address, s->paths.at[0]);
    else if (server_name(l, listen, name, sizeof name, e) != 0)
        return -1;
    else
        (void)snprintf(out->url, sizeof out->url, "https://%s%s", name, s->paths.at[0]);
    return 0;
}
