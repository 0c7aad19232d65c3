/* edge_memory: everything the edge holds, planned in one list and taken once (M1). Large buffers
 * that only large requests need (bodies, JSON trees, prompt text) are counted like the rest; their
 * pages are first touched when such a request comes, because touching half a gigabyte would cost a
 * start its tenth of a second. Thread: edge. Allocates: edge_memory_take. */
#ifndef NET_EDGE_MEMORY_H
#define NET_EDGE_MEMORY_H

#include "net/api.h"
#include "net/conn.h"
#include "net/gen.h"
#include "net/lane.h"
#include "net/loop.h"

struct edge_memory {
    struct api api;
    struct auth auth;
    struct limit limit;
    struct metrics metrics;
    struct audit audit;
    struct chain_pool chains;
    struct gen_table gens;
    struct lane lane;
    struct heap tls_heap, json_heap;
    struct conn_env env;
    struct loop loop;
};

/* All parts wired to each other and to cfg; nothing is opened yet. NULL on failure. The process
 * keeps it to its end. */
struct edge_memory *edge_memory_take(const struct edge_config *cfg, struct err *e);

#endif
