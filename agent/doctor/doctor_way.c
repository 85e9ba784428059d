/* see doctor_look.h: which way a peer is reached, as the service will go. */
#include <stdio.h>
#include "agent/doctor/doctor_look.h"

/* "http://p:3128": where is that, and how do we sign in there? */
static int proxy_of(
    struct doctor *d, struct doctor_end *p, const char *own, const char *own_credential)
{
    const char *ref = proxy_credential(d->conf, own, own_credential, &p->way);
    bool tls;

    if (!doctor_place(p->way.url, p->proxy_host, sizeof p->proxy_host, &p->proxy_port, &tls))
        return err_set(&p->way_why, ERR_CONFIG, "%s: neither host nor port in it", p->way.url);
    (void)snprintf(p->target, sizeof p->target, "proxy %s", p->way.url);
    if (ref != NULL && secret_read(d->secrets, ref, &p->credential, &p->way_why) != 0)
        return err_wrap(&p->way_why, "the login for %s", p->way.url);
    return 0;
}

void doctor_way(struct doctor *d, struct doctor_end *p, const char *own, const char *own_credential)
{
    p->credential = (struct buf)BUF_SECRET(SECRET_BYTES_MAX);
    if (proxy_way(d->conf, own, p->host, p->port, &p->way, &p->way_why) == 0
        && p->way.url[0] != '\0' && proxy_of(d, p, own, own_credential) != 0)
        p->way.url[0] = '\0'; /* nothing is looked at: see way_why */
}
