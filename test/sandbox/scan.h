#ifndef SANDBOX_SCAN_H
#define SANDBOX_SCAN_H
#include <stdbool.h>
#include <stddef.h>

/*
 * scan.h - JSON text as it was sent.
 *
 * json-c takes the last of two members with one name and forgets the bytes.  This walk refuses the
 * first and keeps the second: the raw text of each element of one array, for digests.
 */
struct slice {
    const char *p;
    size_t len;
};

/*
 * scan_json - walk the text.  If `member` is not NULL, the elements of the array of that name in the
 * root object go to `out`, at most `max`, and *count says how many there are.
 * false: not JSON, a member twice in one object, deeper than 32, a NUL, something after the value
 */
bool scan_json(
    const char *text, size_t len, const char *member, struct slice *out, size_t max, size_t *count);

/* scan_member - the raw text of one member of the root object.  false: as above, or it is not there */
bool scan_member(const char *text, size_t len, const char *member, struct slice *value);
#endif
