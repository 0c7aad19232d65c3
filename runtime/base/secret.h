/* secret: libsodium wrapped once: random bytes, keyed hashes, constant-time comparison, memory that
 * is wiped and kept out of swap and core dumps. No cryptography of our own. Thread: any after
 * secret_init. Allocates: secret_alloc only, at start. */
#ifndef RUNTIME_BASE_SECRET_H
#define RUNTIME_BASE_SECRET_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_HASH_BYTES = 32, SECRET_KEY_BYTES = 32 };

/* Once per process, before anything else here; again is harmless. */
bool secret_init(struct err *e);

void secret_random(void *out, size_t n_bytes);

/* n_chars characters of 0-9A-Za-z, each uniform; not terminated. 43 of them carry 256 bits. */
void secret_base62(char *out, size_t n_chars);

/* BLAKE2b-256 (RFC 7693), keyed unless key is NULL. */
void secret_hash(uint8_t out[SECRET_HASH_BYTES], const uint8_t *key, struct str s);

/* True if equal; the time depends on n_bytes alone. */
bool secret_equal(const void *a, const void *b, size_t n_bytes);

/* Zeroes what the compiler may not optimise away. */
void secret_wipe(void *p, size_t n_bytes);

/* Zeroed pages between guard pages, locked in memory where the host's limit allows it, for as long
 * as the process lives: a sandboxed role may not unlock them. NULL on failure. */
void *secret_alloc(size_t n_bytes, struct err *e);

/* Lower-case hexadecimal of p, 2 * n_bytes characters and a final 0. */
void secret_hex(char *out, const uint8_t *p, size_t n_bytes);

#endif
