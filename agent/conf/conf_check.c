/* What only makes sense together, see conf_value.h; and questions to a configuration, see conf.h. */
#include <string.h>
#include "agent/conf/conf_value.h"

static int check_ca(const struct conf *c, const struct conf_ca *ca, struct err *e)
{
    bool needs = strcmp(ca->auth, "basic") == 0 || strcmp(ca->auth, "ntlm") == 0;

    if (needs && ca->credentials_file == NULL)
        return err_set(e, ERR_CONFIG,
            "%s: ca \"%s\".credentials_file: must be set with auth = \"%s\"", c->path, ca->name,
            ca->auth);
    if (ca->proxy_credential != NULL && ca->proxy == NULL)
        return err_set(e, ERR_CONFIG, "%s: ca \"%s\".proxy: must be set with proxy_credential",
            c->path, ca->name);
    if (ca->client_key != NULL && ca->client_certificate == NULL)
        return err_set(e, ERR_CONFIG,
            "%s: ca \"%s\".client_certificate: must be set with client_key", c->path, ca->name);
    if (strcmp(ca->type, "est") == 0 && strcmp(ca->auth, "negotiate") == 0)
        return err_set(e, ERR_CONFIG,
            "%s: ca \"%s\".auth: EST knows basic and client certificates only", c->path, ca->name);
    return 0;
}

static int check_listen(const struct conf *c, const struct conf_listen *l, struct err *e)
{
    if ((l->certificate == NULL) != (l->key == NULL)
        || (l->certificate2 == NULL) != (l->key2 == NULL))
        return err_set(e, ERR_CONFIG,
            "%s: listen \"%s\": a certificate and its key must be set together", c->path, l->name);
    if (l->certificate2 != NULL && l->certificate == NULL)
        return err_set(e, ERR_CONFIG, "%s: listen \"%s\".certificate: must be set before a second",
            c->path, l->name);
    return 0;
}

/* Templates: all that requests can be given must be listed for the CA. */
static int check_templates(const struct conf *c, const struct conf_scep *s, struct err *e)
{
    const struct conf_ca *ca = conf_ca(c, s->ca);
    const char *const used[] = { s->signature_template, s->encryption_template, s->general_template,
        s->ra_signing_template, s->ra_encryption_template };

    if (ca == NULL)
        return err_set(e, ERR_CONFIG, "%s: scep \"%s\".ca: there is no ca section \"%s\"", c->path,
            s->name, s->ca);
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
        if (used[i] != NULL && !conf_ca_offers(ca, used[i]))
            return err_set(e, ERR_CONFIG,
                "%s: scep \"%s\": template \"%s\" is not listed in ca \"%s\".templates", c->path,
                s->name, used[i], s->ca);
    return 0;
}

/* Who says yes?  Nothing is left to be understood: no plugin needs challenge = "none" spelled out. */
static int check_challenge(const struct conf *c, const struct conf_scep *s, struct err *e)
{
    bool none = strcmp(s->challenge, "none") == 0;

    if (s->plugin == NULL && !none)
        return err_set(e, ERR_CONFIG,
            "%s: scep \"%s\".plugin: must be set; without one anybody who reaches the endpoint "
            "gets "
            "a certificate, which has to be spelled out as challenge = \"none\"",
            c->path, s->name);
    if (s->plugin != NULL && none)
        return err_set(e, ERR_CONFIG,
            "%s: scep \"%s\".challenge: \"none\" does not go with plugin = \"%s\"", c->path,
            s->name, s->plugin);
    if (s->plugin != NULL && conf_plugin(c, s->plugin) == NULL)
        return err_set(e, ERR_CONFIG, "%s: scep \"%s\".plugin: there is no plugin section \"%s\"",
            c->path, s->name, s->plugin);
    return 0;
}

static int check_ra(const struct conf *c, const struct conf_scep *s, struct err *e)
{
    bool files = s->ra_certificate != NULL, enrolled = s->ra_signing_template != NULL;

    if (files == enrolled)
        return err_set(e, ERR_CONFIG,
            "%s: scep \"%s\": either ra_certificate or ra_signing_template must be set", c->path,
            s->name);
    if (!files && (s->ra_key != NULL || s->ra_encryption_certificate != NULL))
        return err_set(e, ERR_CONFIG,
            "%s: scep \"%s\": ra_key and ra_encryption_certificate belong to ra_certificate, which "
            "is "
            "not set",
            c->path, s->name);
    if (files && s->ra_key == NULL)
        return err_set(e, ERR_CONFIG, "%s: scep \"%s\".ra_key: must be set with ra_certificate",
            c->path, s->name);
    if ((s->ra_encryption_certificate == NULL) != (s->ra_encryption_key == NULL))
        return err_set(e, ERR_CONFIG,
            "%s: scep \"%s\": ra_encryption_certificate and ra_encryption_key must be set together",
            c->path, s->name);
    if (enrolled && s->ra_encryption_template == NULL)
        return err_set(e, ERR_CONFIG,
            "%s: scep \"%s\".ra_encryption_template: must be set with ra_signing_template", c->path,
            s->name);
    return 0;
}

