#ifndef PLUGINS_INTUNE_OPEN_H
#define PLUGINS_INTUNE_OPEN_H
#include "agent/plugins/frontend.h"

/*
 * intune_open.h - what intune.c keeps, and how its settings become addresses.
 */
enum {
    URIS_MAX = 4,
    URI_MAX = 400,
    KEEP_S = 86400,
    ANSWER = 128 << 10,
    CANNOT_S = 300,
    BUSY_S = 3600
};

struct intune {
    const struct certferry_host *h;
    char tenant[128], api_version[32], provider[128], ca_configuration[128];
    char graph_url[256], token_url[512], graph_scope[300], intune_scope[300];
    char key[80];         /* of the addresses in our space */
    char cannot[200];     /* why nothing can be judged at the moment; "" = it can */
    int64_t cannot_until; /* whoever waits has asked again before; later it is nobody's knowledge */
    int64_t busy_until[2]; /* Graph, Intune: nobody is asked before, whoever was told so */
    /* what the verdict points to */
    char url[URI_MAX + 64], id[40], body[FRONTEND_BODY];
    char answer[ANSWER], entry[2 * ANSWER];
};

static const struct cloud {
    const char *name, *login, *graph, *intune;
} clouds[] = { { "global", "https://login.microsoftonline.com", "https://graph.microsoft.com",
                   "https://api.manage.microsoft.com/" },
    { "gcchigh", "https://login.microsoftonline.us", "https://graph.microsoft.us",
        "https://api.manage.microsoft.us/" },
    { "dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us",
        "https://api.manage.microsoft.us/" },
    /* China's audience of Intune is nowhere published: it must be set */
    { "china", "https://login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn", NULL } };

static inline int open_urls(struct intune *in, const struct cloud *c, char *why, size_t why_size)
{
    const struct certferry_host *h = in->h;
    char login[256], resource[256], text[512];

    if (kit_setting_url(h, "login_url", c->login, login, sizeof login, why, why_size) != 0
        || kit_setting_url(
               h, "graph_url", c->graph, in->graph_url, sizeof in->graph_url, why, why_size)
               != 0
        || kit_setting(h, "intune_resource", c->intune, resource, sizeof resource, why, why_size)
               != 0)
        return -1;
    (void)snprintf(
        in->token_url, sizeof in->token_url, "%s/%s/oauth2/v2.0/token", login, in->tenant);
    (void)snprintf(in->graph_scope, sizeof in->graph_scope, "%s/.default", in->graph_url);
    /* A resource that ends in '/' gives "//.default", and so it must be: Entra takes what stands before the
     * last slash as the resource. */
    (void)snprintf(in->intune_scope, sizeof in->intune_scope, "%s/.default", resource);
    (void)snprintf(text, sizeof text, "%s %s", in->graph_url, in->tenant);
    memcpy(in->key, "services ", 10);
    if (h->sha256(h->ctx, (struct certferry_bytes){ (const uint8_t *)text, strlen(text) },
            in->key + 9, sizeof in->key - 9)
        < 0)
        return kit_refuse(why, why_size, "tenant", "cannot be hashed");
    return 0;
}

static inline int open_settings(struct intune *in, char *why, size_t why_size)
{
    const struct certferry_host *h = in->h;
    const struct cloud *cloud = NULL;
    char name[16];

    if (kit_setting(h, "tenant", NULL, in->tenant, sizeof in->tenant, why, why_size) != 0
        || kit_setting(h, "cloud", "global", name, sizeof name, why, why_size) != 0
        || kit_setting(h, "provider_name", "certferry/" KIT_VERSION, in->provider,
               sizeof in->provider, why, why_size)
               != 0
        || kit_setting(h, "api_version", "2018-02-20", in->api_version, sizeof in->api_version, why,
               why_size)
               != 0
        || kit_setting(h, "ca_configuration", "", in->ca_configuration, sizeof in->ca_configuration,
               why, why_size)
               != 0)
        return -1;
    if (in->tenant[strspn(
            in->tenant, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")]
        != '\0')
        return kit_refuse(why, why_size, "tenant", "must be a GUID or a domain");
    for (size_t i = 0; i < KIT_COUNT(clouds); i++)
        if (strcmp(name, clouds[i].name) == 0)
            cloud = &clouds[i];
    if (cloud == NULL)
        return kit_refuse(why, why_size, "cloud", "must be global, gcchigh, dod or china");
    return open_urls(in, cloud, why, why_size);
}
#endif
