/* see conf_key.h */
#include <stdio.h>
#include <string.h>
#include "agent/conf/conf_key.h"
#include "agent/conf/conf_value.h"
#include "proto/json.h"

/* ---- names ----------------------------------------------------------------------------------------------- */

/* How many letters have to be changed, added, left out or exchanged with their neighbour. */
static size_t distance(const char *a, const char *b)
{
    enum { LEN = 40 };
    size_t rows[3][LEN + 1], *before = rows[0], *last = rows[1], *now = rows[2], *spare;
    size_t la = strlen(a), lb = strlen(b);

    if (la > LEN || lb > LEN)
        return LEN;
    for (size_t j = 0; j <= lb; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= la; i++) {
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            now[j] = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (now[j] > last[j] + 1)
                now[j] = last[j] + 1;
            if (now[j] > now[j - 1] + 1)
                now[j] = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]
                && now[j] > before[j - 2] + 1)
                now[j] = before[j - 2] + 1;
        }
        spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[lb];
}

/* How much of key is at the beginning or the end of word, or all but a slip of the finger; 0 if that is less than
 * half. */
size_t conf_likeness(const char *key, const char *word)
{
    size_t same = 0, len = strlen(key), word_len = strlen(word), off = distance(key, word);

    if (len < 2)
        return 0;
    if (off <= 1 + len / 6 && off < len)
        return len - off;
    while (same < len && same < word_len && key[same] == word[same])
        same++;
    for (size_t a = 1; a <= len - same && a <= word_len && key[len - a] == word[word_len - a]; a++)
        same++;
    return same * 2 >= len ? same : 0;
}

/* The option, or section, that was probably meant; one of another section by its full name. */
void conf_did_you_mean(const char *section, const char *key, char *out, size_t size)
{
    size_t best = 0, score;

    out[0] = '\0';
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        bool here = strcmp(o->section, section) == 0;

        score = 2 * conf_likeness(key, o->key) + (here ? 1 : 0);
        if (score > best && score > 1) {
            best = score;
            (void)snprintf(out, size, "; did you mean %s%s%s?", here ? "" : o->section,
                here ? "" : ".", o->key);
        }
    }
    for (size_t s = 0; conf_section_help[s][0] != NULL && strcmp(section, "root") == 0; s++)
        if ((score = 2 * conf_likeness(key, conf_section_help[s][0])) >= best && score > 1) {
            best = score;
            (void)snprintf(out, size, "; did you mean %s?", conf_section_help[s][0]);
        }
}

static const char *section_named(const char *text, size_t len)
{
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        if (strlen(conf_section_help[s][0]) == len
            && strncmp(conf_section_help[s][0], text, len) == 0)
            return conf_section_help[s][0];
    return NULL;
}

static int no_such(const char *text, const char *section, const char *key, struct err *e)
{
    char hint[100];

    conf_did_you_mean(section, key, hint, sizeof hint);
    return err_set(e, ERR_INPUT, "%.80s: no such option%s", text, hint);
}

static int take_title(
    const char *text, const char *title, size_t len, struct conf_key *out, struct err *e)
{
    if (len > CONF_NAME_MAX)
        return err_set(e, ERR_INPUT, "%.80s: a name of more than 63 characters", text);
    memcpy(out->title, title, len);
    out->title[len] = '\0';
    return 0;
}

/* What is behind the section: ".key", ".title.key", "title".key; *key is "" if the section alone is meant. */
static int split(
    const char *text, const char *rest, struct conf_key *out, const char **key, struct err *e)
{
    const char *dot, *quote;

    *key = "";
    rest += strspn(rest, " ");
    if (*rest == '"') {
        if ((quote = strchr(rest + 1, '"')) == NULL)
            return err_set(e, ERR_INPUT, "%.80s: a quote that is not closed", text);
        if (take_title(text, rest + 1, (size_t)(quote - rest - 1), out, e) != 0)
            return -1;
        rest = quote + 1;
    } else if (*rest == '.' && conf_has_titles(out->section)
               && (dot = strrchr(rest, '.')) != rest) {
        if (take_title(text, rest + 1, (size_t)(dot - rest - 1), out, e) != 0)
            return -1;
        rest = dot;
    }
    if (*rest != '\0' && *rest != '.')
        return err_set(e, ERR_INPUT, "%.80s: not section.key or section.name.key", text);
    *key = *rest == '.' ? rest + 1 : "";
    return 0;
}

int conf_key_parse(const char *text, struct conf_key *out, struct err *e)
{
    size_t len = strcspn(text, ". \"");
    const char *key;

    *out = (struct conf_key){ .section = section_named(text, len) };
    if (out->section == NULL) {
        key = strrchr(text, '.');
        return no_such(text, "root", key != NULL ? key + 1 : text, e);
    }
    if (split(text, text + len, out, &key, e) != 0)
        return -1;
    for (size_t i = 0; i < conf_option_count; i++)
        if (strcmp(conf_options[i].section, out->section) == 0
            && strcmp(conf_options[i].key, key) == 0)
            out->option = &conf_options[i];
    if (key[0] != '\0' && out->option == NULL)
        return no_such(text, out->section, key, e);
    if (out->title[0] != '\0' && !conf_has_titles(out->section))
        return err_set(e, ERR_INPUT, "%.80s: section %s has no name", text, out->section);
    return 0;
}

