/* see status.h.  The page: what the screen has, and the last outcomes. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/cli/status.h"
#include "certs/text.h"

/* Every byte that means something to a browser as a number; control characters and what turns lines around as a dot. */
static void add(struct buf *b, const char *text)
{
    struct view rest = view_text(text);

    while (rest.len > 0) {
        uint32_t c;
        size_t n = utf8_next(rest, &c);

        if (n == 0) {
            buf_add_text(b, "\xc2\xb7");
            n = 1;
        } else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f)
                   || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f)) {
            buf_add_text(b, "\xc2\xb7");
        } else if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' || c == '`') {
            buf_printf(b, "&#%u;", (unsigned)c);
        } else {
            buf_add(b, rest.p, n);
        }
        rest = view_of(rest.p + n, rest.len - n);
    }
}

static void cell(struct buf *b, const char *text)
{
    buf_add_text(b, "<td>");
    add(b, text);
    buf_add_text(b, "</td>");
}

static void number_cell(struct buf *b, int64_t n)
{
    buf_printf(b, "<td class=\"n\">%lld</td>", (long long)n);
}

static void ago_cell(struct buf *b, int64_t at, int64_t now)
{
    char text[40];

    cell(b, cli_ago(at, now, text, sizeof text));
}

/* A table with a heading; rows follow, then end(). */
static void begin(struct buf *b, const char *title, const char *const *heads)
{
    buf_printf(b, "<h2>%s</h2>\n<table><tr>", title);
    for (; *heads != NULL; heads++)
        buf_printf(b, "<th>%s</th>", *heads);
    buf_add_text(b, "</tr>\n");
}

static void end(struct buf *b)
{
    buf_add_text(b, "</table>\n");
}

/* ---- the parts -------------------------------------------------------------------------------------------------- */

static void put_causes(const struct json *d, int64_t now, struct buf *b)
{
    static const char *const heads[] = { "Part", "Name", "What", "Since", "Next try", NULL };
    const struct json *list = json_get(d, "causes");

    if (json_count(list) == 0)
        return;
    begin(b, "What is the matter", heads);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *c = json_at(list, i);

        buf_add_text(b, "<tr class=\"bad\">");
        cell(b, cli_text(c, "part"));
        cell(b, cli_text(c, "name"));
        cell(b, cli_text(c, "message"));
        ago_cell(b, cli_time(c, "since"), now);
        ago_cell(b, cli_time(c, "nextTry"), now);
        buf_add_text(b, "</tr>\n");
    }
    end(b);
}

static void put_peers(const struct json *d, int64_t now, struct buf *b)
{
    static const char *const heads[] = { "Peer", "Type", "State", "Last answer", "Answers",
        "Failures", NULL };
    const struct json *list = json_get(d, "peers");

    if (list == NULL)
        return;
    begin(b, "Peers", heads);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *p = json_at(list, i);

        buf_add_text(b, "<tr>");
        cell(b, cli_text(p, "name"));
        cell(b, cli_text(p, "type"));
        cell(b, cli_text(p, "state"));
        ago_cell(b, cli_time(p, "lastOk"), now);
        number_cell(b, cli_number(p, "answers"));
        number_cell(b, cli_number(p, "failures"));
        buf_add_text(b, "</tr>\n");
    }
    end(b);
}

static void put_queue(const struct json *d, int64_t now, struct buf *b)
{
    static const char *const heads[] = { "Requests", "State", "Wait for", "Name", "Oldest", NULL };
    const struct json *list = json_get(d, "queue");

    begin(b, "Queue", heads);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *w = json_at(list, i);

        buf_add_text(b, "<tr>");
        number_cell(b, cli_number(w, "count"));
        cell(b, cli_text(w, "state"));
        cell(b, cli_text(w, "waitsFor"));
        cell(b, cli_text(w, "name"));
        ago_cell(b, cli_time(w, "oldest"), now);
        buf_add_text(b, "</tr>\n");
    }
    end(b);
}

static void put_certificates(const struct json *d, struct buf *b)
{
    static const char *const heads[] = { "Certificate", "Name", "Ends", "Days left", NULL };
    const struct json *list = json_get(d, "certificates");

    begin(b, "Certificates of the service", heads);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *c = json_at(list, i);

        buf_add_text(b, cli_number(c, "daysLeft") < 14 ? "<tr class=\"bad\">" : "<tr>");
        cell(b, cli_text(c, "purpose"));
        cell(b, cli_text(c, "name"));
        cell(b, cli_text(c, "notAfter"));
        number_cell(b, cli_number(c, "daysLeft"));
        buf_add_text(b, "</tr>\n");
    }
    end(b);
}

static void put_outcomes(const struct json *d, struct buf *b)
{
    static const char *const heads[] = { "Ended", "Request", "Type", "Outcome", "CA", "Reason",
        NULL };
    const struct json *list = json_get(d, "outcomes");

    begin(b, "Last outcomes", heads);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *r = json_at(list, i);

        buf_add_text(b, "<tr>");
        cell(b, cli_text(r, "ended"));
        cell(b, cli_text(r, "id"));
        cell(b, cli_text(r, "type"));
        cell(b, cli_text(r, "state"));
        cell(b, cli_text(r, "ca"));
        cell(b, cli_text(r, "reason"));
        buf_add_text(b, "</tr>\n");
    }
    end(b);
}

void status_html(const struct json *d, int64_t now, struct buf *b)
{
    const struct json *day = json_get(d, "lastDay");
    char at[24];

    time_text(now, at);
    buf_add_text(b,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\"><title>certferry</title>\n"
        "<style>body{font:15px sans-serif;margin:2em;max-width:72em}table{border-collapse:collapse}"
        "td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #ccc}.n{text-align:right}"
        ".bad{background:#fde8e8}</style></head><body>\n<h1>certferry ");
    add(b, cli_text(d, "version"));
    buf_add_text(b, ": ");
    add(b, cli_text(d, "health"));
    buf_printf(b, "</h1>\n<p>As of %s.", at);
    if (json_get(d, "peers") == NULL)
        buf_add_text(b, " No service is running; this is what its store holds.");
    buf_printf(b,
        " Last 24 hours: %lld delivered, %lld rejected, %lld orphans, %lld possible "
        "duplicates.</p>\n",
        (long long)cli_number(day, "delivered"), (long long)cli_number(day, "rejected"),
        (long long)cli_number(day, "orphans"), (long long)cli_number(day, "duplicatesPossible"));
    put_causes(d, now, b);
    put_peers(d, now, b);
    put_queue(d, now, b);
    put_certificates(d, b);
    put_outcomes(d, b);
    buf_add_text(b, "</body></html>\n");
}
