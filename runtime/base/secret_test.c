#include "runtime/base/secret.h"

#include "tests/t.h"

static const char *hex_of_hash(const uint8_t *key, struct str s)
{
    static char hex[2 * SECRET_HASH_BYTES + 1];
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash(hash, key, s);
    secret_hex(hex, hash, sizeof hash);
    return hex;
}

TEST(secret_hash_is_blake2b_256)
{
    struct err e;
    MUST_TRUE(secret_init(&e), e.msg);
    /* python3: hashlib.blake2b(b"abc", digest_size=32).hexdigest(), and with key=bytes(range(32))
     */
    CHECK_STR(hex_of_hash(NULL, STR("abc")),
              "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    uint8_t key[SECRET_KEY_BYTES];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    CHECK_STR(hex_of_hash(key, STR("abc")),
              "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
}

TEST(secret_base62_uses_every_digit_and_no_other_byte)
{
    struct err e;
    MUST_TRUE(secret_init(&e), e.msg);
    char c[8192];
    bool seen[256] = {false};
    secret_base62(c, sizeof c);
    size_t n_seen = 0, n_wrong = 0;
    for (size_t i = 0; i < sizeof c; i++) {
        unsigned char d = (unsigned char)c[i];
        n_wrong += !((d >= '0' && d <= '9') || (d >= 'A' && d <= 'Z') || (d >= 'a' && d <= 'z'));
        n_seen += !seen[d];
        seen[d] = true;
    }
    CHECK_EQ(n_wrong, 0);
    CHECK_EQ(n_seen, 62); /* a digit is missing by chance once in 10^56 runs */
}

TEST(secret_memory_starts_zeroed_and_compares)
{
    struct err e;
    MUST_TRUE(secret_init(&e), e.msg);
    char *p = secret_alloc(100, &e), zero[100] = {0};
    MUST_TRUE(p != NULL, e.msg);
    CHECK_TRUE(secret_equal(p, zero, sizeof zero));
    p[99] = 1;
    CHECK_TRUE(!secret_equal(p, zero, sizeof zero));
    secret_wipe(p, 100);
    CHECK_TRUE(secret_equal(p, zero, sizeof zero));
}
