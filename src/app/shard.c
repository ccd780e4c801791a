/* Shards: `run --shard K/N` simulates the Kth of N equal shares of a campaign into a file of its own, NAME.K.h5 beside
 * NAME.h5; `merge` joins them. */
#include "app/app_impl.h"
#include "base/error.h"

#include <inttypes.h>
#include <string.h>

/* A number without sign or blanks; *text moves behind it. */
static bool read_number(const char **text, uint64_t *number) {
    int length = 0;
    if (**text < '0' || **text > '9') return false;
    if (sscanf(*text, "%19" SCNu64 "%n", number, &length) != 1) return false;
    *text += length;
    return true;
}

int ks_shard_parse(const char *text, struct ks_share *share) {
    const char *at = text;
    bool is_read = read_number(&at, &share->number) && *at++ == '/' && read_number(&at, &share->count);
    KS_CHECK(is_read && *at == '\0' && share->number >= 1 && share->number <= share->count, KS_ERR_USAGE,
             "--shard takes K/N, the Kth of N shards, 1 <= K <= N, found \"%s\"", text);
    return KS_OK;
}

int ks_shard_take(struct ks_work *work, struct ks_share share) {
    if (share.count == 0) return KS_OK;
    share.n_points = work->schema.n_points;
    KS_CHECK(share.count <= share.n_points, KS_ERR_USAGE,
             "--shard %" PRIu64 "/%" PRIu64 ": the campaign has %" PRIu64 " points, so there can be %" PRIu64
             " shards at most",
             share.number, share.count, share.n_points, share.n_points);
    work->schema.share = share;
    work->schema.n_points = ks_store_share_points(&share);
    work->first_point = ks_store_first_point(&share);
    return KS_OK;
}

int ks_shard_name(const char *path, const struct ks_share *share, char *name, size_t size) {
    size_t length = strlen(path);
    bool has_ending = length > 3 && strcmp(path + length - 3, ".h5") == 0;
    if (has_ending) length -= 3;
    int n = snprintf(name, size, "%.*s.%" PRIu64 "%s", (int)length, path, share->number, path + length);
    KS_CHECK(n >= 0 && (size_t)n < size, KS_ERR_USAGE, "the name %s is too long", path);
    return KS_OK;
}

int ks_shard_refuse(const ks_store *store, const char *path) {
    const struct ks_share *share = &ks_store_schema(store)->share;
    KS_CHECK(share->count == 0, KS_ERR_USAGE,
             "%s is shard %" PRIu64 " of %" PRIu64 " of a campaign; `ketsweep merge` joins them", path,
             share->number, share->count);
    return KS_OK;
}
