"""tools/ketsweep.R: data frames equal to what the file holds, by hdf5r and by export, and errors."""
import csv
import pathlib
import shutil
import subprocess
import sys
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from samples import TOP, SamplesTest, function, ketsweep  # noqa: E402

SCRIPT = r"""
source("tools/ketsweep.R")
arguments <- commandArgs(TRUE)
folder <- arguments[1]
path <- function(name) file.path(folder, name)
write <- function(d, name) write.csv(format(d, digits = 17, trim = TRUE), path(paste0(name, ".csv")), row.names = FALSE)
write(ks_points(path("campaign.h5")), "points")
write(ks_points(path("campaign.h5"), "mark"), "marked")
write(ks_points(path("partial.h5"), "mark"), "partial")
write(ks_points(path("one.h5")), "one")
write(ks_courses(path("campaign.h5")), "courses")
write(ks_indices(path("saltelli.h5")), "indices")
write(ks_patients(path("cohort.h5")), "patients")
write(ks_visits(path("trial.h5")), "visits")
write(ks_arms(path("trial.h5")), "arms")
same <- function(a, b, tolerance = 0) isTRUE(all.equal(a, b, tolerance = tolerance)) && identical(attr(a, "units"), attr(b, "units"))
for (name in c("campaign.h5", "partial.h5", "one.h5")) for (failed in c("drop", "mark"))
  cat("same points:", same(ks_points(path(name), failed), ks_points(path(name), failed, "export")), "\n")
cat("same courses:", same(ks_courses(path("campaign.h5")), ks_courses(path("campaign.h5"), through = "export"), 1e-7), "\n")
cat("unit:", attr(ks_points(path("campaign.h5")), "units")["infusion_dose"], "\n")
for (wrong in expression(
  ks_points(path("nobody.h5")), ks_points(path("text.h5")), ks_points(path("trial.h5")), ks_courses(path("saltelli.h5")),
  ks_indices(path("campaign.h5")), ks_indices(path("saltelli.h5"), "morris"), ks_visits(path("campaign.h5")),
  ks_points(path("foreign.h5")), ks_points(path("nobody.h5"), through = "export")))
  cat("error:", gsub("\n", " ", tryCatch({ wrong_value <- eval(wrong); "none" }, error = conditionMessage)), "\n")
"""


class R(SamplesTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        self = cls("run_script")
        for sample in (self.campaign, self.saltelli, self.trial):
            sample()
        shutil.copy(self.campaign(), self.path("partial.h5"))
        with h5py.File(self.path("partial.h5"), "r+") as file:
            file["status"][40:] = 0
        ketsweep.run(function(kind="sobol", points=32, parameters=[{"name": "x1"}]), self.path("one.h5"))
        self.path("text.h5", "text")
        with h5py.File(self.path("foreign.h5"), "w") as file:
            file["status"] = [1]
        cls.output = self.run_script()

    def run_script(self):
        process = subprocess.run(["Rscript", "--vanilla", self.path("script.R", SCRIPT), str(self.folder)], cwd=TOP, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process.stdout

    def table(self, name):
        """Columns of what R has written: numbers where they are, with NaN for NA."""
        with open(self.path(f"{name}.csv")) as stream:
            header, *rows = csv.reader(stream)
        columns = {}
        for name, column in zip(header, zip(*rows)):
            try:
                columns[name] = numpy.array([float("nan") if text == "NA" else float(text) for text in column])
            except ValueError:
                columns[name] = numpy.array(column)
        return columns

    def test_points(self):
        for name, failed in (("points", "drop"), ("marked", "mark")):
            data, table = ketsweep.open(self.campaign(), failed), self.table(name)
            names = data.attrs["parameters"] + data.attrs["endpoints"]
            self.assertEqual(list(table), ["point", *names, "status", "solver_steps"])
            for column in ("point", "solver_steps", *names):
                numpy.testing.assert_array_equal(table[column], data[column].values, column)
        self.assertEqual(set(self.table("marked")["status"]), {"done", "bad_protocol"})
        self.assertEqual(len(self.table("partial")["point"]), 40)
        numpy.testing.assert_array_equal(self.table("one")["x1"], ketsweep.open(self.path("one.h5")).x1)
        self.assertIn("unit: mg/kg", self.output)

    def test_courses(self):
        data, table = ketsweep.open(self.campaign()), self.table("courses")
        self.assertEqual(list(table), ["point", "time_h", "madrs", "ketamine_auc"])
        numpy.testing.assert_array_equal(table["point"], numpy.repeat(data.point, 5))
        numpy.testing.assert_array_equal(table["time_h"], numpy.tile(data.time, len(data.point)))
        for column, name in (("madrs", "madrs"), ("ketamine_auc", "ketamine_auc_over_time")):
            numpy.testing.assert_array_equal(table[column].astype("f4"), data[name].values.ravel())

    def test_both_ways_are_one(self):
        self.assertEqual(self.output.count("same points: TRUE"), 6, self.output)
        self.assertIn("same courses: TRUE", self.output)

    def test_indices(self):
        indices, table = ketsweep.indices(self.saltelli()), self.table("indices")
        self.assertEqual(sorted(set(table["index"])), ["S1", "S2", "ST"])
        for endpoint, index, of, *values in zip(*table.values()):
            place = {"endpoint": endpoint, "pair" if index == "S2" else "parameter": of}
            numpy.testing.assert_array_equal(values, [indices[index + end].sel(place) for end in ("", "_low", "_high")])
        self.assertEqual(len(table["value"]), 9)

    def test_studies(self):
        trial, cohort = ketsweep.open(self.trial()), ketsweep.open(self.path("cohort.h5"))
        patients, visits, arms = (self.table(name) for name in ("patients", "visits", "arms"))
        numpy.testing.assert_array_equal(patients["prevalence"], cohort.weight)
        numpy.testing.assert_array_equal(patients["weight"], cohort.inputs.sel(trait="weight"))
        for name in ("latent", "observed"):
            numpy.testing.assert_array_equal(visits[name].astype("f4"), trial[name].values.ravel())
        self.assertEqual([visits[name][-1] for name in ("arm", "patient", "visit")], ["placebo", 149, 672])
        numpy.testing.assert_array_equal(visits["weight"], numpy.tile(numpy.repeat(trial.weight, 6), 2))
        for name, dataset in (("value", "summary"), ("low", "summary_low"), ("trial_high", "replicate_high")):
            numpy.testing.assert_array_equal(arms[name], trial[dataset].values.ravel())
        self.assertEqual([arms[name][12] for name in ("arm", "visit", "statistic")], ["ketamine", 72, "change_mean"])

    def test_errors(self):
        errors = [line[7:].strip() for line in self.output.splitlines() if line.startswith("error: ")]
        expected = ["nobody.h5 does not exist", "text.h5 cannot be read by HDF5", "trial.h5 holds no points of a campaign",
                    "saltelli.h5 holds no trajectories", f"`ketsweep sensitivity {self.campaign()}` computes them",
                    'has no indices of "morris"; it has sobol', "campaign.h5 holds no trial", "foreign.h5 is no file of ketsweep",
                    "ketsweep: error: cannot open "]
        self.assertEqual(len(errors), len(expected), errors)
        for error, words in zip(errors, expected):
            self.assertIn(words, error)


if __name__ == "__main__":
    unittest.main()
