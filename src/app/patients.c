/* The patients of a trial: a cohort's file, a list in a CSV file, or candidates as they come. */
#include "app/study_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a cohort's file ------------------------------------------------------------------------------------------------- */

static int match_parameters(struct ks_patients *p, const char *path) {
    KS_ALLOCATE(p->parameters, (size_t)p->n_traits);
    for (int k = 0; k < p->n_traits; k++) {
        p->parameters[k] = -1;
        for (int i = 0; i < KS_N_PARAMETERS; i++)
            if (strcmp(ks_parameters[i].name, p->names[k]) == 0) p->parameters[k] = i;
        for (size_t j = 0; p->parameters[k] >= 0 && j < p->m; j++) {
            double value = p->inputs[j * (size_t)p->n_traits + (size_t)k];
            KS_CHECK(ks_clinic_allows(p->parameters[k], value), KS_ERR_FORMAT,
                     "%s: %s of patient %zu is %g, which the model does not allow", path, p->names[k], j,
                     value);
        }
    }
    return KS_OK;
}

static int read_datasets(struct ks_patients *p, ks_tables_file *file, const char *path) {
    uint64_t extent[2], n_weights, n_candidates, n_names, n_units;
    KS_TRY(ks_tables_read(file, "trait", KS_TABLE_TEXT, 1, &n_names, (void **)&p->names));
    p->n_traits = (int)n_names;
    KS_TRY(ks_tables_read(file, "trait_unit", KS_TABLE_TEXT, 1, &n_units, (void **)&p->units));
    p->n_units = (int)n_units;
    KS_TRY(ks_tables_read(file, "inputs", KS_TABLE_F64, 2, extent, (void **)&p->inputs));
    KS_TRY(ks_tables_read(file, "weight", KS_TABLE_F64, 1, &n_weights, (void **)&p->weights));
    KS_TRY(ks_tables_read(file, "candidate", KS_TABLE_U64, 1, &n_candidates, (void **)&p->candidates));
    p->m = (size_t)extent[0];
    KS_CHECK(extent[1] == n_names && n_units == n_names && n_weights == p->m && n_candidates == p->m,
             KS_ERR_FORMAT, "%s: the tables of the cohort do not agree in size", path);
    KS_CHECK(p->m > 0, KS_ERR_FORMAT, "%s: the cohort has no patients", path);
    return match_parameters(p, path);
}

static int read_cohort(struct ks_patients *p, const char *path) {
    ks_tables_file *file = NULL;
    int err = ks_tables_open(&file, path, "cohort");
    if (err == KS_OK) err = read_datasets(p, file, path);
    ks_tables_close(&file);
    return err;
}

/* ---- a population ------------------------------------------------------------------------------------------------------- */

static int copy(const char *text, char **to) {
    KS_CHECK((*to = strdup(text)) != NULL, KS_ERR_MEMORY, "no memory for text");
    return KS_OK;
}

/* A cell of a list's own columns; `otherwise` where there is no list, or no such column. */
static double listed(const struct ks_population *population, size_t row, int column, double otherwise) {
    if (!population->is_list || column < 0) return otherwise;
    return population->tables[0].cells[row * population->tables[0].n_columns + (size_t)column];
}

static int take_population(struct ks_patients *p, const struct ks_clinical_study *study) {
    const struct ks_population *population = &study->population;
    size_t n_traits = (size_t)population->n_traits;
    double sum = 0;
    p->m = (size_t)(study->n_patients > 0 && !population->is_list ? study->n_patients
                                                                  : population->n_candidates);
    KS_ALLOCATE(p->names, n_traits);
    KS_ALLOCATE(p->units, n_traits);
    KS_ALLOCATE(p->parameters, n_traits);
    p->n_traits = p->n_units = population->n_traits;
    for (size_t k = 0; k < n_traits; k++) {
        KS_TRY(copy(population->traits[k].name, &p->names[k]));
        KS_TRY(copy(population->traits[k].unit, &p->units[k]));
        p->parameters[k] = population->traits[k].parameter;
    }
    KS_ALLOCATE(p->inputs, p->m * n_traits);
    KS_ALLOCATE(p->weights, p->m);
    KS_ALLOCATE(p->candidates, p->m);
    for (size_t j = 0; j < p->m; j++) {
        ks_population_draw(population, j, &p->inputs[j * n_traits]);
        p->candidates[j] = (uint64_t)listed(population, j, population->identity, (double)j);
        p->weights[j] = listed(population, j, population->prevalence, 1);
        sum += p->weights[j];
    }
    KS_CHECK(sum > 0, KS_ERR_USAGE, "no patient has a prevalence above 0");
    for (size_t j = 0; j < p->m; j++) p->weights[j] /= sum;
    return KS_OK;
}

int ks_patients_load(struct ks_patients *p, const struct ks_campaign *campaign) {
    const struct ks_clinical_study *study = campaign->study;
    *p = (struct ks_patients){0};
    if (study->trial.cohort != NULL) {
        KS_CHECK(!study->has_population, KS_ERR_USAGE,
                 "%s: the patients are those of trial.cohort; a population is not allowed beside it",
                 campaign->path);
        return read_cohort(p, study->trial.cohort);
    }
    KS_CHECK(study->has_population, KS_ERR_USAGE,
             "%s: no patients; give trial.cohort = \"FILE\", which `ketsweep cohort` writes, or a population",
             campaign->path);
    return take_population(p, study);
}

void ks_patients_release(struct ks_patients *p) {
    for (int k = 0; k < p->n_traits && p->names != NULL; k++) free(p->names[k]);
    for (int k = 0; k < p->n_units && p->units != NULL; k++) free(p->units[k]);
    free(p->names);
    free(p->units);
    free(p->parameters);
    free(p->inputs);
    free(p->weights);
    free(p->candidates);
    *p = (struct ks_patients){0};
}
