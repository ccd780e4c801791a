/* A worker: asks for its next tile before it starts the present one, so that the answer is there when it is
 * needed although the master computes too. A failure, or work that was dropped, travels with the next request; the
 * master then ends the round. */
#include "farm/farm_impl.h"

/* A request and the answer to it, both under way. */
struct exchange {
    struct ks_farm_request request;
    struct ks_farm_tile answer;
    MPI_Request sending, receiving;
};

/* The receive is posted first, so that the master's answer never has to wait for it. */
static int ask(const struct ks_farm *farm, struct exchange *exchange) {
    KS_MPI(MPI_Irecv(&exchange->answer, sizeof exchange->answer, MPI_BYTE, 0, MPI_ANY_TAG, farm->comm,
                     &exchange->receiving));
    KS_MPI(MPI_Isend(&exchange->request, sizeof exchange->request, MPI_BYTE, 0, KS_TAG_REQUEST, farm->comm,
                     &exchange->sending));
    return KS_OK;
}

static int await_answer(const struct ks_farm *farm, struct exchange *exchange, bool *is_over) {
    MPI_Status status;
    KS_TRY(ks_farm_wait(farm, &exchange->receiving, &status));
    KS_TRY(ks_farm_wait(farm, &exchange->sending, MPI_STATUS_IGNORE));
    *is_over = status.MPI_TAG == KS_TAG_OVER;
    return KS_OK;
}

/* Tells the watchdog what this rank is about to do. */
static int tell(const struct ks_farm *farm, struct ks_farm_tile tile) {
    if (!(farm->work->watchdog_seconds > 0)) return KS_OK;
    KS_MPI(MPI_Send(&tile, sizeof tile, MPI_BYTE, 0, KS_TAG_ALIVE, farm->comm));
    return KS_OK;
}

static int simulate_tile(struct ks_farm *farm, struct ks_farm_tile tile, struct ks_farm_request *done) {
    double start = MPI_Wtime();
    bool has_stopped = false;
    int err = KS_OK;
    while (tile.count > 0) {
        uint64_t n;
        uint64_t slice = tile.count < farm->work->slice ? tile.count : farm->work->slice;
        KS_TRY(tell(farm, (struct ks_farm_tile){tile.first, slice}));
        err = ks_farm_work_slice(farm, &tile, slice, &n, &has_stopped);
        done->n_points += n;
    }
    done->seconds = MPI_Wtime() - start;
    done->has_stopped = has_stopped;
    return err;
}

/* After a failure, or once something was dropped, tiles are refused, by asking again, until the round is over. */
int ks_worker_follow_round(struct ks_farm *farm) {
    struct exchange exchange = {0};
    bool is_over = false;
    int err = KS_OK;
    KS_TRY(ask(farm, &exchange));
    KS_TRY(await_answer(farm, &exchange, &is_over));
    while (!is_over) {
        struct ks_farm_tile tile = exchange.answer;
        struct ks_farm_request done = {.has_stopped = exchange.request.has_stopped};
        KS_TRY(ask(farm, &exchange));
        if (done.has_stopped)
            ks_farm_drop(farm, tile);
        else
            err = simulate_tile(farm, tile, &done);
        KS_TRY(await_answer(farm, &exchange, &is_over));
        exchange.request = done;
    }
    KS_TRY(tell(farm, (struct ks_farm_tile){0}));
    return err;
}
