#ifndef CERTS_CHECK_SET_H
#define CERTS_CHECK_SET_H
#include "certs/der.h"
#include "certs/template.h"

/*
 * check_set.h - two subjects, lists of names or lists of uses held against each other; for check*.c and
 * csr_check*.c only.
 *
 * `want` is the measure, `got` what is judged by it.  Every fault is ERR_MISMATCH with a message that names
 * the field and both values, in the words of whoever compares; ERR_PROTO if a list cannot be read.
 * Threads: pure.
 */
struct check_words {
    const char *want, *got; /* "asked for", "got": stand before a value and behind a number */
    const char *none;       /* "which was not asked for" */
};

/* check_same_subject - DER Names; any_order: name_equal_set instead of name_equal. */
int check_same_subject(struct view want, struct view got, bool any_order,
    const struct check_words *w, struct err *e) MUST;

/* check_same_sans, check_sans_within - GeneralNames, an empty view is none: the same set by `same` (san.h);
 * nothing in `got` that is not in `want`. */
typedef bool san_fn(struct der a, struct der b);
int check_same_sans(struct view want, struct view got, san_fn *same, const struct check_words *w,
    struct err *e) MUST;
int check_sans_within(struct view want, struct view got, san_fn *same, const struct check_words *w,
    struct err *e) MUST;

/* check_same_ekus - two ExtKeyUsageSyntax, the same set. */
int check_same_ekus(
    struct view want, struct view got, const struct check_words *w, struct err *e) MUST;

/* check_write_ekus - a template's, to be compared; nothing is appended when there are none.  fails ERR_INPUT */
int check_write_ekus(const struct template *t, struct buf *out, struct err *e) MUST;

/* check_use_refused - sets *e to "<what>: got <OID>, <why>", ERR_MISMATCH, and returns -1. */
int check_use_refused(
    const char *what, const char *got, struct der oid, const char *why, struct err *e);

/* check_use_dangerous - a use that opens every door: any purpose, or asking in anybody's name. */
bool check_use_dangerous(struct der oid);

/* check_sid_read - the SID inside the value of the extension 1.3.6.1.4.1.311.25.2; false: it has another form. */
bool check_sid_read(struct view ext, struct view *sid);

/* The elements of a SEQUENCE; none if the view is empty.  fails ERR_PROTO: cannot be read, too many */
enum { CHECK_LIST_MAX = TEMPLATE_SAN_MAX + 1 };
struct check_list {
    struct der item[CHECK_LIST_MAX];
    size_t count;
};
int check_list_read(struct view seq, const char *what, struct check_list *out, struct err *e) MUST;
int check_list_oids(struct view seq, const char *what, struct check_list *out, struct err *e) MUST;
bool check_list_has(const struct check_list *in, struct der oid);
#endif
