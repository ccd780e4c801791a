# ketsweep's files as data frames: source("tools/ketsweep.R")
#
#   d <- ks_points("first.h5")     a row for each point: parameters, endpoints, status; attr(d, "units") has a unit by column
#   ks_courses("first.h5")         a row for each point and time: the stored states
#   ks_indices("study.h5")         a row for each endpoint, index and parameter (or pair), with its 95 % interval
#   ks_patients("cohort.h5")       a row for each virtual patient of a cohort or trial: prevalence and traits
#   ks_visits("trial.h5")          a row for each arm, patient and visit: the score as it is and as a rater sees it
#   ks_arms("trial.h5")            a row for each arm, visit and statistic, with both 95 % intervals
#
# failed = "drop" leaves out the points that failed, "mark" keeps them, with NA. Points that were not run are never there.
# They read by hdf5r (Debian: r-cran-hdf5r); where it is not installed, the first two read what `ketsweep export` writes. The
# program is then the one that the variable KETSWEEP names, else the one on PATH.

ks_points <- function(path, failed = c("drop", "mark"), through = ks_way()) {
  d <- if (through == "hdf5r") ks_with(path, function(file) {
    if (!file$exists("status")) stop(path, " holds no points of a campaign", call. = FALSE)
    names <- file[["status"]]$attr_open("status_names")$read()
    columns <- list(point = seq_along(file[["status"]][]) - 1L + ks_attribute(file, "first_point", 0L),
                    ks_columns(file, "inputs", "parameter"), ks_columns(file, "endpoints", "endpoint"),
                    status = factor(names[file[["status"]][] + 1L], names), solver_steps = file[["solver_steps"]][])
    d <- do.call(data.frame, c(columns[lengths(columns) > 0], check.names = FALSE))
    structure(d, units = c("1", ks_text(file, "parameter_unit"), ks_text(file, "endpoint_unit"), "name", "1"))
  }) else ks_export(path, "all")
  d$status <- as.character(d$status)
  names(attr(d, "units")) <- names(d)
  ks_rows(d, if (match.arg(failed) == "drop") d$status %in% c("done", "not_depressed") else d$status != "not_run")
}

ks_courses <- function(path, failed = c("drop", "mark"), through = ks_way()) {
  points <- ks_points(path, failed, through)
  d <- if (through == "hdf5r") ks_with(path, function(file) {
    if (!file$exists("trajectories")) stop(path, " holds no trajectories", call. = FALSE)
    times <- file[["time"]][]
    values <- file[["trajectories"]]$read(drop = FALSE)  # [states][times][points]
    point <- seq_len(dim(values)[3]) - 1L + ks_attribute(file, "first_point", 0L)
    d <- data.frame(point = rep(point, each = length(times)), time_h = rep(times, length(point)))
    d[ks_text(file, "state")] <- as.data.frame(t(matrix(values, dim(values)[1])))
    structure(d, units = c("1", "h", ks_text(file, "state_unit")))
  }) else ks_export(path, "trajectories")
  names(attr(d, "units")) <- names(d)
  ks_rows(d, d$point %in% points$point)
}

KS_OF_PAIRS <- "S2"

ks_indices <- function(path, method = NULL) ks_with(path, function(file) {
  methods <- if (file$exists("sensitivity")) names(file[["sensitivity"]]) else character()
  if (!length(methods)) stop(path, " holds no indices; `ketsweep sensitivity ", path, "` computes them", call. = FALSE)
  if (is.null(method)) method <- methods[1]
  if (!method %in% methods)
    stop(path, " has no indices of \"", method, "\"; it has ", paste(methods, collapse = ", "), call. = FALSE)
  group <- file[[paste0("sensitivity/", method)]]
  endpoints <- ks_text(file, "endpoint"); parameters <- ks_text(file, "parameter")
  names <- sub("_low$", "", grep("_low$", names(group), value = TRUE))
  do.call(rbind, lapply(names[!grepl("^(trajectories|generalised)_", names)], function(name) {
    parameters <- if (name %in% KS_OF_PAIRS) group[["pair"]][] else parameters
    if (!identical(as.integer(group[[name]]$dims), c(length(parameters), length(endpoints)))) return(NULL)  # of no parameter
    data.frame(endpoint = rep(endpoints, each = length(parameters)), index = name, parameter = parameters,
               value = c(group[[name]][, ]), low = c(group[[paste0(name, "_low")]][, ]), high = c(group[[paste0(name, "_high")]][, ]))
  }))
})

