/* The third-party libraries as this build compiled and configured them, on this architecture: their
 * published self-tests guard the compiler flags, the rest guards what image/mbedtls_config.h
 * promises to net/. */
#include "tests/t.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <mbedtls/aes.h>
#include <mbedtls/base64.h>
#include <mbedtls/bignum.h>
#include <mbedtls/chacha20.h>
#include <mbedtls/chachapoly.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/gcm.h>
#include <mbedtls/hmac_drbg.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/platform.h>
#include <mbedtls/poly1305.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#include <psa/crypto.h>
#include <sodium.h>

TEST(deps_mbedtls_is_a_3_6_with_the_security_fixes)
{
    CHECK_EQ(mbedtls_version_get_number() >> 16, 0x0306);
    CHECK_TRUE(mbedtls_version_get_number() >= 0x03060600);
}

TEST(deps_mbedtls_ciphers_pass_their_self_tests)
{
    CHECK_EQ(mbedtls_aes_self_test(0), 0);
    CHECK_EQ(mbedtls_gcm_self_test(0), 0);
    CHECK_EQ(mbedtls_chacha20_self_test(0), 0);
    CHECK_EQ(mbedtls_poly1305_self_test(0), 0);
    CHECK_EQ(mbedtls_chachapoly_self_test(0), 0);
    CHECK_EQ(mbedtls_base64_self_test(0), 0);
}

TEST(deps_mbedtls_hashes_and_random_pass_their_self_tests)
{
    CHECK_EQ(mbedtls_sha256_self_test(0), 0);
    CHECK_EQ(mbedtls_sha384_self_test(0), 0);
    CHECK_EQ(mbedtls_sha512_self_test(0), 0);
    CHECK_EQ(mbedtls_hmac_drbg_self_test(0), 0);
    CHECK_EQ(mbedtls_ctr_drbg_self_test(0), 0);
    CHECK_EQ(mbedtls_entropy_self_test(0), 0);
}

TEST(deps_mbedtls_curves_pass_their_self_tests)
{
    CHECK_EQ(mbedtls_mpi_self_test(0), 0);
    CHECK_EQ(mbedtls_ecp_self_test(0), 0);
}

TEST(deps_mbedtls_offers_only_forward_secret_aead_suites)
{
    const int *ids = mbedtls_ssl_list_ciphersuites();
    int n_suites = 0;
    for (; ids[n_suites]; n_suites++) {
        const char *name = mbedtls_ssl_get_ciphersuite_name(ids[n_suites]);
        bool is_tls13 = strncmp(name, "TLS1-3-", 7) == 0;
        CHECK_TRUE(is_tls13 || strncmp(name, "TLS-ECDHE-ECDSA-", 16) == 0);
        CHECK_TRUE(strstr(name, "GCM") || strstr(name, "CHACHA20-POLY1305"));
    }
    CHECK_TRUE(n_suites >= 6);
}

TEST(deps_psa_holds_a_thousand_keys_at_once)
{
    enum { N_KEYS = 1000 }; /* 256 connections with up to four traffic keys each */
    static const uint8_t secret[16] = {1, 2, 3};
    static psa_key_id_t ids[N_KEYS];
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_ENCRYPT);
    psa_set_key_algorithm(&attributes, PSA_ALG_GCM);
    psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
    MUST_TRUE(psa_crypto_init() == PSA_SUCCESS, NULL);
    for (int i = 0; i < N_KEYS; i++)
        CHECK_EQ(psa_import_key(&attributes, secret, sizeof secret, &ids[i]), PSA_SUCCESS);
    for (int i = 0; i < N_KEYS; i++)
        CHECK_EQ(psa_destroy_key(ids[i]), PSA_SUCCESS);
    mbedtls_psa_crypto_free();
}

static int n_hooked; /* calls of the hooks below */

static void *hook_calloc(size_t n_elems, size_t elem_bytes)
{
    n_hooked++;
    return calloc(n_elems, elem_bytes);
}

static void hook_free(void *p)
{
    free(p);
}

TEST(deps_mbedtls_takes_its_memory_from_the_hooks)
{
    mbedtls_mpi number;
    MUST_TRUE(mbedtls_platform_set_calloc_free(hook_calloc, hook_free) == 0, NULL);
    mbedtls_mpi_init(&number);
    CHECK_EQ(mbedtls_mpi_lset(&number, 7), 0);
    mbedtls_mpi_free(&number);
    CHECK_TRUE(n_hooked > 0);
}

TEST(deps_mbedtls_pool_allocator_passes_its_self_test)
{
    CHECK_EQ(mbedtls_memory_buffer_alloc_self_test(0), 0);
}

/* RFC 7693, appendix A */
TEST(deps_libsodium_hashes_abc_as_the_rfc_does)
{
    static const uint8_t want[16] = {0xba, 0x80, 0xa5, 0x3f, 0x98, 0x1c, 0x4d, 0x0d,
                                     0x6a, 0x27, 0x97, 0xb6, 0x9f, 0x12, 0xf6, 0xe9};
    uint8_t hash[64];
    MUST_TRUE(sodium_init() >= 0, NULL);
    CHECK_EQ(crypto_generichash(hash, sizeof hash, (const uint8_t *)"abc", 3, NULL, 0), 0);
    CHECK_BYTES(hash, want, sizeof want);
}

TEST(deps_jansson_reads_nested_values_and_64_bit_integers)
{
    json_error_t error;
    json_t *root =
        json_loads("{\"a\":[1,9007199254740993,\"\\u00e4\"]}", JSON_REJECT_DUPLICATES, &error);
    MUST_TRUE(root, error.text);
    json_t *list = json_object_get(root, "a");
    CHECK_EQ(json_array_size(list), 3);
    CHECK_EQ(json_integer_value(json_array_get(list, 1)), INT64_C(9007199254740993));
    CHECK_STR(json_string_value(json_array_get(list, 2)), "\xc3\xa4");
    CHECK_TRUE(!json_loads("{\"a\":1,\"a\":2}", JSON_REJECT_DUPLICATES, &error));
    json_decref(root);
}
