/* Golden: tests/golden/quant_mix/gemma4_31b.csv, the standard quantizer's choice per tensor class
 * and layer of the 31B. */
#include "models/quant_mix.h"

#include "tests/t.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { N_LAYERS = 60, N_COLUMNS = 5 };

/* Whether layer i is in a list like "0-4 6 9" or "all 60"; "-" and "" hold no layer. */
static bool list_has(const char *list, long i)
{
    if (strncmp(list, "all ", 4) == 0)
        return true;
    while (*list) {
        char *end;
        long from = strtol(list, &end, 10), to = from;
        if (end == list)
            return false;
        if (*end == '-')
            to = strtol(end + 1, &end, 10);
        if (i >= from && i <= to)
            return true;
        list = *end ? end + 1 : end;
    }
    return false;
}

struct golden {
    char column[64][N_COLUMNS][128]; /* mix, imatrix, class, type, layers */
    int n;
};

static void golden_read(struct golden *g)
{
    size_t n_bytes;
    char *text = t_read_file("tests/golden/quant_mix/gemma4_31b.csv", &n_bytes), *line_end = NULL;
    for (char *line = text; line && *line; line = line_end ? line_end + 1 : NULL) {
        line_end = strchr(line, '\n');
        if (line_end)
            *line_end = 0;
        if (*line == '#' || g->n == 64)
            continue;
        for (int k = 0; k < N_COLUMNS; k++) {
            size_t n_cell = strcspn(line, ",");
            snprintf(g->column[g->n][k], sizeof g->column[g->n][k], "%.*s", (int)n_cell, line);
            line += n_cell + (line[n_cell] == ',');
        }
        g->n++;
    }
    free(text);
}

/* The golden's type for one tensor: the row of its class that lists the layer, else the mix's
 * default. guided: "0" or "1". */
static const char *golden_type(const struct golden *g, const char *mix, const char *guided,
                               const char *class, long i_layer)
{
    const char *type = NULL;
    for (int i = 0; i < g->n; i++) {
        const char(*c)[128] = g->column[i];
        if (strcmp(c[0], mix) != 0 || (strcmp(c[1], "any") != 0 && strcmp(c[1], guided) != 0))
            continue;
        if (!type && strcmp(c[2], "all other") == 0)
            type = c[3];
        if (strcmp(c[2], class) == 0 && (i_layer < 0 || list_has(c[4], i_layer)))
            return c[3];
    }
    return type;
}

static void check_mix(const struct golden *g, const char *mix, const char *guided)
{
    static const char *const classes[] = {"attn_k",   "attn_output", "attn_q", "attn_v",
                                          "ffn_down", "ffn_gate",    "ffn_up"};
    const uint64_t dims[] = {5376, 5376};
    struct quant_mix_walk w = {.mix = quant_mix_by_name(mix),
                               .n_layers = N_LAYERS,
                               .n_attn_v = 50,
                               .gqa = 2,
                               .is_guided = *guided == '1'};
    enum qtype type;
    MUST_TRUE(w.mix != NULL, mix);
    CHECK_TRUE(quant_mix_next(&w, STR("token_embd.weight"), 2, dims, &type));
    CHECK_TRUE(strcasecmp(qtype_info(type)->name, golden_type(g, mix, guided, "token_embd", -1)) ==
               0);
    for (int i_layer = 0; i_layer < N_LAYERS; i_layer++)
        for (size_t k = 0; k < sizeof classes / sizeof *classes; k++) {
            char name[64];
            if (strcmp(classes[k], "attn_v") == 0 && i_layer % 6 == 5)
                continue;
            snprintf(name, sizeof name, "blk.%d.%s.weight", i_layer, classes[k]);
            CHECK_TRUE(quant_mix_next(&w, str_of(name), 2, dims, &type));
            const char *want = golden_type(g, mix, guided, classes[k], i_layer);
            if (strcasecmp(qtype_info(type)->name, want) != 0)
                printf("%s %s\n", mix, name);
            CHECK_TRUE(strcasecmp(qtype_info(type)->name, want) == 0);
        }
    CHECK_EQ(w.i_attn_v, 50);
}

TEST(quant_mix_of_the_31b_is_the_standard_quantizers)
{
    static const char *const names[] = {"Q8_0",   "Q6_K",   "Q5_K_M", "Q5_K_S", "Q4_K_M",
                                        "Q4_K_S", "IQ4_XS", "IQ4_NL", "IQ3_M",  "IQ2_M"};
    struct golden *g = calloc(1, sizeof *g);
    MUST_TRUE(g != NULL, "no memory");
    golden_read(g);
    CHECK_TRUE(g->n > 20);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int guided = 0; guided < 2; guided++)
            check_mix(g, names[i], guided ? "1" : "0");
    free(g);
}