ks_patients <- function(path) ks_with(path, function(file) {
  group <- file[[if (file$exists("cohort")) "cohort" else "trial"]]
  d <- data.frame(patient = group[["patient"]][], prevalence = group[["weight"]][])
  d[group[["trait"]][]] <- as.data.frame(t(group[["inputs"]]$read(drop = FALSE)))
  structure(d, units = setNames(c("1", "1", group[["trait_unit"]][]), names(d)))
})

ks_visits <- function(path) ks_with(path, function(file) ks_long(file, c("arm", "patient", "visit"), c(
  latent = "latent", observed = "observed"), weight = file[["trial/weight"]][]))

ks_arms <- function(path) ks_with(path, function(file) ks_long(file, c("arm", "visit", "statistic"), c(
  value = "summary", low = "summary_low", high = "summary_high", trial_low = "replicate_low", trial_high = "replicate_high")))

# ---- what they stand on --------------------------------------------------------------------------------------------------

ks_way <- function() if (requireNamespace("hdf5r", quietly = TRUE)) "hdf5r" else "export"

ks_with <- function(path, use) {
  if (!file.exists(path)) stop(path, " does not exist", call. = FALSE)
  file <- tryCatch(hdf5r::H5File$new(path, "r"), error = function(e) stop(path, " cannot be read by HDF5", call. = FALSE))
  on.exit(file$close_all())
  if (ks_attribute(file, "format", "") != "ketsweep") stop(path, " is no file of ketsweep", call. = FALSE)
  tryCatch(use(file), error = function(e) {
    missing <- regmatches(conditionMessage(e), regexec("An object with name ([^ ]+) does not exist", conditionMessage(e)))[[1]]
    if (length(missing)) stop(path, " holds no ", missing[2], call. = FALSE) else stop(e)
  })
}

ks_attribute <- function(file, name, default) if (file$attr_exists(name)) hdf5r::h5attr(file, name) else default

ks_text <- function(file, name) if (file$exists(name)) file[[name]][] else character()

ks_columns <- function(file, table, axis) {
  if (!file$exists(table)) return(NULL)
  d <- as.data.frame(t(file[[table]]$read(drop = FALSE)))
  setNames(d, ks_text(file, axis))
}

ks_rows <- function(d, rows) {
  units <- attr(d, "units")
  d <- d[rows, , drop = FALSE]
  d[] <- lapply(d, function(x) replace(x, is.nan(x), NA))
  structure(d, row.names = seq_len(nrow(d)), units = units)
}

# A row for each place of tables that have these axes, of which the last changes fastest.
ks_long <- function(file, axes, tables, weight = NULL) {
  trial <- file[["trial"]]
  scales <- lapply(setNames(axes, axes), function(axis) trial[[axis]][])
  d <- rev(expand.grid(rev(scales), stringsAsFactors = FALSE))
  for (name in names(tables)) d[[name]] <- c(trial[[tables[[name]]]]$read())
  if (!is.null(weight)) d$weight <- weight[match(d$patient, scales$patient)]
  ks_rows(d, TRUE)
}

ks_export <- function(path, dataset) {
  program <- Sys.getenv("KETSWEEP", "ketsweep")
  errors <- tempfile()
  on.exit(unlink(errors))
  text <- suppressWarnings(system2(program, c("export", shQuote(path), "--dataset", dataset), stdout = TRUE, stderr = errors))
  if (!is.null(attr(text, "status"))) stop(paste(readLines(errors), collapse = "\n"), call. = FALSE)
  d <- read.csv(text = text[-1], check.names = FALSE, na.strings = c("NA", "NaN", "nan", ""))
  structure(d, units = strsplit(sub("^# units: ", "", text[1]), ",")[[1]])
}
