/* How large the next tile is, and who still gets one; no messages and no clock of its own, so that tools/scale_model.c
 * plays the same rules for numbers of ranks that nobody has at hand.
 *
 * The end. A worker asks for its next tile when it starts the present one: that one is known, so it is known when the
 * worker will be free. Points, shared by all ranks at their speeds, last until
 *     T = mean of the times at which ranks are free + points not handed out / (ranks * mean speed);
 * the round lasts until then, until its time is up, or until the rank's memory is full, whichever comes first.
 *
 * The size. A tile is a quarter of what the rank can still do until that end at the speed measured, in the mean or in its
 * last tile, whichever is slower (guided self-scheduling: three quarters remain to make up for a wrong guess). As
 * measurements mislead (a run of points that fail at once), no tile is more than a slice and twice the work that was
 * measured; before any, it is one slice.
 *
 * The least size. Rank 0 takes microseconds for an answer: 5, or more where it measures more as the run goes on. Tiles last so long that all
 * ranks together keep it busy for a tenth of the time at most, and 2 ms: smaller ones gain nothing beside a commit and
 * leave the lanes of the solver empty. A rank whose time left is less than two of these takes all of it at once, so
 * that ranks end together although the least tile grows with their number: with 10^4 ranks it lasts half a second.
 *
 * The end of a round. Its time is up, or a rank that asks has no room; then no rank that has had a tile gets another,
 * since those that are idle would wait for the rest. A rank without one still gets it, so no round is empty. The last
 * points are kept for ranks without a tile: five points take five ranks, not three that have asked in advance. */
#include "farm/farm_impl.h"

#include <math.h>

static const double least_seconds = 2e-3;
static const double busy_share = 0.1;    /* of rank 0's time, for answers */
static const double least_answer = 5e-6; /* s: what MPI does for a message before it is found counts too */
static const double longest_seconds =
    100e-6; /* what takes longer was no answer: another process had the core */

/* ---- speeds, in points per second ------------------------------------------------------------------------ */

/* Of the mean rank; 0: not known. */
static double mean_speed(const struct ks_tiles *tiles) {
    return tiles->seconds > 0 ? tiles->points / tiles->seconds : 0;
}

static double speed(const struct ks_tiles *tiles, const struct ks_farm_pace *pace) {
    if (!(pace->seconds > 0)) return mean_speed(tiles);
    return fmin(pace->points / pace->seconds, pace->last_speed);
}

double ks_tiles_answer_seconds(const struct ks_tiles *tiles) {
    return tiles->n_answers > 0 ? fmax(tiles->answer_seconds / (double)tiles->n_answers, least_answer)
                                : least_answer;
}

void ks_tiles_note_answer(struct ks_tiles *tiles, double seconds) {
    tiles->answer_seconds += fmin(seconds, longest_seconds);
    tiles->n_answers++;
}

void ks_tiles_note_work(struct ks_tiles *tiles, int rank, uint64_t n_points, double seconds) {
    struct ks_farm_pace *pace = &tiles->paces[rank];
    if (n_points == 0) return;
    seconds = fmax(seconds, 1e-9); /* of a clock that did not move */
    pace->points += (double)n_points;
    pace->seconds += seconds;
    pace->last_speed = (double)n_points / seconds;
    tiles->points += (double)n_points;
    tiles->seconds += seconds;
}

/* ---- sizes ----------------------------------------------------------------------------------------------- */

/* A whole number of points, at least one and at most `most`, which is > 0. */
static uint64_t whole(double points, uint64_t most) {
    return points < 1 ? 1 : points < (double)most ? (uint64_t)points : most;
}

static void set_free(struct ks_tiles *tiles, struct ks_farm_pace *pace, double time) {
    tiles->free_sum += time - pace->free_at;
    pace->free_at = time;
}

