#include "runtime/base/secret.h"

#include <sodium.h>

#include <string.h>

_Static_assert(SECRET_HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(SECRET_KEY_BYTES == crypto_generichash_KEYBYTES, "BLAKE2b key");

bool secret_init(struct err *e)
{
    if (sodium_init() < 0)
        return err_set(e, ERR_STATE,
                       "secret: libsodium cannot start (no source of random numbers)");
    return true;
}

void secret_random(void *out, size_t n_bytes)
{
    randombytes_buf(out, n_bytes);
}

void secret_base62(char *out, size_t n_chars)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < n_chars; i++)
        out[i] = digits[randombytes_uniform(62)];
}

void secret_hash(uint8_t out[SECRET_HASH_BYTES], const uint8_t *key, struct str s)
{
    crypto_generichash(out, SECRET_HASH_BYTES, (const unsigned char *)s.p, s.n_bytes, key,
                       key ? SECRET_KEY_BYTES : 0);
}

bool secret_equal(const void *a, const void *b, size_t n_bytes)
{
    return sodium_memcmp(a, b, n_bytes) == 0;
}

void secret_wipe(void *p, size_t n_bytes)
{
    sodium_memzero(p, n_bytes);
}

void *secret_alloc(size_t n_bytes, struct err *e)
{
    void *p = sodium_malloc(n_bytes);
    if (!p)
        return err_null(e, ERR_NOMEM, "secret: no memory for %zu bytes", n_bytes);
    memset(p, 0, n_bytes);
    return p;
}

void secret_hex(char *out, const uint8_t *p, size_t n_bytes)
{
    sodium_bin2hex(out, 2 * n_bytes + 1, p, n_bytes);
}
