#ifndef SANDBOX_TEXT_H
#define SANDBOX_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * text.h - bytes that grow, and what is written into them.
 *
 * A struct str starts as { 0 }; `p` always ends in a NUL that `len` does not count (or is NULL while
 * nothing was ever added).  Out of memory ends the program: this is a test double.
 */
struct str {
    char *p;
    size_t len, cap;
};

void *need(void *p); /* p, or the end of the program when it is NULL */
char *need_copy(const char *text);

void str_add(struct str *s, const void *bytes, size_t len);
void str_puts(struct str *s, const char *text);
void str_f(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_json(struct str *s, const char *text); /* "text", escaped; NULL: null */
void str_json_n(struct str *s, const char *text, size_t len);
void str_html(struct str *s, const char *text);
void str_hex(struct str *s, const void *bytes, size_t len, bool upper);
void str_b64(struct str *s, const void *bytes, size_t len);
void str_b64_lines(
    struct str *s, const void *bytes, size_t len, const char *line_end); /* 64 columns */
void str_pem(struct str *s, const char *label, const void *der, size_t len, const char *line_end);
void str_cut(struct str *s, size_t len); /* shorten */
void str_free(struct str *s);            /* wipes; s is empty afterwards */

/* b64_read - base64 with any white space in it, appended.  false: something else in it */
bool b64_read(const char *text, size_t len, struct str *out);

/* pem_read - the DER under -----BEGIN label-----; label NULL: any.  false: none, or not base64 */
bool pem_read(const char *text, const char *label, struct str *out);

/* form_value - a field of application/x-www-form-urlencoded, decoded.  false: absent or malformed */
bool form_value(const char *form, const char *name, struct str *out);
bool form_is(const char *form, const char *name, const char *want);
bool form_once(const char *form); /* no field stands in it twice */

/* copy_n - a bounded copy that always ends in NUL. */
void copy_n(char *to, size_t room, const char *from);

const char *str_text(const struct str *s); /* never NULL */
size_t utf8_len(const char *text);         /* characters */
#endif
