/* see bugreport.h.  The archive: ustar (POSIX.1-1988) in gzip; the one door to zlib. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "agent/cli/bugreport.h"
#include "certs/mem.h"

enum { BLOCK = 512, PIECE = 65536, GZIP_WINDOW = 15 + 16 };

/* Fields of the header: name, mode, uid, gid, size, mtime, sum, type ... in octal, each ended by a NUL. */
static void add_member(struct buf *to, const char *name, struct view content, int64_t at)
{
    static const uint8_t zeros[BLOCK];
    char h[BLOCK + 1] = "";
    unsigned sum = 0;

    (void)snprintf(h, 100, "certferry-bugreport/%s", name);
    (void)snprintf(h + 100, 8, "%07o", 0600u);
    (void)snprintf(h + 108, 8, "%07o", 0u);
    (void)snprintf(h + 116, 8, "%07o", 0u);
    (void)snprintf(h + 124, 12, "%011llo", (unsigned long long)content.len);
    (void)snprintf(h + 136, 12, "%011llo", (unsigned long long)at);
    memset(h + 148, ' ', 8); /* the sum is made with blanks in its own place */
    h[156] = '0';
    memcpy(h + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)h[i];
    (void)snprintf(h + 148, 8, "%06o", sum);
    h[155] = ' ';
    buf_add(to, h, BLOCK);
    buf_add_view(to, content);
    if (content.len % BLOCK != 0)
        buf_add(to, zeros, BLOCK - content.len % BLOCK);
}

static int compress_all(struct view in, struct buf *out, struct err *e)
{
    uint8_t *piece = xcalloc(1, PIECE);
    z_stream z = { 0 };
    int rc;

    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY)
        != Z_OK) {
        free(piece);
        return err_set(e, ERR_NOMEM, "zlib");
    }
    z.next_in = (Bytef *)(uintptr_t)in.p;
    z.avail_in = (uInt)in.len;
    do {
        z.next_out = piece;
        z.avail_out = PIECE;
        rc = deflate(&z, Z_FINISH);
        buf_add(out, piece, PIECE - z.avail_out);
    } while (rc == Z_OK);
    (void)deflateEnd(&z);
    free(piece);
    if (rc != Z_STREAM_END)
        return err_set(e, ERR_CRYPTO, "zlib: %d", rc);
    return buf_check(out, e);
}

int bugreport_pack(const struct bugreport *r, struct buf *out, struct err *e)
{
    struct buf tar = BUF_INIT(BUGREPORT_MAX), manifest = BUF_INIT(BUGREPORT_FILE_MAX);
    static const uint8_t end[2 * BLOCK];
    int rc = -1;

    if (bugreport_manifest(r, &manifest, e) == 0) {
        add_member(&tar, "manifest.json", buf_view(&manifest), r->at);
        for (size_t i = 0; i < r->count; i++)
            add_member(&tar, r->files[i].name, buf_view(&r->files[i].content), r->at);
        buf_add(&tar, end, sizeof end);
        if (buf_check(&tar, e) == 0)
            rc = compress_all(buf_view(&tar), out, e);
    }
    buf_free(&manifest);
    buf_free(&tar);
    return rc;
}
