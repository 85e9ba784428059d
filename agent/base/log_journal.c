/* see log_journal.h */
#include "agent/base/log_journal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "certs/buf.h"

enum { DATAGRAM_MAX = 16384 };

static int fd = -1;
static struct sockaddr_un journal = { .sun_family = AF_UNIX };

bool log_journal_open(const char *path)
{
    (void)snprintf(journal.sun_path, sizeof journal.sun_path, "%s",
        path != NULL ? path : "/run/systemd/journal/socket");
    if (fd < 0)
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 && access(journal.sun_path, W_OK) == 0;
}

bool log_journal_is_stderr(const char *stream)
{
    unsigned long long device, inode;
    struct stat st;
    char end;

    return stream != NULL && sscanf(stream, "%llu:%llu%c", &device, &inode, &end) == 2
           && fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static void put(struct buf *b, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(b, "%s=", key);
    for (; *value != '\0'; value++) /* a line end would begin another field */
        buf_add_byte(b, *value == '\n' ? '?' : (uint8_t)*value);
    buf_add_text(b, "\n");
}

static void put_why(struct buf *b, const struct err *why)
{
    put(b, "CC_CLASS", err_name(why->cls));
    if (why->number != 0)
        buf_printf(b, "CC_NUMBER=%lu\n", (unsigned long)why->number);
    put(b, "CC_AT", why->where);
}

/* Of syslog(3). */
static int priority(const char *level)
{
    return strcmp(level, "error") == 0     ? 3
           : strcmp(level, "warning") == 0 ? 4
           : strcmp(level, "info") == 0    ? 6
                                           : 7;
}

static void write_fields(struct buf *b, const struct event_help *h, const char *request,
    const char *peer, const char *text, const struct err *why)
{
    buf_printf(b, "MESSAGE=%s%s%s", h->name, text[0] != '\0' ? ": " : "", text);
    buf_add_text(b, "\n");
    buf_printf(b, "PRIORITY=%d\nSYSLOG_IDENTIFIER=certferry\n", priority(h->level));
    buf_printf(b, "MESSAGE_ID=c3a71e5a9b0f4d0d8d36f0ca%08x\n", (unsigned)h->number);
    put(b, "CC_EVENT", h->name);
    buf_printf(b, "CC_EVENT_ID=%d\nCC_CHANNEL=%s\n", h->number, h->admin ? "Admin" : "Operational");
    put(b, "CC_REQUEST_ID", request);
    put(b, "CC_PEER", peer);
    if (why != NULL)
        put_why(b, why);
}

bool log_journal_put(enum log_event ev, const char *request, const char *peer, const char *text,
    const struct err *why)
{
    struct buf b = BUF_INIT(DATAGRAM_MAX);
    struct event_help h;
    bool sent;

    event_help_at(ev, &h);
    write_fields(&b, &h, request, peer, text, why);
    /* The address each time: a journal that was restarted is found again. */
    sent = !b.bad
           && sendto(fd, b.p, b.len, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&journal,
                  sizeof journal)
                  == (ssize_t)b.len;
    buf_free(&b);
    return sent;
}
