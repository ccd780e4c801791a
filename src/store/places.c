/* Where the data of each dataset lie in the file. They never move, so the file says it twice: in the headers that HDF5
 * reads, which have no checksum, and in the attribute `addresses` of /provenance. Where the two differ, HDF5 would read
 * rows that are none, and write over others. */
#include "store/store_impl.h"

enum { N_PLACES = KS_N_FIELDS + 5 };

/* A dataset and the type of its elements; the caller closes a type that `is_owned`. */
struct place {
    const char *name;
    bool is_there, is_owned;
    hid_t type;
};

/* Equal once written and read: the texts of a compound lose the byte order that it was given. */
static int compare_types(hid_t found, hid_t expected, bool *are_equal) {
    enum { LONGEST = 4096 }; /* bytes; a type that needs more is none of ours */
    const hid_t types[2] = {found, expected};
    hid_t read[2];
    htri_t answer;
    *are_equal = false;
    for (int i = 0; i < 2; i++) {
        unsigned char bytes[LONGEST];
        size_t n_bytes = 0;
        KS_H5(H5Tencode(types[i], NULL, &n_bytes));
        if (n_bytes > LONGEST) return KS_OK;
        KS_H5(H5Tencode(types[i], bytes, &n_bytes));
        KS_H5(read[i] = H5Tdecode(bytes));
    }
    KS_H5(answer = H5Tequal(read[0], read[1]));
    *are_equal = answer > 0;
    KS_H5(H5Tclose(read[0]));
    KS_H5(H5Tclose(read[1]));
    return KS_OK;
}

static int describe_log(const char *name, bool is_there, int (*make_type)(bool, hid_t *),
                        struct place *place) {
    *place = (struct place){.name = name, .is_there = is_there, .is_owned = true};
    return make_type(true, &place->type);
}

static int describe_place(const struct ks_schema *schema, int i, struct place *place) {
    if (i < KS_N_FIELDS) {
        struct ks_field field = ks_fields_describe(schema, (enum ks_field_index)i);
        *place = (struct place){field.name, field.row_elements > 0, false, field.file_type};
        return KS_OK;
    }
    switch (i - KS_N_FIELDS) {
    case 0:
        return describe_log("/rounds/log", true, ks_h5_round_type, place);
    case 1:
        *place = (struct place){"/rounds/in_use", true, false, H5T_STD_U64LE};
        return KS_OK;
    case 2:
        return describe_log("/provenance/runs", true, ks_h5_run_type, place);
    case 3:
        *place = (struct place){"/provenance/runs_in_use", true, false, H5T_STD_U64LE};
        return KS_OK;
    default:
        return describe_log("/provenance/verification", schema->n_endpoints > 0, ks_h5_verification_type,
                            place);
    }
}

/* The address of a contiguous dataset of the given type. */
static int locate(hid_t file, const struct place *place, uint64_t *address) {
    hid_t dataset, options, type;
    KS_H5(dataset = H5Dopen2(file, place->name, H5P_DEFAULT));
    KS_H5(options = H5Dget_create_plist(dataset));
    KS_H5(type = H5Dget_type(dataset));
    bool is_contiguous = H5Pget_layout(options) == H5D_CONTIGUOUS && H5Pget_external_count(options) == 0;
    bool is_right;
    KS_TRY(compare_types(type, place->type, &is_right));
    KS_CHECK(is_right, KS_ERR_FORMAT, "dataset %s has not the type of ketsweep's files", place->name);
    *address = is_contiguous ? H5Dget_offset(dataset) : HADDR_UNDEF;
    KS_H5(H5Tclose(type));
    KS_H5(H5Pclose(options));
    KS_H5(H5Dclose(dataset));
    return KS_OK;
}

/* 0 where the file has no such dataset. */
static int find_addresses(hid_t file, const struct ks_schema *schema, uint64_t addresses[N_PLACES]) {
    for (int i = 0; i < N_PLACES; i++) {
        struct place place;
        addresses[i] = 0;
        KS_TRY(describe_place(schema, i, &place));
        int err = place.is_there ? locate(file, &place, &addresses[i]) : KS_OK;
        if (place.is_owned) H5Tclose(place.type);
        KS_TRY(err);
    }
    return KS_OK;
}

int ks_places_write(hid_t file, const struct ks_schema *schema) {
    uint64_t addresses[N_PLACES];
    hid_t provenance;
    KS_TRY(find_addresses(file, schema, addresses));
    KS_H5(provenance = H5Gopen2(file, "/provenance", H5P_DEFAULT));
    KS_TRY(
        ks_h5_write_number(provenance, "addresses", H5T_STD_U64LE, H5T_NATIVE_UINT64, N_PLACES, addresses));
    KS_H5(H5Gclose(provenance));
    return KS_OK;
}

int ks_places_check(hid_t file, const struct ks_schema *schema) {
    uint64_t found[N_PLACES], expected[N_PLACES];
    hid_t provenance;
    KS_TRY(find_addresses(file, schema, found));
    KS_H5(provenance = H5Gopen2(file, "/provenance", H5P_DEFAULT));
    KS_TRY(ks_h5_read_numbers(provenance, "addresses", H5T_NATIVE_UINT64, N_PLACES, expected));
    KS_H5(H5Gclose(provenance));
    for (int i = 0; i < N_PLACES; i++) {
        struct place place;
        if (found[i] == expected[i]) continue;
        KS_TRY(describe_place(schema, i, &place));
        if (place.is_owned) H5Tclose(place.type);
        KS_CHECK(
            false, KS_ERR_FORMAT,
            "the data of %s do not lie where ketsweep put them: the file is damaged, or another program has "
            "rewritten it",
            place.name);
    }
    return KS_OK;
}
