/*
 * see spki.h.  The public keys seen last, one shelf a thread.
 *
 * A SCEP request shows the same RSA key three times: its message is signed with it, its CSR is, and the answer is encrypted
 * to it.  Each time OpenSSL 3.0 would look through all its names for the key's type, and compute the numbers that
 * multiplying modulo n begins with.
 */
#include <stdlib.h>
#include <openssl/evp.h>
#include "certs/key_inner.h"
#include "certs/mem.h"
#include "certs/spki.h"

enum { PLACES = 16, NUMBERS_MAX = 1024 };

struct spki_shelf {
    struct place {
        EVP_PKEY *key;
        size_t modulus_len;
        struct buf numbers; /* modulus, exponent */
    } place[PLACES];
    size_t next; /* the one kept longest */
};

static void shelf_free(struct spki_shelf *s)
{
    for (size_t i = 0; i < PLACES; i++) {
        EVP_PKEY_free(s->place[i].key);
        buf_free(&s->place[i].numbers);
    }
    free(s);
}

static bool is(const struct place *p, const struct spki *s)
{
    struct view all = buf_view(&p->numbers);

    return p->key != NULL && p->modulus_len == s->modulus.len
           && all.len == s->modulus.len + s->exponent.len
           && view_equal(view_of(all.p, p->modulus_len), s->modulus)
           && view_equal(view_of(all.p + p->modulus_len, s->exponent.len), s->exponent);
}

EVP_PKEY *spki_kept(struct lib *l, const struct spki *s)
{
    for (size_t i = 0; l->spkis != NULL && i < PLACES; i++)
        if (is(&l->spkis->place[i], s) && EVP_PKEY_up_ref(l->spkis->place[i].key) == 1)
            return l->spkis->place[i].key;
    return NULL;
}

/* Without memory for it there is none to keep, and that is all. */
void spki_keep(struct lib *l, const struct spki *s, EVP_PKEY *key)
{
    struct place *p;
    struct err ignored;

    if (l->spkis == NULL) {
        if ((l->spkis = mem_try(1, sizeof *l->spkis)) == NULL)
            return;
        l->spkis_free = shelf_free;
    }
    p = &l->spkis->place[l->spkis->next++ % PLACES];
    EVP_PKEY_free(p->key);
    p->key = NULL;
    buf_free(&p->numbers);
    p->numbers = (struct buf)BUF_INIT(NUMBERS_MAX);
    p->modulus_len = s->modulus.len;
    buf_add_view(&p->numbers, s->modulus);
    buf_add_view(&p->numbers, s->exponent);
    if (buf_check(&p->numbers, &ignored) == 0 && EVP_PKEY_up_ref(key) == 1)
        p->key = key;
}
