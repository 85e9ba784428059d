/* CERTFERRY_SECTION_KEY, see conf.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/conf/conf_value.h"
#include "certs/mem.h"

enum { NAME_MAX_LEN = 160 };

static char *const *vars; /* what the program was started with; NULL: nothing counts */

void conf_environment(char *const *environment)
{
    vars = environment;
}

/* "wi-fi" to "WI_FI" */
static size_t add_upper(char *to, size_t size, size_t at, const char *text)
{
    for (; *text != '\0' && at + 1 < size; text++)
        to[at++] = isalnum((unsigned char)*text) ? (char)toupper((unsigned char)*text) : '_';
    to[at] = '\0';
    return at;
}

void conf_environment_name(const struct conf_option *o, const char *title, char *out, size_t size)
{
    size_t at = add_upper(out, size, 0, "CERTFERRY_");

    at = add_upper(out, size, at, o->section);
    at = add_upper(out, size, at, "_");
    if (title != NULL) {
        at = add_upper(out, size, at, title);
        at = add_upper(out, size, at, "_");
    }
    (void)add_upper(out, size, at, o->key);
}

static const char *value_of(const char *name)
{
    size_t len = strlen(name);

    for (char *const *v = vars; v != NULL && *v != NULL; v++)
        if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
            return *v + len + 1;
    return NULL;
}

static int take(
    struct conf *c, const struct conf_option *o, size_t i, const char *dir, struct err *e)
{
    const char *title = conf_section_title(c, o->section, i), *value;
    struct conf_list raw;
    char name[NAME_MAX_LEN];
    const struct place p = { name, 0, o->section, title };
    int rc;

    conf_environment_name(o, title, name, sizeof name);
    if ((value = value_of(name)) == NULL)
        return 0;
    conf_raw(o, value, &raw);
    rc = conf_set(o, conf_section_at(c, o->section, i), &raw, dir, &p, e);
    if (rc == 0)
        conf_origin_note(c, o, &p, CONF_FROM_ENVIRONMENT, &raw);
    conf_list_free(&raw);
    return rc;
}

int conf_read_environment(struct conf *c, const char *dir, struct err *e)
{
    for (size_t o = 0; vars != NULL && o < conf_option_count; o++)
        for (size_t i = 0; i < conf_section_count(c, conf_options[o].section); i++)
            if (take(c, &conf_options[o], i, dir, e) != 0)
                return -1;
    return 0;
}

bool conf_environment_unknown(const struct conf *c, conf_variable_fn *fn, void *arg)
{
    static const char prefix[] = "CERTFERRY_";
    char name[NAME_MAX_LEN];
    bool any = false, known;

    for (char *const *v = vars; v != NULL && *v != NULL; v++) {
        if (strncmp(*v, prefix, sizeof prefix - 1) != 0)
            continue;
        known = false;
        for (size_t o = 0; o < conf_option_count; o++)
            for (size_t i = 0; i < conf_section_count(c, conf_options[o].section); i++) {
                conf_environment_name(&conf_options[o],
                    conf_section_title(c, conf_options[o].section, i), name, sizeof name);
                known =
                    known || (strncmp(*v, name, strlen(name)) == 0 && (*v)[strlen(name)] == '=');
            }
        if (known)
            continue;
        any = true;
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(*v, "="), *v);
        fn(arg, name);
    }
    return any;
}
