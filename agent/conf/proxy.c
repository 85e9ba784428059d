/* see proxy.h.  The rule itself: what stands in the configuration and the environment, and which way follows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "agent/conf/proxy.h"

enum { WORD_MAX = 300 };

/* ---- the environment ------------------------------------------------------------------------------------------- */

/* In the order in which they count. */
static const char *const url_names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
static const char *const no_names[] = { "no_proxy", "NO_PROXY" };

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The first that is set, and its name. */
static const char *first_of(const char *const *names, size_t count, const char **name)
{
    const char *value = NULL;

    for (size_t i = 0; i < count && value == NULL; i++) {
        *name = names[i];
        value = environment(names[i]);
    }
    return value;
}

static bool differ(const char *lower, const char *upper)
{
    const char *a = environment(lower), *b = environment(upper);

    return a != NULL && b != NULL && strcmp(a, b) != 0;
}

const char *proxy_conflict(void)
{
    if (differ("https_proxy", "HTTPS_PROXY"))
        return "https_proxy and HTTPS_PROXY of the environment differ; lower case counts";
    if (differ("all_proxy", "ALL_PROXY"))
        return "all_proxy and ALL_PROXY of the environment differ; lower case counts";
    if (differ("no_proxy", "NO_PROXY"))
        return "no_proxy and NO_PROXY of the environment differ; lower case counts";
    return NULL;
}

/* ---- no_proxy -------------------------------------------------------------------------------------------------- */

/* The entry that covers the destination, copied to word; false: none does.  fails with what is no entry */
static int covered_by_list(
    const struct conf_list *l, const char *host, unsigned port, char word[WORD_MAX], struct err *e)
{
    for (size_t i = 0; i < l->count; i++) {
        if (proxy_no_check(l->at[i], e) != 0)
            return err_wrap(e, "proxy.no_proxy");
        if (proxy_no(l->at[i], host, port)) {
            (void)snprintf(word, WORD_MAX, "%s", l->at[i]);
            return 1;
        }
    }
    return 0;
}

/* Words between commas or blanks. */
static int covered_by_text(
    const char *text, const char *host, unsigned port, char word[WORD_MAX], struct err *e)
{
    for (size_t len; *(text += strspn(text, ", \t")) != '\0'; text += len) {
        len = strcspn(text, ", \t");
        if (len >= WORD_MAX)
            return err_set(e, ERR_CONFIG, "an entry of %zu bytes", len);
        memcpy(word, text, len);
        word[len] = '\0';
        if (proxy_no_check(word, e) != 0)
            return -1;
        if (proxy_no(word, host, port))
            return 1;
    }
    return 0;
}

/* ---- the way --------------------------------------------------------------------------------------------------- */

static const char *section_url(const struct conf *c)
{
    return c->proxy.url != NULL ? c->proxy.url : "none";
}

/* Whose setting is it?  Callers hand over what stands in the configuration itself. */
static void name_own(const struct conf *c, const char *own, char *out, size_t size)
{
    (void)snprintf(out, size, own == c->cloud.proxy ? "cloud.proxy" : "the section's own proxy");
    for (size_t i = 0; i < c->ca_count; i++)
        if (own == c->cas[i].proxy)
            (void)snprintf(out, size, "ca \"%s\".proxy", c->cas[i].name);
}

/* Straight for the reason that stands in why. */
static int straight(struct proxy_way *out)
{
    out->url[0] = '\0';
    return 0;
}

static int through(const char *text, struct proxy_way *out, struct err *e)
{
    char note[WORD_MAX];

    if (proxy_normalize(text, out->url, sizeof out->url, note, sizeof note, e) != 0)
        return err_wrap(e, "%s", out->why);
    if (strcmp(out->url, "auto") == 0) /* the environment would send us to itself */
        return err_set(e, ERR_CONFIG, "%s: \"auto\" is no proxy", out->why);
    return strcmp(out->url, "none") == 0 ? straight(out) : 0;
}

static int environment_way(
    const char *host, unsigned port, bool ask_no, struct proxy_way *out, struct err *e)
{
    const char *name = "", *no = "", *excepted;
    const char *url = first_of(url_names, sizeof url_names / sizeof url_names[0], &name);
    char word[WORD_MAX];
    int covered;

    (void)snprintf(out->why, sizeof out->why, "the environment names no proxy");
    if (url == NULL)
        return straight(out);
    excepted = ask_no ? first_of(no_names, sizeof no_names / sizeof no_names[0], &no) : NULL;
    if (excepted != NULL) {
        if ((covered = covered_by_text(excepted, host, port, word, e)) < 0)
            return err_wrap(e, "%s of the environment", no);
        (void)snprintf(out->why, sizeof out->why, "%s of the environment: %.100s", no, word);
        if (covered == 1)
            return straight(out);
    }
    (void)snprintf(out->why, sizeof out->why, "%s of the environment", name);
    return through(url, out, e);
}

int proxy_way(const struct conf *c, const char *own, const char *host, unsigned port,
    struct proxy_way *out, struct err *e)
{
    const char *url = section_url(c);
    char word[WORD_MAX];
    int covered;

    *out = (struct proxy_way){ 0 };
    if (own != NULL && own[0] != '\0') {
        if (strcmp(own, "auto") == 0)
            return environment_way(host, port, true, out, e);
        name_own(c, own, out->why, sizeof out->why);
        return through(own, out, e);
    }
    (void)snprintf(out->why, sizeof out->why, "proxy.url");
    if (strcmp(url, "none") == 0)
        return straight(out);
    if ((covered = covered_by_list(&c->proxy.no_proxy, host, port, word, e)) < 0)
        return -1;
    if (covered == 1) {
        (void)snprintf(out->why, sizeof out->why, "no_proxy: %.140s", word);
        return straight(out);
    }
    return strcmp(url, "auto") == 0 ? environment_way(host, port, true, out, e)
                                    : through(url, out, e);
}

const char *proxy_credential(
    const struct conf *c, const char *own, const char *own_credential, const struct proxy_way *way)
{
    struct proxy_way section = { 0 };
    struct err e;

    if (way->url[0] == '\0')
        return NULL;
    if (own == NULL || own[0] == '\0')
        return c->proxy.credential;
    if (own_credential != NULL)
        return own_credential;
    /* The same proxy under another name of the setting is the same proxy. */
    if (strcmp(section_url(c), "auto") == 0 ? environment_way("", 0, false, &section, &e) != 0
                                            : through(section_url(c), &section, &e) != 0)
        return NULL;
    return strcmp(section.url, way->url) == 0 ? c->proxy.credential : NULL;
}
