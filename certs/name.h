#ifndef CERTS_NAME_H
#define CERTS_NAME_H
#include "certs/buf.h"

/*
 * name.h - a distinguished name (RFC 5280 4.1.2.4), and how it is made from a subject format.
 *
 * A struct name is a list of RDNs, most significant first as they are encoded; an RDN holds one or
 * more attributes.  Values are UTF-8, already resolved: nothing in them is unescaped.
 *
 * Encoding: countryName and serialNumber PrintableString, emailAddress and DC IA5String, all else
 * UTF8String.  Multi-valued RDNs are sorted as DER SET OF demands.
 *
 * Limits: 32 RDNs, 8 attributes each, no type twice in one; a value 1..upper bound of RFC 5280 appendix
 * A in characters (CN 64, O 64, OU 64, C exactly 2 letters ..., 255 where it names none); valid UTF-8, no
 * control characters.
 * Threads: pure.
 */
enum { NAME_RDN_MAX = 32, NAME_ATTR_MAX = 8 };

struct name_attr {
    char *type;  /* as in the list at name_add, first spelling, or dotted OID; owned */
    char *value; /* UTF-8, owned */
};
struct name_rdn {
    struct name_attr attr[NAME_ATTR_MAX];
    size_t count;
};
struct name {
    struct name_rdn rdn[NAME_RDN_MAX];
    size_t count;
};

/* A variable of a subject format: {{name}}. */
struct name_var {
    const char *name;  /* "UserPrincipalName"; compared without regard to case */
    const char *value; /* UTF-8; NULL or "" = has no value */
};

/*
 * name_add - append `type = value`: to the last RDN if `joined`, else as a new RDN.
 *
 * type     CN, E or emailAddress, O, OU, C, L, S or ST, STREET, T, G, SN, I, DC, UID, serialNumber, or dotted OID;
 *          without regard to case; a dotted OID of the list is the same as its name
 * fails    ERR_INPUT: unknown type, empty or too long value, control character, too many; ERR_NOMEM
 */
int name_add(struct name *n, const char *type, const char *value, bool joined, struct err *e) MUST;

/*
 * name_parse - from a format such as `CN={{UserName}},OU="R&D, Berlin",O=Contoso+C=DE`.
 *
 * Grammar: RDNs separated by ',', written left to right in the order they are encoded; attributes of
 * one RDN joined by '+'; a value is plain, with `\` before `, + " \ ; = { }`, or whole in double quotes,
 * where `\` stands before the same characters but only `" \ { }` need it.  Blanks around a type and a
 * plain value do not count.  {{name}} is a variable: ASCII letters, digits, '_', '.', '-'.
 * Variables are replaced after parsing, so a value can never add an RDN.
 *
 * n        replaced; unchanged on failure.  An empty format gives an empty name
 * fails    ERR_VARIABLE: a variable is unknown or empty, the message names it
 *          ERR_INPUT: not a subject format; the message says where (1-based column, in characters)
 */
int name_parse(struct name *n, const char *format, const struct name_var *vars, size_t var_count,
    struct err *e) MUST;

/* name_expand - the same replacement in one value (a SAN): appends UTF-8 text to out.  `\`, '"' and
 * single braces are plain characters here; "{{" without a name and "}}" is ERR_INPUT. */
int name_expand(const char *format, const struct name_var *vars, size_t var_count, struct buf *out,
    struct err *e) MUST;

/* name_write - the DER Name.  An empty name gives an empty SEQUENCE. */
int name_write(const struct name *n, struct buf *out, struct err *e) MUST;

/* name_text - DER Name as RFC 4514-like text for people, in the order it is encoded, cleaned:
 * "CN=Ada, O=Contoso"; "?" if it is not a DER Name. */
void name_text(struct view der, struct buf *out);

/* name_equal - do two DER Names mean the same (RFC 5280 7.1: type, and value without regard to the
 * string type, ASCII case and runs of spaces)?  False for anything that is not a DER Name. */
bool name_equal(struct view a, struct view b);

/* name_equal_set - the same with the RDNs in any order (not the attributes of one spread over two);
 * false also for names of more than NAME_RDN_MAX. */
bool name_equal_set(struct view a, struct view b);

void name_free(struct name *n); /* frees what it holds; n is empty afterwards */
#endif
