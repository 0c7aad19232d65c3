#include "net/auth.h"

#include "net/http.h"

#include <string.h>

static const char prefix[] = "sk-hearth-";
enum { PREFIX_BYTES = sizeof prefix - 1 };
_Static_assert(PREFIX_BYTES + KEY_ID_BYTES + 1 + KEY_SECRET_BYTES == KEY_TEXT_BYTES,
               "length of a key");

static const struct {
    const char *word;
    enum key_scope scope;
} scope_words[] = {
    {"chat", KEY_CHAT}, {"metrics", KEY_METRICS}, {"admin", KEY_ADMIN}, {"kiosk", KEY_KIOSK}};

bool key_create(const struct key_order *order, const uint8_t pepper[SECRET_KEY_BYTES],
                int64_t now_s, struct key_record *out, char text[KEY_TEXT_BYTES + 1], struct err *e)
{
    size_t n_name = strlen(order->name);
    memset(out, 0, sizeof *out);
    if (n_name == 0 || n_name >= sizeof out->name)
        return err_set(e, ERR_LIMIT, "key: a name has 1 to %zu bytes", sizeof out->name - 1);
    memcpy(out->name, order->name, n_name);
    memcpy(text, prefix, PREFIX_BYTES);
    secret_base62(text + PREFIX_BYTES, KEY_ID_BYTES);
    text[PREFIX_BYTES + KEY_ID_BYTES] = '-';
    secret_base62(text + PREFIX_BYTES + KEY_ID_BYTES + 1, KEY_SECRET_BYTES);
    text[KEY_TEXT_BYTES] = 0;
    memcpy(out->id, text + PREFIX_BYTES, KEY_ID_BYTES);
    secret_hash(out->hash, pepper,
                (struct str){text + PREFIX_BYTES + KEY_ID_BYTES + 1, KEY_SECRET_BYTES});
    out->scopes = order->scopes;
    out->created_s = now_s;
    out->expires_s = order->expires_s;
    out->limits = order->limits;
    return true;
}

