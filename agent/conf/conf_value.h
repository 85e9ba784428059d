#ifndef AGENT_CONF_VALUE_H
#define AGENT_CONF_VALUE_H
#include "agent/conf/conf.h"

/* conf_value.h - between conf.c (which files), conf_read.c (one file), conf_text.c (its text), conf_section.c (where
 * values are kept), conf_value.c (checking and keeping one), conf_origin.c (where it came from), conf_environment.c
 * and conf_write.c. */
enum { CONF_FILE_MAX = 1 << 20 };

/* conf_text - the file at path for cfg_parse_buf: comments are blanked, lines stay where they are.
 * out is initialised and freed by the caller, also after a failure.
 * fails ERR_CONFIG: not readable, over 1 MiB; a quote, comment or brace that is not closed; a NUL; ${...} */
int conf_text(const char *path, struct buf *out, struct err *e) MUST;
int conf_text_ready(const char *path, struct buf *text, struct err *e) MUST; /* the same in place */

struct place { /* where a value came from, for messages */
    const char *file;
    int line; /* 0: has none */
    const char *section, *title;
};

/* conf_bad - -1 and ERR_CONFIG "file:line: section "title".key: what" */
int conf_bad(const struct place *p, const char *key, struct err *e, const char *what);

/* base: struct conf, or the struct of a section with a title. */
int conf_set_defaults(const char *section, char *base, struct err *e) MUST;
/* conf_set - the value as it is written, one text or the entries of a list, checked and copied.  fails ERR_CONFIG */
int conf_set(const struct conf_option *o, char *base, const struct conf_list *raw, const char *dir,
    const struct place *p, struct err *e) MUST;

/* conf_check - what only makes sense together (conf_check.c).  fails ERR_CONFIG */
int conf_check(const struct conf *c, struct err *e) MUST;

/* ---- sections: struct conf itself, or the structs of those with a title ---- */
struct conf *conf_new(const char *path, struct err *e) MUST; /* defaults, no section with a title */
char *conf_section_at(const struct conf *c, const char *section, size_t i);
char *conf_section_find(
    const struct conf *c, const char *section, const char *title); /* NULL: no such */
/* conf_section_make - the one at p, made if it is not there.  NULL: ERR_CONFIG */
char *conf_section_make(struct conf *c, const struct place *p, struct err *e) MUST;
void conf_list_free(struct conf_list *l); /* its entries, not itself */

void conf_origin_note(struct conf *c, const struct conf_option *o, const struct place *p,
    enum conf_layer layer, const struct conf_list *raw);
void conf_origin_drop(struct conf *c, const struct conf_option *o, const char *title);
void conf_origin_forget(struct conf *c);

/* ---- one source ---- */
struct conf_source {
    const char *path, *dir; /* files are resolved against dir */
    enum conf_layer layer;
    const char *text; /* instead of what is in the file; NULL: the file */
};
int conf_read(struct conf *c, const struct conf_source *s, struct err *e) MUST;

int conf_read_environment(struct conf *c, const char *dir, struct err *e) MUST;

/* conf_raw - a value that is one text: entries of a list between blanks or commas, "in quotes" if they hold some.
 * raw is freed by the caller. */
void conf_raw(const struct conf_option *o, const char *text, struct conf_list *raw);

/*
 * conf_try - what conf_load would give if the drop-in of this name had this text.
 *
 * name     "90-config.conf"; NULL: nothing is changed.  text "": as if it were not there
 * missing  what conf_load would fail with because something is missing that must be set, or does not go together;
 *          cls ERR_NONE: it would not
 * fails    ERR_CONFIG: a value, or a text, that is wrong by itself
 */
struct conf *conf_try(
    const char *path, const char *name, const char *text, struct err *missing, struct err *e) MUST;
#endif
