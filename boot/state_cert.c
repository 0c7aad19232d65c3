#include "boot/state.h"

#include "boot/state_file.h"
#include "net/cert.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"

#include <stdlib.h>
#include <unistd.h>

_Static_assert((int)EDGE_NAME_BYTES == (int)CERT_NAME_BYTES &&
                   (int)EDGE_MAX_NAMES == (int)CERT_MAX_NAMES,
               "names go from one to the other");
_Static_assert((int)CERT_PEM_BYTES <= (int)EDGE_PEM_BYTES / 4, "a certificate fits its field");

struct pems {
    char ca[CERT_PEM_BYTES], ca_key[CERT_PEM_BYTES], leaf[CERT_PEM_BYTES], leaf_key[CERT_PEM_BYTES];
    struct names names; /* those the CA permits */
    struct cert_info info;
};

static struct cert_names cert_names(struct names *l)
{
    return (struct cert_names){l->at, l->n};
}

static bool read_pem(const struct state *s, const char *name, char *pem, bool *is_there,
                     struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    size_t n_bytes;
    state_path(s, name, path, sizeof path);
    enum state_file result = state_file_read(path, pem, CERT_PEM_BYTES - 1, &n_bytes, e);
    pem[n_bytes] = 0;
    *is_there = result == STATE_FILE_READ;
    return result != STATE_FILE_FAILED;
}

static bool write_pem(const struct state *s, const char *name, const char *pem, struct err *e)
{
    char path[CONFIG_TEXT_BYTES + 16];
    state_path(s, name, path, sizeof path);
    return state_file_write(path, pem, strlen(pem), e);
}

static bool place_next_key(const struct state *s, struct err *e)
{
    char from[CONFIG_TEXT_BYTES + 16], to[CONFIG_TEXT_BYTES + 16];
    state_path(s, "ca.key.next", from, sizeof from);
    state_path(s, "ca.key", to, sizeof to);
    return state_file_move(from, to, e);
}

/* ca.crt is what clients trust, so it is the moment a new CA counts: its key waits beside the old
 * one until then. Whatever a power cut leaves is one whole pair. The CA is constrained to the names
 * it was made for. */
static bool make_ca(const struct state *s, struct pems *p, struct err *e)
{
    char common_name[CERT_NAME_BYTES], host[40] = "box";
    gethostname(host, sizeof host - 1);
    snprintf(common_name, sizeof common_name, "Hearth %s CA", host);
    return cert_make_ca(common_name, cert_names(&p->names), clock_wall_s(), p->ca, p->ca_key, e) &&
           write_pem(s, "ca.key.next", p->ca_key, e) && write_pem(s, "ca.crt", p->ca, e) &&
           place_next_key(s, e);
}

/* A CA with its key, or one line that says what to do: a new one would lock all clients out, so it
 * is never made unasked. */
static bool check_ca(const struct state *s, struct pems *p, struct err *e)
{
    bool has_next;
    if (cert_has_key(p->ca, p->ca_key))
        return true;
    if (!read_pem(s, "ca.key.next", p->ca_key, &has_next, e))
        return false;
    if (has_next && cert_has_key(p->ca, p->ca_key))
        return place_next_key(s, e);
    return err_set(e, ERR_STATE,
                   "state: ca.crt and ca.key in %s are damaged or no pair: restore both, or make a "
                   "new CA, which all clients must trust anew: hearth cert renew --ca",
                   s->dir);
}

/* Keep the names that the CA lets a leaf carry; say which are left out and what to do. */
static void keep_permitted(const char *ca_pem, struct names *l)
{
    struct cert_info *ca = calloc(1, sizeof *ca);
    struct err ignored;
    uint32_t n_names = l->n;
    l->n = 0;
    if (ca && cert_read(ca_pem, ca, &ignored)) {
        for (uint32_t i = 0; i < n_names; i++)
            if (cert_permits(ca, l->at[i]))
                memmove(l->at[l->n++], l->at[i], EDGE_NAME_BYTES);
            else
                log_event(LOG_WARN, "name-left-out",
                          "name=\"%s\" hint=\"the device CA was made without it: hearth cert renew "
                          "--ca\"",
                          l->at[i]);
    }
    free(ca);
}

/* A leaf with its key, of this CA, for these names, in its time. */
static bool leaf_is_good(struct pems *p)
{
    struct err ignored;
    if (!cert_has_key(p->leaf, p->leaf_key) || !cert_is_issued_by(p->leaf, p->ca)) {
        log_event(LOG_WARN, "certificate",
                  "hint=\"leaf.crt and leaf.key are damaged, no pair or of "
                  "another CA: a new pair is made\"");
        return false;
    }
    return cert_read(p->leaf, &p->info, &ignored) &&
           !cert_is_due(&p->info, cert_names(&p->names), clock_wall_s());
}

/* What is not there reads as "". */
static bool load_or_make(const struct state *s, struct pems *p, enum state_renew renew,
                         struct err *e)
{
    bool has_ca, has_ca_key, has_leaf, has_leaf_key;
    if (!read_pem(s, "ca.crt", p->ca, &has_ca, e) ||
        !read_pem(s, "ca.key", p->ca_key, &has_ca_key, e) ||
        !read_pem(s, "leaf.crt", p->leaf, &has_leaf, e) ||
        !read_pem(s, "leaf.key", p->leaf_key, &has_leaf_key, e))
        return false;
    if (renew == STATE_RENEW_NEVER)
        return (has_ca && has_leaf) ||
               err_set(e, ERR_STATE,
                       "state: %s holds no certificate yet; the first \"hearth serve\" makes one",
                       s->dir);
    bool needs_ca = renew == STATE_RENEW_CA || !has_ca;
    if (!(needs_ca ? make_ca(s, p, e) : check_ca(s, p, e)))
        return false;
    keep_permitted(p->ca, &p->names);
    bool has_pair = has_leaf && has_leaf_key; /* not so at the first start */
    if (!needs_ca && renew == STATE_RENEW_IF_DUE && has_pair && leaf_is_good(p))
        return true;
    if (!cert_make_leaf(p->ca, p->ca_key, cert_names(&p->names), clock_wall_s(), p->leaf,
                        p->leaf_key, e) ||
        !write_pem(s, "leaf.key", p->leaf_key, e) || !write_pem(s, "leaf.crt", p->leaf, e))
        return false;
    log_event(LOG_INFO, "certificate", "made=%s names=%u", needs_ca ? "ca+leaf" : "leaf",
              p->names.n);
    return true;
}

bool state_cert(const struct state *s, const struct names *names, enum state_renew renew,
                struct edge_cert *out, struct err *e)
{
    int lock_fd = state_lock(s, e);
    struct pems *p = lock_fd < 0 ? NULL : calloc(1, sizeof *p);
    if (p)
        p->names = *names;
    bool ok = p && load_or_make(s, p, renew, e);
    if (ok) {
        memset(out, 0, sizeof *out);
        out->version = EDGE_CTL_VERSION;
        /* the leaf alone: clients hold the CA, and Mbed TLS would not parse its critical name
         * constraints */
        out->chain_bytes = (uint32_t)snprintf(out->chain_pem, sizeof out->chain_pem, "%s", p->leaf);
        out->key_bytes = (uint32_t)snprintf(out->key_pem, sizeof out->key_pem, "%s", p->leaf_key);
        out->ca_bytes = (uint32_t)snprintf(out->ca_pem, sizeof out->ca_pem, "%s", p->ca);
    }
    if (p)
        secret_wipe(p, sizeof *p);
    free(p);
    if (lock_fd >= 0)
        close(lock_fd);
    return ok;
}