static int check_paths(const struct conf *c, const struct conf_scep *s, struct err *e)
{
    for (size_t i = 0; i < s->paths.count; i++)
        for (size_t n = 0; n < c->scep_count; n++)
            if (&c->sceps[n] != s && conf_list_has(&c->sceps[n].paths, s->paths.at[i]))
                return err_set(e, ERR_CONFIG, "%s: scep \"%s\".paths: \"%s\" is scep \"%s\"'s, too",
                    c->path, s->name, s->paths.at[i], c->sceps[n].name);
    for (size_t i = 0; i < s->paths.count; i++)
        if (s->paths.at[i][0] != '/')
            return err_set(e, ERR_CONFIG, "%s: scep \"%s\".paths: \"%s\" does not begin with /",
                c->path, s->name, s->paths.at[i]);
    return 0;
}

static int check_scep(const struct conf *c, const struct conf_scep *s, struct err *e)
{
    if (s->resend > c->store.grace)
        return err_set(e, ERR_CONFIG,
            "%s: scep \"%s\".resend: %lld s is longer than certificates are kept (store.grace, "
            "%lld s)",
            c->path, s->name, (long long)s->resend, (long long)c->store.grace);
    if (check_templates(c, s, e) != 0 || check_challenge(c, s, e) != 0 || check_ra(c, s, e) != 0)
        return -1;
    return check_paths(c, s, e);
}

int conf_check(const struct conf *c, struct err *e)
{
    if (c->cloud.url == NULL && c->scep_count == 0)
        return err_set(
            e, ERR_CONFIG, "%s: cloud.url: must be set, unless there is a scep section", c->path);
    if (c->cloud.client_key != NULL && c->cloud.client_certificate == NULL)
        return err_set(
            e, ERR_CONFIG, "%s: cloud.client_certificate: must be set with client_key", c->path);
    if (c->cloud.proxy_credential != NULL && c->cloud.proxy == NULL)
        return err_set(
            e, ERR_CONFIG, "%s: cloud.proxy: must be set with proxy_credential", c->path);
    if (c->ca_count == 0)
        return err_set(e, ERR_CONFIG, "%s: no ca section; at least one CA is needed", c->path);
    if ((c->scep_count > 0) != (c->listen_count > 0))
        return err_set(e, ERR_CONFIG, "%s: a %s section is needed, too", c->path,
            c->scep_count > 0 ? "listen" : "scep");
    for (size_t i = 0; i < c->ca_count; i++)
        if (check_ca(c, &c->cas[i], e) != 0)
            return -1;
    for (size_t i = 0; i < c->listen_count; i++)
        if (check_listen(c, &c->listens[i], e) != 0)
            return -1;
    for (size_t i = 0; i < c->scep_count; i++)
        if (check_scep(c, &c->sceps[i], e) != 0)
            return -1;
    return 0;
}

/* ---- questions ----------------------------------------------------------------------------------------- */

bool conf_list_has(const struct conf_list *l, const char *text)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->at[i], text) == 0)
            return true;
    return false;
}

const struct conf_plugin *conf_plugin(const struct conf *c, const char *name)
{
    for (size_t i = 0; name != NULL && i < c->plugin_count; i++)
        if (strcmp(c->plugins[i].name, name) == 0)
            return &c->plugins[i];
    return NULL;
}

const struct conf_ca *conf_ca(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->ca_count; i++)
        if (strcmp(c->cas[i].name, name) == 0)
            return &c->cas[i];
    return NULL;
}

bool conf_ca_offers(const struct conf_ca *ca, const char *template_name)
{
    return conf_list_has(&ca->templates, template_name);
}

enum keygen conf_keygen(const struct conf *c)
{
    if (strcmp(c->keys.generation, "fast") == 0)
        return KEYGEN_FAST;
    return strcmp(c->keys.generation, "openssl") == 0 ? KEYGEN_OPENSSL : KEYGEN_PRIMES;
}

enum io_auth conf_auth(const struct conf_ca *ca)
{
    if (strcmp(ca->auth, "basic") == 0)
        return IO_AUTH_BASIC;
    if (strcmp(ca->auth, "ntlm") == 0)
        return IO_AUTH_NTLM;
    return strcmp(ca->auth, "negotiate") == 0 ? IO_AUTH_NEGOTIATE : IO_AUTH_NONE;
}
