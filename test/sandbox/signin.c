/* see signin.h: the book of tokens and codes */
#include "test/sandbox/signin.h"
#include "test/sandbox/sandbox.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_jwks(struct signin *s, const char *file, char *why, size_t room)
{
    struct str text = { 0 };
    char reason[DIR_WHY] = "";
    bool ok = file_read(file, &text, reason);

    if (ok) {
        s->jwks = js_parse(text.p, text.len, reason, sizeof reason);
        ok = js_count(js_get(s->jwks, "keys")) > 0;
    }
    if (!ok)
        snprintf(why, room, "%.100s: %.100s", file, reason[0] != '\0' ? reason : "no keys in it");
    str_free(&text);
    return ok;
}

struct signin *signin_new(const struct options *o, const char *bootstrap, char *why, size_t room)
{
    struct signin *s = need(calloc(1, sizeof *s));

    s->issuer = o->issuer;
    signin_bootstrap(s, bootstrap);
    if (o->jwks == NULL || read_jwks(s, o->jwks, why, room))
        return s;
    signin_free(s);
    return NULL;
}

void signin_free(struct signin *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->text_count; i++)
        free(s->texts[i]);
    for (size_t i = 0; i < s->grant_count; i++)
        free(s->grant[i]);
    for (size_t i = 0; i < s->device_count; i++)
        free(s->device[i]);
    for (size_t i = 0; i < s->bootstrap_count; i++)
        free(s->bootstrap[i]);
    agents_done(&s->agents);
    map_done(&s->once);
    js_free(s->jwks);
    free(s->texts);
    free(s->grant);
    free(s->device);
    free(s->bootstrap);
    free(s);
}

void signin_random(const char *before, char out[TOKEN_TEXT])
{
    unsigned char bytes[32];
    struct str hex = { 0 };

    need(RAND_bytes(bytes, sizeof bytes) == 1 ? bytes : NULL);
    str_puts(&hex, before);
    str_hex(&hex, bytes, sizeof bytes, false);
    copy_n(out, TOKEN_TEXT, hex.p);
    str_free(&hex);
}

bool signin_once(void *signin, const char *jti)
{
    struct signin *s = signin;
    char *copy;

    if (map_get_text(&s->once, jti) != NULL)
        return false;
    copy = need_copy(jti);
    s->texts = need(realloc(s->texts, (s->text_count + 1) * sizeof(char *)));
    s->texts[s->text_count++] = copy;
    map_put_text(&s->once, copy, copy);
    return true;
}

struct grant *signin_grant(
    struct signin *s, const char *scope, const char *way, struct agent *agent, int64_t life_s)
{
    struct grant *g = need(calloc(1, sizeof *g));

    signin_random("at.", g->access);
    g->scope = scope;
    g->way = way;
    g->agent = agent;
    g->expires_at_ms = wall_ms() + life_s * 1000;
    s->grant = need(realloc(s->grant, (s->grant_count + 1) * sizeof(struct grant *)));
    return s->grant[s->grant_count++] = g;
}

struct grant *signin_find(const struct signin *s, const char *access)
{
    for (size_t i = s->grant_count; i-- > 0;) {
        if (strcmp(s->grant[i]->access, access) == 0)
            return s->grant[i]->expires_at_ms > wall_ms() ? s->grant[i] : NULL;
    }
    return NULL;
}

const char *signin_bootstrap(struct signin *s, const char *text)
{
    struct bootstrap *b = need(calloc(1, sizeof *b));

    if (text != NULL)
        copy_n(b->text, sizeof b->text, text);
    else
        signin_random("bt.", b->text);
    s->bootstrap =
        need(realloc(s->bootstrap, (s->bootstrap_count + 1) * sizeof(struct bootstrap *)));
    s->bootstrap[s->bootstrap_count++] = b;
    return b->text;
}

struct device_code *signin_device(const struct signin *s, const char *code)
{
    for (size_t i = 0; i < s->device_count; i++) {
        if (strcmp(s->device[i]->code, code) == 0 || strcmp(s->device[i]->user_code, code) == 0)
            return s->device[i];
    }
    return NULL;
}