static bool is_base62(struct str s)
{
    for (size_t i = 0; i < s.n_bytes; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return true;
}

/* True if text has the form of a key; *id and *secret borrow from it. */
static bool split_key(struct str text, struct str *id, struct str *secret)
{
    if (text.n_bytes != KEY_TEXT_BYTES || memcmp(text.p, prefix, PREFIX_BYTES) != 0 ||
        text.p[PREFIX_BYTES + KEY_ID_BYTES] != '-')
        return false;
    *id = (struct str){text.p + PREFIX_BYTES, KEY_ID_BYTES};
    *secret = (struct str){text.p + PREFIX_BYTES + KEY_ID_BYTES + 1, KEY_SECRET_BYTES};
    return is_base62(*id) && is_base62(*secret);
}

bool key_scopes_parse(struct str words, uint32_t *scopes, struct err *e)
{
    *scopes = 0;
    for (size_t at = 0; at <= words.n_bytes;) {
        size_t end = str_find(words, STR(","), at);
        if (end == SIZE_MAX)
            end = words.n_bytes;
        struct str word = {words.p + at, end - at};
        uint32_t found = 0;
        for (size_t i = 0; i < sizeof scope_words / sizeof *scope_words; i++)
            if (str_is(word, scope_words[i].word))
                found = scope_words[i].scope;
        if (!found)
            return err_set(e, ERR_FORMAT,
                           "key: scope \"%.*s\" is none of chat, metrics, admin, kiosk",
                           STR_ARG(word));
        *scopes |= found;
        at = end + 1;
    }
    return true;
}

bool auth_open(struct auth *a, struct err *e)
{
    memset(a, 0, sizeof *a);
    a->table = secret_alloc(sizeof *a->table, e);
    return a->table != NULL;
}

bool auth_load(struct auth *a, const struct key_table *table, struct err *e)
{
    if (table->version != KEY_TABLE_VERSION || table->n_keys > KEY_TABLE_MAX)
        return err_set(e, ERR_FORMAT, "key table: version %u with %u keys is not ours",
                       table->version, table->n_keys);
    for (uint32_t i = 0; i < table->n_keys; i++)
        if (!memchr(table->keys[i].name, 0, KEY_NAME_BYTES) ||
            !is_base62((struct str){table->keys[i].id, KEY_ID_BYTES}))
            return err_set(e, ERR_FORMAT, "key table: record %u is damaged", i);
    memcpy(a->table, table, sizeof *a->table);
    return true;
}

static struct str without_blanks(struct str s)
{
    while (s.n_bytes && *s.p == ' ') {
        s.p++;
        s.n_bytes--;
    }
    return s;
}

/* RFC 6750 2.1: the scheme is case-insensitive (RFC 9110 11.1). */
static bool take_bearer(struct str value, struct str *token)
{
    if (value.n_bytes < 7 || !http_name_is((struct str){value.p, 6}, "bearer") || value.p[6] != ' ')
        return false;
    *token = without_blanks((struct str){value.p + 6, value.n_bytes - 6});
    return true;
}

/* The record with that id; else one whose hash no secret has, so that the work is the same. */
static const struct key_record *find_record(const struct auth *a, struct str id,
                                            const struct key_record *dummy, int *key_no)
{
    const struct key_record *found = dummy;
    *key_no = KEY_NONE;
    for (uint32_t i = 0; i < a->table->n_keys; i++)
        if (memcmp(a->table->keys[i].id, id.p, KEY_ID_BYTES) == 0) {
            found = &a->table->keys[i];
            *key_no = (int)i;
        }
    return found;
}

enum auth_result auth_check(const struct auth *a, const struct str *authorization,
                            const struct str *api_key, int64_t now_s, int *key_no)
{
    static const struct key_record dummy = {.name = ""};
    struct str token = {NULL, 0}, id, secret;
    *key_no = KEY_NONE;
    if (authorization) {
        if (!take_bearer(*authorization, &token))
            return AUTH_INVALID;
    } else if (api_key) {
        token = *api_key;
    }
    if (token.n_bytes == 0)
        return AUTH_MISSING;
    if (!split_key(token, &id, &secret))
        return AUTH_INVALID;
    int found_no;
    const struct key_record *r = find_record(a, id, &dummy, &found_no);
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash(hash, a->table->pepper, secret);
    bool fits = secret_equal(hash, r->hash, sizeof hash);
    secret_wipe(hash, sizeof hash);
    if (!fits || found_no == KEY_NONE)
        return AUTH_INVALID;
    if (r->revoked_s)
        return AUTH_REVOKED;
    if (r->expires_s && now_s >= r->expires_s)
        return AUTH_EXPIRED;
    *key_no = found_no;
    return AUTH_OK;
}

int auth_find(const struct auth *a, const char id[KEY_ID_BYTES], int64_t now_s)
{
    for (uint32_t i = 0; i < a->table->n_keys; i++) {
        const struct key_record *r = &a->table->keys[i];
        if (memcmp(r->id, id, KEY_ID_BYTES) == 0)
            return r->revoked_s || (r->expires_s && now_s >= r->expires_s) ? KEY_NONE : (int)i;
    }
    return KEY_NONE;
}

/* ---- failures per address ---- */

static size_t slot_of(const struct addr *prefix_addr)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a, 64 bits; on a collision the later address takes
                                           the slot */
    for (size_t i = 0; i < sizeof prefix_addr->ip; i++)
        h = (h ^ prefix_addr->ip[i]) * 1099511628211u;
    return (size_t)(h % AUTH_N_SLOTS);
}

bool auth_is_blocked(const struct auth *a, const struct addr *from, int64_t now_ms)
{
    struct addr p = addr_prefix(from);
    const struct auth_slot *s = &a->slots[slot_of(&p)];
    return addr_eq(&s->addr, &p) && now_ms < s->blocked_until_ms;
}

void auth_note_failure(struct auth *a, const struct addr *from, int64_t now_ms)
{
    struct addr p = addr_prefix(from);
    struct auth_slot *s = &a->slots[slot_of(&p)];
    bool is_stale = s->n_failures == 0 || now_ms - s->since_ms >= AUTH_WINDOW_MS;
    if (!addr_eq(&s->addr, &p) || is_stale)
        *s = (struct auth_slot){.addr = p, .since_ms = now_ms};
    if (++s->n_failures >= AUTH_MAX_FAILURES)
        s->blocked_until_ms = now_ms + AUTH_WINDOW_MS;
}