void conf_key_name(const struct conf_option *o, const char *title, char *out, size_t size)
{
    if (title == NULL)
        (void)snprintf(out, size, "%s.%s", o->section, o->key);
    else if (strpbrk(title, " .\"") != NULL)
        (void)snprintf(out, size, "%s \"%s\".%s", o->section, title, o->key);
    else
        (void)snprintf(out, size, "%s.%s.%s", o->section, title, o->key);
}

/* ---- values ---------------------------------------------------------------------------------------------- */

struct value { /* what the struct of a section has for an option */
    int64_t number;
    const char *text;
    const struct conf_list *list;
};

static bool value_of(
    const struct conf *c, const struct conf_option *o, const char *title, struct value *v)
{
    const char *base = conf_section_find(c, o->section, title);

    *v = (struct value){ 0 };
    if (base == NULL)
        return false;
    if (o->type == CONF_INT)
        memcpy(&v->number, base + o->offset, sizeof v->number);
    else if (o->type == CONF_BOOL)
        v->number = *(const bool *)(const void *)(base + o->offset);
    else if (o->type == CONF_LIST)
        v->list = (const struct conf_list *)(const void *)(base + o->offset);
    else
        v->text = *(char *const *)(const void *)(base + o->offset);
    return true;
}

bool conf_value_text(
    const struct conf *c, const struct conf_option *o, const char *title, struct buf *out)
{
    struct value v;

    if (!value_of(c, o, title, &v))
        return false;
    if (o->type == CONF_INT)
        buf_printf(out, "%lld", (long long)v.number);
    else if (o->type == CONF_BOOL)
        buf_add_text(out, v.number != 0 ? "true" : "false");
    else if (v.text != NULL)
        buf_add_text(out, v.text);
    for (size_t i = 0; v.list != NULL && i < v.list->count; i++) {
        const char *quote = strpbrk(v.list->at[i], " ,\t") != NULL ? "\"" : "";

        buf_printf(out, "%s%s%s%s", i > 0 ? ", " : "", quote, v.list->at[i], quote);
    }
    return true;
}

void conf_value_json(
    const struct conf *c, const struct conf_option *o, const char *title, struct json_out *out)
{
    struct value v;
    bool there = value_of(c, o, title, &v);

    if (there && o->type == CONF_INT) {
        json_put_int(out, "value", v.number);
    } else if (there && o->type == CONF_BOOL) {
        json_put_bool(out, "value", v.number != 0);
    } else if (v.list != NULL) {
        json_open(out, "value", '[');
        for (size_t i = 0; i < v.list->count; i++)
            json_put_text(out, NULL, v.list->at[i]);
        json_close(out, ']');
    } else if (v.text != NULL) {
        json_put_text(out, "value", v.text);
    } else {
        json_put_null(out, "value");
    }
}

const char *conf_type_name(const struct conf_option *o)
{
    static const char *const names[] = { [CONF_TEXT] = "text",
        [CONF_TEXT_OR_EMPTY] = "text",
        [CONF_FILE] = "path",
        [CONF_SECRET] = "path or secret:NAME",
        [CONF_PROXY] = "proxy",
        [CONF_INT] = "number",
        [CONF_BOOL] = "true or false",
        [CONF_LIST] = "list of texts",
        [CONF_CHOICE] = "one of" };

    return names[o->type];
}

void conf_type_text(const struct conf_option *o, char *out, size_t size)
{
    if (o->type == CONF_INT)
        (void)snprintf(out, size, "number, %lld to %lld%s%s", (long long)o->min, (long long)o->max,
            o->unit != NULL ? " " : "", o->unit != NULL ? o->unit : "");
    else
        (void)snprintf(out, size, "%s%s%s", conf_type_name(o), o->choices != NULL ? " " : "",
            o->choices != NULL ? o->choices : "");
}

void conf_origin_text(const struct conf_origin *at, char *out, size_t size)
{
    if (at == NULL)
        (void)snprintf(out, size, "default");
    else if (at->layer == CONF_FROM_ENVIRONMENT)
        (void)snprintf(out, size, "environment %s", at->file);
    else
        (void)snprintf(out, size, "%s:%d", at->file, at->line);
}

const char *conf_layer_name(const struct conf_origin *at)
{
    static const char *const names[] = { [CONF_FROM_DEFAULT] = "default",
        [CONF_FROM_FILE] = "file",
        [CONF_FROM_DROP_IN] = "drop-in",
        [CONF_FROM_ENVIRONMENT] = "environment" };

    return names[at != NULL ? at->layer : CONF_FROM_DEFAULT];
}
