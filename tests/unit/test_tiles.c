/* How the farm cuts points into tiles, in simulated time: every point once, also beyond 2^32; ranks end together; and many
 * ranks do not ask more often than rank 0 can answer. */
#include "base/memory.h"
#include "farm/farm_impl.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* A farm whose rank i simulates speeds[i] points per second and gets answers at once. */
struct play {
    struct ks_tiles tiles;
    double *speeds, *asks_at, *free_at; /* [size] when it asks next; when it has done what it was given */
    uint64_t *told, *doing;             /* [size] points of the tile before, and of the present one */
    double round_start;
    uint64_t n_requests,
        smallest;    /* smallest tile after a rank's first three that was not among its last three */
    uint64_t *sizes; /* [size][3] the latest tiles, of the last one first */
    int *n_tiles;
};

static void *allocate(int n, size_t size) {
    void *array = ks_memory_allocate((size_t)n, size);
    assert_non_null(array);
    return array;
}

static struct play make_play(int size, uint64_t end, uint64_t capacity, uint64_t slice, double speed) {
    struct play p = {.tiles = {.size = size, .capacity = capacity, .slice = slice, .end = end},
                     .smallest = UINT64_MAX};
    p.tiles.paces = allocate(size, sizeof *p.tiles.paces);
    p.speeds = allocate(size, sizeof *p.speeds);
    p.asks_at = allocate(size, sizeof *p.asks_at);
    p.free_at = allocate(size, sizeof *p.free_at);
    p.told = allocate(size, sizeof *p.told);
    p.doing = allocate(size, sizeof *p.doing);
    p.sizes = allocate(3 * size, sizeof *p.sizes);
    p.n_tiles = allocate(size, sizeof *p.n_tiles);
    for (int i = 0; i < size; i++) p.speeds[i] = speed;
    return p;
}

static void release(struct play *p) {
    free(p->tiles.paces);
    free(p->speeds);
    free(p->asks_at);
    free(p->free_at);
    free(p->told);
    free(p->doing);
    free(p->sizes);
    free(p->n_tiles);
}

static void note_size(struct play *p, int rank, uint64_t count) {
    uint64_t *latest = &p->sizes[3 * rank];
    if (p->n_tiles[rank] >= 6 && latest[2] < p->smallest) p->smallest = latest[2];
    latest[2] = latest[1];
    latest[1] = latest[0];
    latest[0] = count;
    p->n_tiles[rank]++;
}

/* Workers start a tile when they have done the last, and ask for the next one then; rank 0 asks when it is done. */
static void ask(struct play *p, int rank) {
    double now = p->asks_at[rank];
    ks_tiles_note_work(&p->tiles, rank, p->told[rank], (double)p->told[rank] / p->speeds[rank]);
    struct ks_farm_tile tile = ks_tiles_assign(&p->tiles, rank, now);
    p->n_requests++;
    p->asks_at[rank] = INFINITY;
    if (tile.count == 0) return;
    note_size(p, rank, tile.count);
    p->told[rank] = rank == 0 ? tile.count : p->doing[rank];
    p->doing[rank] = tile.count;
    double start = fmax(now, p->free_at[rank]);
    p->free_at[rank] = start + (double)tile.count / p->speeds[rank];
    p->asks_at[rank] = rank == 0 ? p->free_at[rank] : start;
}

/* Returns when the last rank has done its work; *first when the first has. */
static double play_round(struct play *p, uint64_t next, double seconds, double *first) {
    double start = p->round_start, last = start;
    ks_tiles_start_round(&p->tiles, next, start, seconds);
    for (int i = 0; i < p->tiles.size; i++) {
        p->asks_at[i] = p->free_at[i] = start;
        p->told[i] = p->doing[i] = 0;
        p->n_tiles[i] = 0;
    }
    for (;;) {
        int rank = 0;
        for (int i = 1; i < p->tiles.size; i++)
            if (p->asks_at[i] < p->asks_at[rank]) rank = i;
        if (isinf(p->asks_at[rank])) break;
        uint64_t before = p->tiles.next;
        ask(p, rank);
        assert_true(p->tiles.next >= before && p->tiles.next <= p->tiles.end);
        assert_true(p->tiles.paces[rank].kept <= p->tiles.capacity);
    }
    *first = INFINITY;
    for (int i = 0; i < p->tiles.size; i++) {
        last = fmax(last, p->free_at[i]);
        *first = fmin(*first, p->free_at[i]);
    }
    p->round_start = last;
    return last;
}

/* The points are done in one go, or by rounds of 30 s: ranks wait for less than 2 % of it, whatever their number and speed. */
static void test_ranks_end_together(void **state) {
    (void)state;
    static const int sizes[] = {1, 2, 3, 16, 1000};
    for (int s = 0; s < 5; s++) {
        struct play p = make_play(sizes[s], (uint64_t)sizes[s] * 3000 * 70, UINT64_MAX, 64, 3000);
        double first, start = 0;
        for (int i = 0; i < sizes[s]; i += 3) p.speeds[i] = 2000;
        for (int round = 0; p.tiles.next < p.tiles.end; round++) {
            double last = play_round(&p, p.tiles.next, 30, &first);
            assert_true(last - first < 0.02 * 30);
            assert_true(last - start < 1.02 * 30);
            assert_true(round < 4);
            start = last;
        }
        release(&p);
    }
}

/* Rank 0 takes 50 us for an answer: from a thousand ranks no tile is shorter than half of ten times what all answers take. */
static void test_many_ranks_ask_seldom(void **state) {
    (void)state;
    struct play p = make_play(1000, UINT64_C(1) << 40, UINT64_MAX, 64, 3000);
    double first;
    ks_tiles_note_answer(&p.tiles, 50e-6);
    assert_true(fabs(ks_tiles_answer_seconds(&p.tiles) - 50e-6) < 1e-12);
    play_round(&p, 0, 30, &first);
    play_round(&p, p.tiles.next, 30, &first);
    assert_true((double)p.smallest >= 0.99 * 3000 * 10 * 1000 * 50e-6);
    assert_true((double)p.n_requests / 60 < 0.1 / 50e-6);
    release(&p);
}

/* 2^36 points, 2^34 of them in the memory of one rank. */
static void test_counts_beyond_32_bits(void **state) {
    (void)state;
    struct play p = make_play(3, UINT64_C(1) << 36, UINT64_C(1) << 34, 64, 1e9);
    double first;
    uint64_t n_rounds = 0;
    while (p.tiles.next < p.tiles.end) {
        uint64_t before = p.tiles.next;
        play_round(&p, before, INFINITY, &first);
        assert_true(p.tiles.next > before);
        n_rounds++;
    }
    assert_int_equal(p.tiles.next, UINT64_C(1) << 36);
    assert_true(n_rounds == 2); /* of 3 x 2^34 and of the rest, or a little less and more */
    release(&p);
}

/* Points that come to nothing: their speed is not believed beyond what was measured. */
static void test_misleading_start(void **state) {
    (void)state;
    struct play p = make_play(2, 1000000, UINT64_MAX, 10, 1);
    ks_tiles_start_round(&p.tiles, 0, 0, 1000);
    assert_int_equal(ks_tiles_assign(&p.tiles, 1, 0).count, 10);
    ks_tiles_note_work(&p.tiles, 1, 10, 1e-9);
    assert_true(ks_tiles_assign(&p.tiles, 1, 1e-9).count <= 30);
    release(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks_end_together),
        cmocka_unit_test(test_many_ranks_ask_seldom),
        cmocka_unit_test(test_counts_beyond_32_bits),
        cmocka_unit_test(test_misleading_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