TEST(quant_mix_leaves_vectors_norms_and_routers_alone)
{
    const uint64_t vector[] = {5376}, matrix[] = {256, 256};
    struct quant_mix_walk w = {.mix = quant_mix_by_name("Q8_0"), .n_layers = 1};
    enum qtype type;
    CHECK_TRUE(!quant_mix_next(&w, STR("blk.0.attn_norm.weight"), 1, vector, &type));
    CHECK_TRUE(!quant_mix_next(&w, STR("blk.0.attn_norm.weight"), 2, matrix, &type));
    CHECK_TRUE(!quant_mix_next(&w, STR("rope_freqs.weight"), 1, vector, &type));
    CHECK_TRUE(!quant_mix_next(&w, STR("blk.0.ffn_gate_inp.weight"), 2, matrix, &type));
    CHECK_TRUE(!quant_mix_next(&w, STR("per_layer_model_proj.weight"), 2, matrix, &type));
    CHECK_TRUE(!quant_mix_next(&w, STR("blk.0.ffn_up.scale"), 2, matrix, &type));
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_up.weight"), 2, matrix, &type) &&
               type == QTYPE_Q8_0);
}

TEST(quant_mix_falls_back_where_rows_are_not_whole_blocks)
{
    const uint64_t by_32[] = {96, 8}, odd[] = {100, 8};
    enum qtype type;
    struct quant_mix_walk w = {.mix = quant_mix_by_name("Q4_K"), .n_layers = 1};
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_up.weight"), 2, by_32, &type) &&
               type == QTYPE_Q5_0);
    w.mix = quant_mix_by_name("Q6_K");
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_up.weight"), 2, by_32, &type) &&
               type == QTYPE_Q8_0);
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_up.weight"), 2, odd, &type) && type == QTYPE_F16);
    w.mix = quant_mix_by_name("Q8_0");
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_up.weight"), 2, by_32, &type) &&
               type == QTYPE_Q8_0);
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_up.weight"), 2, odd, &type) && type == QTYPE_F16);
}

TEST(quant_mix_rules_see_importance_and_head_counts)
{
    const uint64_t dims[] = {256, 512};
    enum qtype type;
    struct quant_mix_walk w = {.mix = quant_mix_by_name("Q4_0"), .n_layers = 8};
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_down.weight"), 2, dims, &type) &&
               type == QTYPE_Q4_0);
    w.is_guided = true;
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_down.weight"), 2, dims, &type) &&
               type == QTYPE_Q4_1);
    CHECK_TRUE(quant_mix_next(&w, STR("blk.1.ffn_down.weight"), 2, dims, &type) &&
               type == QTYPE_Q4_0);
    w.mix = quant_mix_by_name("IQ4_XS");
    w.gqa = 4;
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.attn_v.weight"), 2, dims, &type) &&
               type == QTYPE_Q5_K);
    w.gqa = 2;
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.attn_v.weight"), 2, dims, &type) &&
               type == QTYPE_IQ4_XS);
    w.mix = quant_mix_by_name("IQ2_M");
    w.gqa = 4;
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.attn_v.weight"), 2, dims, &type) &&
               type == QTYPE_Q4_K);
    const uint64_t by_32[] = {96, 8};
    CHECK_TRUE(quant_mix_next(&w, STR("blk.0.ffn_up.weight"), 2, by_32, &type) &&
               type == QTYPE_IQ4_NL);
}

TEST(quant_mix_head_is_the_embedding_unless_there_is_an_output)
{
    const uint64_t dims[] = {256, 512};
    enum qtype type;
    struct quant_mix_walk w = {.mix = quant_mix_by_name("Q4_K_M"), .n_layers = 1};
    CHECK_TRUE(quant_mix_next(&w, STR("token_embd.weight"), 2, dims, &type) && type == QTYPE_Q6_K);
    w.has_output = true;
    CHECK_TRUE(quant_mix_next(&w, STR("token_embd.weight"), 2, dims, &type) && type == QTYPE_Q4_K);
    CHECK_TRUE(quant_mix_next(&w, STR("output.weight"), 2, dims, &type) && type == QTYPE_Q6_K);
}

TEST(quant_mix_layer_reads_only_whole_numbers)
{
    struct str rest;
    CHECK_EQ(quant_mix_layer(STR("blk.12.attn_v.weight"), &rest), 12);
    CHECK_TRUE(str_is(rest, "attn_v.weight"));
    CHECK_EQ(quant_mix_layer(STR("blk.x.attn_v.weight"), &rest), UINT32_MAX);
    CHECK_EQ(quant_mix_layer(STR("blk..weight"), &rest), UINT32_MAX);
    CHECK_EQ(quant_mix_layer(STR("blk.99999999999999999999.weight"), &rest), UINT32_MAX);
    CHECK_EQ(quant_mix_layer(STR("token_embd.weight"), &rest), UINT32_MAX);
}

TEST(quant_mix_names_are_found_in_upper_and_lower_case)
{
    enum qtype type;
    for (unsigned i = 0; quant_mix_at(i); i++) {
        char lower[16] = "";
        for (size_t k = 0; quant_mix_at(i)->name[k]; k++)
            lower[k] = (char)tolower((unsigned char)quant_mix_at(i)->name[k]);
        CHECK_TRUE(quant_mix_by_name(lower) == quant_mix_at(i));
    }
    CHECK_TRUE(!quant_mix_by_name("") && !quant_mix_by_name("q4") && !quant_mix_by_name("q4_k_mm"));
    CHECK_TRUE(qtype_by_name("iq2_xxs", &type) && type == QTYPE_IQ2_XXS);
    CHECK_TRUE(!qtype_by_name("iq2", &type));
}
