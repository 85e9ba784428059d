/* see expect.h: names as a certificate has them */
#include "test/sandbox/expect.h"
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void lines_sort(struct str *lines)
{
    char *copy = need_copy(str_text(lines)), *p = copy, **line = NULL;
    size_t count = 0;

    while (*p != '\0') {
        line = need(realloc(line, (count + 1) * sizeof *line));
        line[count++] = p;
        p += strcspn(p, "\n");
        if (*p != '\0')
            *p++ = '\0';
    }
    if (count > 1)
        qsort(line, count, sizeof *line, compare);
    str_cut(lines, 0);
    for (size_t i = 0; i < count; i++)
        str_f(lines, "%s\n", line[i]);
    free(line);
    free(copy);
}

static char *utf8_of(const ASN1_STRING *s)
{
    unsigned char *utf8 = NULL;
    char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, s);

    if (len >= 0 && memchr(utf8, '\0', (size_t)len) == NULL)
        text = need_copy((const char *)utf8);
    OPENSSL_free(utf8);
    return text;
}

void name_cn(X509_NAME *n, char *out, size_t room)
{
    int at = X509_NAME_get_index_by_NID(n, NID_commonName, -1);
    char *text = at < 0 ? NULL : utf8_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(n, at)));

    copy_n(out, room, text == NULL ? "" : text);
    free(text);
}

void name_one_line(X509_NAME *n, struct str *out)
{
    for (int i = 0; i < X509_NAME_entry_count(n); i++) {
        X509_NAME_ENTRY *e = X509_NAME_get_entry(n, i);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e));
        char *value = utf8_of(X509_NAME_ENTRY_get_data(e));
        char oid[64];

        OBJ_obj2txt(oid, sizeof oid, X509_NAME_ENTRY_get_object(e), 1);
        str_f(out, "%s%s=%s", i > 0 ? ", " : "", nid == NID_undef ? oid : OBJ_nid2sn(nid),
            value == NULL ? "?" : value);
        free(value);
    }
    str_add(out, "", 0);
}

/* Is there an entry like `e` in RDN number `set` of n? */
static bool has_entry(X509_NAME *n, const X509_NAME_ENTRY *e, int set)
{
    char *want = utf8_of(X509_NAME_ENTRY_get_data(e));
    bool found = false;

    for (int i = 0; want != NULL && !found && i < X509_NAME_entry_count(n); i++) {
        X509_NAME_ENTRY *o = X509_NAME_get_entry(n, i);
        char *have;

        if (X509_NAME_ENTRY_set(o) != set
            || OBJ_cmp(X509_NAME_ENTRY_get_object(o), X509_NAME_ENTRY_get_object(e)) != 0)
            continue;
        have = utf8_of(X509_NAME_ENTRY_get_data(o));
        found = have != NULL && strcmp(have, want) == 0;
        free(have);
    }
    free(want);
    return found;
}

bool name_same(X509_NAME *a, X509_NAME *b)
{
    if (X509_NAME_entry_count(a) != X509_NAME_entry_count(b))
        return false;
    for (int i = 0; i < X509_NAME_entry_count(a); i++) {
        X509_NAME_ENTRY *e = X509_NAME_get_entry(a, i);

        if (!has_entry(b, e, X509_NAME_ENTRY_set(e)))
            return false;
    }
    return true;
}

static bool other_name(const OTHERNAME *o, struct str *lines)
{
    char oid[64];
    char *text = NULL;

    OBJ_obj2txt(oid, sizeof oid, o->type_id, 1);
    if (strcmp(oid, "1.3.6.1.4.1.311.20.2.3") == 0 && o->value->type == V_ASN1_UTF8STRING)
        text = utf8_of(o->value->value.utf8string);
    if (text != NULL)
        str_f(lines, "upn:%s\n", text);
    else
        str_f(lines, "other:%s\n", oid);
    free(text);
    return true;
}

static bool one_name(const GENERAL_NAME *g, struct str *lines)
{
    static const struct {
        int type;
        const char *prefix;
    } plain[] = { { GEN_EMAIL, "email:" }, { GEN_DNS, "dns:" }, { GEN_URI, "uri:" } };
    int type;
    void *value = GENERAL_NAME_get0_value(g, &type);

    if (type == GEN_OTHERNAME)
        return other_name(value, lines);
    if (type == GEN_IPADD) {
        str_puts(lines, "ip:");
        str_hex(lines, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), false);
        str_puts(lines, "\n");
        return true;
    }
    for (size_t i = 0; i < 3; i++) {
        if (plain[i].type != type)
            continue;
        if (memchr(ASN1_STRING_get0_data(value), '\0', (size_t)ASN1_STRING_length(value)) != NULL)
            return false;
        str_puts(lines, plain[i].prefix);
        str_add(lines, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
        str_puts(lines, "\n");
        return true;
    }
    str_f(lines, "other:type %d\n", type);
    return true;
}

bool names_lines(GENERAL_NAMES *all, struct str *lines)
{
    bool ok = true;

    str_add(lines, "", 0);
    for (int i = 0; ok && i < sk_GENERAL_NAME_num(all); i++)
        ok = one_name(sk_GENERAL_NAME_value(all, i), lines);
    lines_sort(lines);
    return ok;
}

bool cert_names(X509 *x, struct str *lines)
{
    int critical = 0;
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
    bool ok = (all != NULL || critical == -1) && names_lines(all, lines);

    GENERAL_NAMES_free(all);
    return ok;
}
