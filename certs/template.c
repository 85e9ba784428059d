/* see template.h */
#include "certs/template.h"
#include "certs/der.h"
#include "certs/mem.h"
#include "certs/san.h"
#include <stdlib.h>
#include <string.h>

enum { LIST_FIRST = 8 };

/* Room for one more element in a list that grows in powers of two; what a request sizes may fail. */
static int grow(void **list, size_t count, size_t size, struct err *e)
{
    void *more;

    if (count != 0 && (count < LIST_FIRST || (count & (count - 1)) != 0))
        return 0;
    more = mem_try(count == 0 ? LIST_FIRST : 2 * count, size);
    if (more == NULL)
        return err_set(e, ERR_NOMEM, "no memory for a list of %zu", count + 1);
    if (count != 0)
        memcpy(more, *list, count * size);
    free(*list);
    *list = more;
    return 0;
}

static char *copy_text(const char *text, struct err *e)
{
    size_t len = strlen(text);
    char *copy = mem_try(len + 1, 1);

    if (copy == NULL)
        err_set(e, ERR_NOMEM, "no memory for %zu bytes of text", len);
    else
        memcpy(copy, text, len);
    return copy;
}

int template_add_san(struct template *t, enum san_type type, const char *value, struct err *e)
{
    void *list = t->sans;
    char *copy;

    if (san_check(type, value, e) != 0)
        return -1;
    for (size_t i = 0; i < t->san_count; i++)
        if (t->sans[i].type == type && strcmp(t->sans[i].value, value) == 0)
            return 0;
    if (t->san_count == TEMPLATE_SAN_MAX)
        return err_set(e, ERR_INPUT, "more than %d SANs", TEMPLATE_SAN_MAX);
    if (grow(&list, t->san_count, sizeof *t->sans, e) != 0)
        return -1;
    t->sans = list;
    if ((copy = copy_text(value, e)) == NULL)
        return -1;
    t->sans[t->san_count++] = (struct san){ type, copy };
    return 0;
}

static int oid_check(const char *oid, struct err *e)
{
    struct buf der = BUF_INIT(256);
    int rc = der_oid(&der, oid, e);

    if (rc == 0)
        rc = buf_check(&der, e);
    buf_free(&der);
    return rc;
}

int template_add_eku(struct template *t, const char *oid, struct err *e)
{
    void *list = t->ekus;
    char *copy;

    if (oid == NULL || oid[0] == '\0')
        return err_set(e, ERR_INPUT, "an extended key usage is empty");
    if (oid_check(oid, e) != 0)
        return err_wrap(e, "extended key usage");
    for (size_t i = 0; i < t->eku_count; i++)
        if (strcmp(t->ekus[i], oid) == 0)
            return 0;
    if (t->eku_count == TEMPLATE_EKU_MAX)
        return err_set(e, ERR_INPUT, "more than %d extended key usages", TEMPLATE_EKU_MAX);
    if (grow(&list, t->eku_count, sizeof *t->ekus, e) != 0)
        return -1;
    t->ekus = list;
    if ((copy = copy_text(oid, e)) == NULL)
        return -1;
    t->ekus[t->eku_count++] = copy;
    return 0;
}

/* A decimal number up to max, without leading zeros, off the front of *s. */
static bool take_number(const char **s, uint64_t max)
{
    const char *start = *s;
    uint64_t n = 0;

    for (; **s >= '0' && **s <= '9' && *s - start < 15; (*s)++)
        n = n * 10 + (uint64_t)(**s - '0');
    return *s != start && n <= max && (*start != '0' || *s - start == 1);
}

/* S-1-<authority, 48 bits>-<1 to 15 sub-authorities, 32 bits each> ([MS-DTYP] 2.4.2.1) */
static bool sid_ok(const char *s)
{
    int count = 0;

    if (strncmp(s, "S-1-", 4) != 0)
        return false;
    s += 4;
    if (!take_number(&s, ((uint64_t)1 << 48) - 1))
        return false;
    while (*s == '-' && count < 15) {
        s++;
        if (!take_number(&s, UINT32_MAX))
            return false;
        count++;
    }
    return count > 0 && *s == '\0';
}

int template_set_sid(struct template *t, const char *sid, enum sid_encoding how, struct err *e)
{
    char *copy;

    if (sid == NULL || !sid_ok(sid))
        return err_set(e, ERR_INPUT, "\"%.80s\" is not a SID", sid != NULL ? sid : "");
    if ((unsigned)how > SID_BOTH)
        return err_set(e, ERR_INPUT, "SID encoding %u is unknown", (unsigned)how);
    if ((copy = copy_text(sid, e)) == NULL)
        return -1;
    free(t->sid);
    t->sid = copy;
    t->sid_encoding = how;
    return 0;
}

int template_write_sans(const struct template *t, struct buf *out, struct err *e)
{
    bool sid_uri = t->sid != NULL && (t->sid_encoding & SID_URI) != 0;
    size_t start = out->len, names;

    if (t->san_count == 0 && !sid_uri)
        return 0;
    for (size_t i = 0; i < t->san_count; i++)
        if (san_check(t->sans[i].type, t->sans[i].value, e) != 0)
            return -1;
    names = der_open(out, DER_SEQUENCE);
    for (size_t i = 0; i < t->san_count; i++)
        san_write(out, t->sans[i].type, t->sans[i].value);
    if (sid_uri)
        san_write_sid(out, t->sid);
    der_close(out, names);
    return buf_finish(out, start, e);
}

void template_free(struct template *t)
{
    for (size_t i = 0; i < t->san_count; i++)
        free(t->sans[i].value);
    for (size_t i = 0; i < t->eku_count; i++)
        free(t->ekus[i]);
    free(t->name);
    free(t->sans);
    free(t->sid);
    free(t->ekus);
    free(t->in_csr_oid);
    name_free(&t->subject);
    *t = (struct template){ 0 };
}
