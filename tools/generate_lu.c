/* Writes the sparse LU of the model's Jacobian out as straight-line C, at build time:
 *
 *     generate_lu >linear_program.h
 *
 * An operation list costs three index loads and a trip through memory for each multiplication; written out, sums
 * stay in registers and independent rows overlap. Each element takes its updates in the order of the list, so that both give
 * the same bits (tests/science/test_lanes.c). */
#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"
#include "solver/rosenbrock_impl.h"

#include <stdio.h>
#include <stdlib.h>

/* " + v[f] * v[u]" for each update of an entry. */
static void print_updates(const struct ks_lu *lu, int entry) {
    int update = 0;
    for (int s = 0; s < lu->n_scales; s++)
        for (int u = 0; u < lu->n_updates[s]; u++, update++)
            if (lu->updates[update][0] == entry)
                printf(" + v[%d] * v[%d]", lu->updates[update][1], lu->updates[update][2]);
}

/* An entry before it is divided by its pivot. */
static void print_entry(const struct ks_lu *lu, int entry, bool is_diagonal) {
    int element = -1;
    for (int k = 0; k < KS_N_NONZEROS; k++)
        if (lu->slots[k] == entry) element = k;
    if (element >= 0)
        printf("j[%d]", element);
    else
        printf("0.0");
    if (is_diagonal) printf(" - diagonal");
    print_updates(lu, entry);
}

static bool is_plain(const struct ks_lu *lu, int entry) {
    for (int p = 0; p < lu->n_plain; p++)
        if (lu->plain[p] == entry) return true;
    return false;
}

/* The reciprocals of plain pivots, in fours. */
static void print_plain_pivots(const struct ks_lu *lu) {
    for (int p = 0; p < lu->n_plain; p += 4) {
        for (int i = p; i < p + 4; i++) {
            printf("    ks_lane p%d = ", i);
            if (i < lu->n_plain) {
                printf("-(");
                print_entry(lu, lu->plain[i], true);
                printf(");\n");
            } else {
                printf("ks_lane_all(1);\n");
            }
        }
        printf("    ks_lane_invert_4(&p%d, &p%d, &p%d, &p%d);\n", p, p + 1, p + 2, p + 3);
        for (int i = p; i < p + 4 && i < lu->n_plain; i++) printf("    v[%d] = p%d;\n", lu->plain[i], i);
    }
}

/* Entries are numbered pivot by pivot: the diagonal, its column, its row. */
static void print_pivot(const struct ks_lu *lu, int k) {
    int diagonal = lu->diagonals[k], n_column = lu->first_scale[k + 1] - lu->first_scale[k];
    int end = k + 1 < lu->n ? lu->diagonals[k + 1] : lu->n_entries;
    if (!is_plain(lu, diagonal)) {
        printf("    v[%d] = -1.0 / (", diagonal);
        print_entry(lu, diagonal, true);
        printf(");\n");
    }
    for (int entry = diagonal + 1; entry < end; entry++) {
        bool is_factor = entry <= diagonal + n_column;
        printf("    v[%d] = %s", entry, is_factor ? "(" : "");
        print_entry(lu, entry, false);
        if (is_factor) printf(") * v[%d]", diagonal);
        printf(";\n");
    }
}

static void print_forward(const struct ks_lu *lu, int row) {
    printf("    ks_lane x%d = rate[%d] + x[%d]", row, row, row);
    for (int i = 0; i < lu->n_lower; i++)
        if (lu->lower[i][0] == row) printf(" + v[%d] * x%d", lu->lower[i][2], lu->lower[i][1]);
    printf(";\n");
}

static void print_backward(const struct ks_lu *lu, int k) {
    int row = lu->order[k];
    printf("    x%d = (x%d", row, row);
    for (int i = 0; i < lu->n_upper; i++)
        if (lu->upper[i][0] == row) printf(" + v[%d] * x%d", lu->upper[i][2], lu->upper[i][1]);
    printf(") * v[%d];\n    x[%d] = x%d;\n", lu->diagonals[k], row, row);
}

static void print_program(const struct ks_lu *lu) {
    printf(
        "/* Written by tools/generate_lu.c from src/model/jacobian.def. */\n\n"
        "enum { N_FACTORS = %d };\n\n"
        "KS_LANE_INLINE void factorise(ks_lane diagonal, const ks_lane *restrict j, ks_lane *restrict v) {\n",
        lu->n_entries);
    print_plain_pivots(lu);
    for (int k = 0; k < lu->n; k++) print_pivot(lu, k);
    printf("}\n\nKS_LANE_INLINE void substitute(const ks_lane *restrict v, const ks_lane *restrict rate,\n"
           "                               ks_lane *restrict x) {\n");
    for (int k = 0; k < lu->n; k++) print_forward(lu, lu->order[k]);
    for (int k = lu->n - 1; k >= 0; k--) print_backward(lu, k);
    printf("}\n");
}

int main(void) {
    struct ks_lu lu;
    int err = ks_lu_create(&lu, KS_N_STATES, KS_N_NONZEROS, ks_jacobian_rows, ks_jacobian_columns);
    if (err < 0) {
        ks_error_print(stderr);
        return 1;
    }
    print_program(&lu);
    ks_lu_release(&lu);
    return 0;
}