/* How many points the rank, which is free at pace->free_at, can do until the round ends. */
static double points_until_end(const struct ks_tiles *tiles, const struct ks_farm_pace *pace) {
    double n = tiles->size, rate = speed(tiles, pace), left = (double)(tiles->end - tiles->next);
    if (!(rate > 0)) return ceil(left / n);
    double exhausted = tiles->free_sum / n + left / (n * mean_speed(tiles));
    return rate * (fmin(exhausted, tiles->round_end) - pace->free_at);
}

/* The points of the shortest tile that is worth a request; 0 where no speed is known. */
static double least_points(const struct ks_tiles *tiles, const struct ks_farm_pace *pace) {
    double answers = tiles->size * ks_tiles_answer_seconds(tiles) / busy_share;
    return speed(tiles, pace) * fmax(least_seconds, answers);
}

/* `most` > 0 is what may be handed out. The least tile may be more than this rank has measured, if all have. */
static uint64_t tile_size(const struct ks_tiles *tiles, const struct ks_farm_pace *pace, uint64_t most) {
    double room = (double)(tiles->capacity - pace->kept), least = least_points(tiles, pace);
    double able = fmin(points_until_end(tiles, pace), room);
    double size = able < 2 * least ? fmax(able, least / 2) : fmax(able / 4, least);
    double measured = (double)tiles->slice + fmax(2 * pace->points, fmin(tiles->points, 2 * least));
    return whole(fmin(fmin(size, room), measured), most);
}

static bool is_over_for(struct ks_tiles *tiles, const struct ks_farm_pace *pace, double now) {
    double rate = speed(tiles, pace);
    if (pace->kept == tiles->capacity || now >= tiles->round_end) tiles->is_over = true;
    if (pace->kept == 0) return false;
    if (tiles->is_over || !(rate > 0)) return tiles->is_over;
    return rate * (tiles->round_end - pace->free_at) < fmax(1, least_points(tiles, pace)) / 2;
}

struct ks_farm_tile ks_tiles_assign(struct ks_tiles *tiles, int rank, double now) {
    struct ks_farm_pace *pace = &tiles->paces[rank];
    bool is_fresh = pace->kept == 0;
    double rate = speed(tiles, pace);
    set_free(tiles, pace, now + (rank > 0 && rate > 0 ? (double)pace->ahead / rate : 0));
    bool is_over = is_over_for(tiles, pace, now);
    uint64_t left = tiles->end - tiles->next, kept_back = (uint64_t)(tiles->n_fresh - is_fresh);
    if (left == 0 || is_over || (!is_fresh && left <= kept_back)) return (struct ks_farm_tile){0};
    struct ks_farm_tile tile = {tiles->next, tile_size(tiles, pace, left > kept_back ? left - kept_back : 1)};
    tiles->next += tile.count;
    pace->kept += tile.count;
    pace->ahead = tile.count;
    if (rate > 0) set_free(tiles, pace, pace->free_at + (double)tile.count / rate);
    tiles->n_fresh -= is_fresh;
    return tile;
}

/* Tiles of workers are about as long as its own: where they are short, it looks several times in one. */
uint64_t ks_tiles_own_slice(const struct ks_tiles *tiles) {
    enum { LOOKS = 4 };
    uint64_t part = tiles->size == 1 ? tiles->slice : tiles->paces[0].ahead / LOOKS;
    return part < 1 ? 1 : part < tiles->slice ? part : tiles->slice;
}

/* ---- rounds ---------------------------------------------------------------------------------------------- */

void ks_tiles_start_round(struct ks_tiles *tiles, uint64_t first, double now, double seconds) {
    tiles->next = first;
    tiles->round_end = now + seconds;
    tiles->is_over = false;
    tiles->n_fresh = tiles->size;
    tiles->points /= 2;
    tiles->seconds /= 2;
    tiles->free_sum = now * tiles->size;
    for (int i = 0; i < tiles->size; i++) {
        struct ks_farm_pace *pace = &tiles->paces[i];
        pace->points /= 2;
        pace->seconds /= 2;
        pace->kept = pace->ahead = 0;
        pace->free_at = now;
    }
}
