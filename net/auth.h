/* auth: API keys (api.md 3). Text of a key: "sk-hearth-" + 8 characters of public id + "-" + 43 of
 * secret, base62. Stored is only BLAKE2b-256 of the secret, keyed with the device's pepper. Flow:
 * boot: key_create -> its files -> struct key_table in a sealed memfd -> edge: auth_load ->
 * auth_check per request. The check takes the same time for unknown ids: they are hashed and
 * compared with a record that no secret fits. Thread: owner's. Allocates: auth_open. Key text is
 * wiped by whoever holds it. */
#ifndef NET_AUTH_H
#define NET_AUTH_H

#include "net/addr.h"
#include "runtime/base/err.h"
#include "runtime/base/secret.h"

enum {
    KEY_ID_BYTES = 8,
    KEY_SECRET_BYTES = 43,
    KEY_TEXT_BYTES = 10 + KEY_ID_BYTES + 1 + KEY_SECRET_BYTES, /* without a final 0 */
    KEY_NAME_BYTES = 48,
    KEY_TABLE_MAX = 256,
    KEY_TABLE_VERSION = 1,
    KEY_NONE = -1,
};

enum key_scope { KEY_CHAT = 1, KEY_METRICS = 2, KEY_ADMIN = 4, KEY_KIOSK = 8 };

/* 0 = no limit, except weight (then 1). */
struct key_limits {
    uint32_t requests_per_min, tokens_per_min, n_concurrent, weight;
    uint64_t tokens_per_day;
};

struct key_record {
    char id[KEY_ID_BYTES];
    char name[KEY_NAME_BYTES]; /* terminated */
    uint32_t scopes;           /* enum key_scope */
    uint32_t last_used_day;    /* days since 1970; boot's */
    uint8_t hash[SECRET_HASH_BYTES];
    int64_t created_s, expires_s, revoked_s; /* 0 = never */
    struct key_limits limits;
};

struct key_table {
    uint32_t version, n_keys;
    uint8_t pepper[SECRET_KEY_BYTES];
    struct key_record keys[KEY_TABLE_MAX];
};

/* What a new key is to be; the record's other fields come from chance and the clock. */
struct key_order {
    const char *name;
    uint32_t scopes;
    int64_t expires_s;
    struct key_limits limits;
};

/* Makes a key: the record to store and the text to show once (terminated). ERR_LIMIT: name empty or
 * too long. */
bool key_create(const struct key_order *order, const uint8_t pepper[SECRET_KEY_BYTES],
                int64_t now_s, struct key_record *out, char text[KEY_TEXT_BYTES + 1],
                struct err *e);

/* "chat", "metrics", "admin", "kiosk", comma-separated; false names the word that is none of them.
 */
bool key_scopes_parse(struct str words, uint32_t *scopes, struct err *e);

enum auth_result { AUTH_OK, AUTH_MISSING, AUTH_INVALID, AUTH_EXPIRED, AUTH_REVOKED };

enum {
    AUTH_MAX_FAILURES = 10, /* in AUTH_WINDOW_MS per address, then refused for as long */
    AUTH_WINDOW_MS = 60000,
    AUTH_N_SLOTS = 1024,
};

struct auth {
    struct key_table *table; /* guarded memory */
    struct auth_slot {
        struct addr addr;
        int64_t since_ms, blocked_until_ms;
        uint32_t n_failures;
    } slots[AUTH_N_SLOTS];
};

/* Takes the guarded memory, for as long as the process lives. */
bool auth_open(struct auth *a, struct err *e);

/* Takes over a copy of the table after checking it. */
bool auth_load(struct auth *a, const struct key_table *table, struct err *e);

/* authorization: value of that header or NULL; api_key: value of x-api-key, looked at only if the
 * other is absent. *key_no: index in the table for AUTH_OK, else KEY_NONE. */
enum auth_result auth_check(const struct auth *a, const struct str *authorization,
                            const struct str *api_key, int64_t now_s, int *key_no);

/* Index of the usable key with this id, or KEY_NONE. */
int auth_find(const struct auth *a, const char id[KEY_ID_BYTES], int64_t now_s);

/* Failures per address. A blocked address is refused before its key is looked at. */
bool auth_is_blocked(const struct auth *a, const struct addr *from, int64_t now_ms);
void auth_note_failure(struct auth *a, const struct addr *from, int64_t now_ms);

#endif
