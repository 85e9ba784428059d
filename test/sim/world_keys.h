#ifndef TEST_SIM_WORLD_KEYS_H
#define TEST_SIM_WORLD_KEYS_H
#include <openssl/types.h>

/* world_keys.h - the hierarchy of the simulated CA and one device, made once a program. */
struct world_keys {
    X509 *root, *issuing, *device;
    EVP_PKEY *root_key, *issuing_key, *device_key;
};
extern struct world_keys world_keys;
#endif
