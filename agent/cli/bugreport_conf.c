/* see bugreport.h.  Settings: by kind, and texts by name. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/bugreport.h"

/* Free text may be anything, so each that may be shown stands here: names of ours, addresses we listen on. */
static const char *const shown[][2] = { { "ca", "templates" }, { "ca", "label" },
    { "listen", "address" }, { "listen", "trusted_proxies" }, { "scep", "paths" }, { "scep", "ca" },
    { "scep", "signature_template" }, { "scep", "encryption_template" },
    { "scep", "general_template" }, { "scep", "plugin" }, { "scep", "ra_signing_template" },
    { "scep", "ra_encryption_template" }, { "scep", "ekus" }, { "scep", "key_usage" },
    { "scep", "extensions" }, { "scep", "attributes" }, { "plugin", "path" },
    { "proxy", "no_proxy" }, { "metrics", "listen" } };

static bool is_shown(const struct conf_option *o)
{
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        if (strcmp(shown[i][0], o->section) == 0 && strcmp(shown[i][1], o->key) == 0)
            return true;
    return false;
}

static bool is_url(const struct conf_option *o)
{
    return o->type == CONF_PROXY || (o->type == CONF_TEXT && strcmp(o->key, "url") == 0);
}

/* A name without its value; a file with a secret is a reference like any other. */
static void put_text(const struct conf_option *o, const char *text, struct json_out *out)
{
    char url[600];

    if (is_url(o)) {
        bugreport_url(text, url, sizeof url);
        if (strcmp(text, "none") == 0 || strcmp(text, "auto") == 0)
            (void)snprintf(url, sizeof url, "%s", text);
        json_put_text(out, "value", url[0] != '\0' ? url : NULL);
    } else if (o->type == CONF_SECRET) {
        json_put_text(out, "reference", strncmp(text, "secret:", 7) == 0 ? text : "a file");
    } else if (o->type == CONF_FILE) {
        json_put_bool(out, "file", true);
    } else if (o->type == CONF_CHOICE || is_shown(o)) {
        json_put_text(out, "value", text);
    } else {
        json_put_bool(out, "set", true);
    }
}

static void put_list(const struct conf_option *o, const struct conf_list *l, struct json_out *out)
{
    if (!is_shown(o)) {
        json_put_int(out, "count", (int64_t)l->count);
        return;
    }
    json_open(out, "value", '[');
    for (size_t i = 0; i < l->count; i++)
        json_put_text(out, NULL, l->at[i]);
    json_close(out, ']');
}

static void put_option(
    const struct conf_option *o, const char *base, const char *title, struct json_out *out)
{
    const void *at = base + o->offset;

    if ((o->type != CONF_INT && o->type != CONF_BOOL && o->type != CONF_LIST
            && *(char *const *)at == NULL)
        || (o->type == CONF_LIST && ((const struct conf_list *)at)->count == 0))
        return;
    json_open(out, NULL, '{');
    json_put_text(out, "section", o->section);
    json_put_text(out, "title", title);
    json_put_text(out, "key", o->key);
    switch (o->type) {
    case CONF_INT:
        json_put_int(out, "value", *(const int64_t *)at);
        break;
    case CONF_BOOL:
        json_put_bool(out, "value", *(const bool *)at);
        break;
    case CONF_LIST:
        put_list(o, at, out);
        break;
    case CONF_TEXT:
    case CONF_TEXT_OR_EMPTY:
    case CONF_FILE:
    case CONF_SECRET:
    case CONF_PROXY:
    case CONF_CHOICE:
        put_text(o, *(char *const *)at, out);
        break;
    default: /* a kind that nobody has thought about */
        break;
    }
    json_close(out, '}');
}

static void put_section(
    const char *section, const void *base, const char *title, struct json_out *out)
{
    for (size_t i = 0; i < conf_option_count; i++)
        if (strcmp(conf_options[i].section, section) == 0)
            put_option(&conf_options[i], base, title, out);
}

void bugreport_conf(const struct conf *c, struct buf *to)
{
    struct json_out o = { .to = to };

    json_open(&o, NULL, '{');
    json_open(&o, "settings", '[');
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++) {
        const char *name = conf_section_help[s][0];

        if (strcmp(name, "ca") == 0)
            for (size_t i = 0; i < c->ca_count; i++)
                put_section(name, &c->cas[i], c->cas[i].name, &o);
        else if (strcmp(name, "listen") == 0)
            for (size_t i = 0; i < c->listen_count; i++)
                put_section(name, &c->listens[i], c->listens[i].name, &o);
        else if (strcmp(name, "scep") == 0)
            for (size_t i = 0; i < c->scep_count; i++)
                put_section(name, &c->sceps[i], c->sceps[i].name, &o);
        else if (strcmp(name, "plugin") == 0)
            for (size_t i = 0; i < c->plugin_count; i++)
                put_section(name, &c->plugins[i], c->plugins[i].name, &o);
        else
            put_section(name, c, NULL, &o);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    buf_add_byte(to, '\n');
}
