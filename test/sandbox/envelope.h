#ifndef SANDBOX_ENVELOPE_H
#define SANDBOX_ENVELOPE_H
#include "test/sandbox/setup.h"

/*
 * envelope.h - what only the device can open: CMS EnvelopedData or AuthEnvelopedData.
 *
 * content    "aes256-gcm", "aes256-cbc", "des-ede3-cbc": what it has to be encrypted with
 * transport  "rsaOaepSha256", "rsaPkcs1": for an RSA device
 * false: `why` says what is wrong; out may hold a part
 */
struct envelope_want {
    enum device device;
    const char *content, *transport;
};
bool envelope_open(const struct setup *s, const struct envelope_want *w, const struct str *cms,
    struct str *out, struct str *why);
#endif
