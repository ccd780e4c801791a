/* The arrays that make a row, as one description each: creating, checking, writing and reading a file go
 * through it, so that they cannot disagree. Also the rows in memory. */
#include "base/memory.h"
#include "store/store_impl.h"

#include <stdlib.h>
#include <string.h>

/* The parts that do not depend on the schema's sizes. */
static struct ks_field describe_kind(enum ks_field_index index) {
    switch (index) {
    case KS_FIELD_inputs:
        return (struct ks_field){.name = "inputs",
                                 .description = "varied parameters of each point, as simulated",
                                 .coordinates = "parameter_unit parameter_description",
                                 .file_type = H5T_IEEE_F64LE,
                                 .memory_type = H5T_NATIVE_DOUBLE,
                                 .n_axes = 2,
                                 .axes = {"point", "parameter"}};
    case KS_FIELD_endpoints:
        return (struct ks_field){.name = "endpoints",
                                 .description = "endpoints of each point; NaN where it failed",
                                 .coordinates = "endpoint_unit endpoint_description",
                                 .file_type = H5T_IEEE_F64LE,
                                 .memory_type = H5T_NATIVE_DOUBLE,
                                 .n_axes = 2,
                                 .axes = {"point", "endpoint"}};
    case KS_FIELD_solver_steps:
        return (struct ks_field){.name = "solver_steps",
                                 .description = "accepted steps of the solver",
                                 .file_type = H5T_STD_U32LE,
                                 .memory_type = H5T_NATIVE_UINT32,
                                 .n_axes = 1,
                                 .axes = {"point"}};
    case KS_FIELD_trajectories:
        return (struct ks_field){.name = "trajectories",
                                 .description = "course of states and derived quantities over time",
                                 .coordinates = "state_unit state_description",
                                 .file_type = H5T_IEEE_F32LE,
                                 .memory_type = H5T_NATIVE_FLOAT,
                                 .n_axes = 3,
                                 .axes = {"point", "time", "state"}};
    default:
        KS_ASSERT(index == KS_FIELD_status);
        return (struct ks_field){.name = "status",
                                 .description = "what became of each point",
                                 .file_type = H5T_STD_I8LE,
                                 .memory_type = H5T_NATIVE_INT8,
                                 .n_axes = 1,
                                 .axes = {"point"}};
    }
}

static hsize_t axis_length(const struct ks_schema *schema, const char *axis) {
    if (strcmp(axis, "parameter") == 0) return (hsize_t)schema->n_parameters;
    if (strcmp(axis, "endpoint") == 0) return (hsize_t)schema->n_endpoints;
    if (strcmp(axis, "time") == 0) return (hsize_t)schema->n_times;
    if (strcmp(axis, "state") == 0) return (hsize_t)schema->n_states;
    return schema->n_points;
}

struct ks_field ks_fields_describe(const struct ks_schema *schema, enum ks_field_index index) {
    struct ks_field field = describe_kind(index);
    field.row_elements = 1;
    for (int a = 0; a < field.n_axes; a++) {
        field.extent[a] = axis_length(schema, field.axes[a]);
        if (a > 0) field.row_elements *= field.extent[a];
    }
    field.row_bytes = field.row_elements * H5Tget_size(field.memory_type);
    return field;
}

void *ks_fields_data(const struct ks_rows *rows, enum ks_field_index index) {
    switch (index) {
    case KS_FIELD_inputs:
        return rows->inputs;
    case KS_FIELD_endpoints:
        return rows->endpoints;
    case KS_FIELD_solver_steps:
        return rows->steps;
    case KS_FIELD_trajectories:
        return rows->trajectories;
    default:
        KS_ASSERT(index == KS_FIELD_status);
        return rows->status;
    }
}

uint64_t ks_store_row_bytes(const struct ks_schema *schema) {
    uint64_t n_bytes = 0;
    for (int i = 0; i < KS_N_FIELDS; i++) n_bytes += ks_fields_describe(schema, i).row_bytes;
    return n_bytes;
}

static int allocate_arrays(const struct ks_schema *schema, size_t capacity, struct ks_rows *rows) {
    size_t p = (size_t)schema->n_parameters, e = (size_t)schema->n_endpoints;
    size_t course = (size_t)schema->n_times * (size_t)schema->n_states;
    KS_CHECK(capacity <= SIZE_MAX / (p + e + course + 1), KS_ERR_MEMORY, "no memory for %zu rows", capacity);
    KS_ALLOCATE(rows->blocks, capacity);
    KS_ALLOCATE(rows->inputs, capacity * p);
    KS_ALLOCATE(rows->endpoints, capacity * e);
    KS_ALLOCATE(rows->status, capacity);
    KS_ALLOCATE(rows->steps, capacity);
    KS_ALLOCATE(rows->trajectories, capacity * course);
    return KS_OK;
}

int ks_store_allocate_rows(const struct ks_schema *schema, size_t capacity, struct ks_rows *rows) {
    *rows = (struct ks_rows){0};
    int err = allocate_arrays(schema, capacity, rows);
    if (err < 0) ks_store_release_rows(rows);
    return err;
}

int ks_store_allocate_block(const struct ks_schema *schema, uint64_t *capacity, struct ks_rows *rows) {
    enum { MOST_ROWS = 4096, MOST_BYTES = 16 * 1024 * 1024 }; /* a row with its course may be megabytes */
    uint64_t fitting = MOST_BYTES / ks_store_row_bytes(schema);
    *capacity = fitting < 1 ? 1 : fitting < MOST_ROWS ? fitting : MOST_ROWS;
    return ks_store_allocate_rows(schema, (size_t)*capacity, rows);
}

void ks_store_release_rows(struct ks_rows *rows) {
    free(rows->blocks);
    free(rows->inputs);
    free(rows->endpoints);
    free(rows->status);
    free(rows->steps);
    free(rows->trajectories);
    *rows = (struct ks_rows){0};
}
