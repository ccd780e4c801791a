"""Whole campaigns as a user runs them: the same file however it is computed, failed points, every reader."""
import csv
import io
import json
import pathlib
import re
import subprocess
import sys
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import CAMPAIGN, TEST_FUNCTION, TOP, ProgramTest, contents  # noqa: E402


class SameFile(ProgramTest):
    """One file for any number of ranks and any commit interval."""

    def check(self, text):
        config = self.path("campaign.cfg", text)
        self.run_program("run", config, "-o", self.path("reference.h5"))
        reference = contents(self.path("reference.h5"))
        self.assertIn("endpoints", reference)
        for ranks in (None, 1, 2, 3, 5):
            for seconds in ("0.02", "1.0", "1000.0"):
                out = self.path(f"{ranks}-{seconds}.h5")
                self.run_program("run", config, "-o", out, "-q", "--set", f"run.commit_seconds={seconds}",
                                 ranks=ranks)
                self.assertEqual(contents(out), reference, f"{ranks} ranks, commit_seconds {seconds}")
                self.run_program("verify", out)

    def test_model(self):
        self.check(CAMPAIGN)

    def test_function(self):
        self.check(TEST_FUNCTION)

    def test_lanes(self):
        config = self.path("campaign.cfg", CAMPAIGN + 'solver : { kind = "rosenbrock"; };')
        widest = int(re.search(r"rosenbrock uses (\d) here", self.run_program("--version").stdout).group(1))
        self.run_program("run", config, "-o", self.path("reference.h5"), KETSWEEP_LANES="1")
        reference = contents(self.path("reference.h5"))
        for lanes in (2, 4, 8):
            for ranks in (None, 3):
                if lanes <= widest:
                    out = self.path(f"{lanes}-{ranks}.h5")
                    self.run_program("run", config, "-o", out, ranks=ranks, KETSWEEP_LANES=str(lanes))
                    self.assertEqual(contents(out), reference, f"{lanes} lanes, {ranks} ranks")
        refusal = self.run_program("run", config, "-o", self.path("no.h5"), status=2, KETSWEEP_LANES="3")
        self.assertIn(f'KETSWEEP_LANES is 1, 2, 4 or 8, at most {widest} on this processor, found "3"', refusal.stderr)

    def test_more_ranks_than_points(self):
        config = self.path("campaign.cfg", CAMPAIGN)
        for ranks in (None, 5):
            self.run_program("run", config, "-o", self.path(f"{ranks}.h5"), "--set", "design.points=2", ranks=ranks)
        self.assertEqual(contents(self.path("None.h5")), contents(self.path("5.h5")))

    def test_short_rounds_make_more_of_them(self):
        config = self.path("campaign.cfg", CAMPAIGN)
        self.run_program("run", config, "-o", self.path("a.h5"), "--set", "run.commit_seconds=0.01", ranks=2)
        with h5py.File(self.path("a.h5")) as file:
            log = file["rounds/log"][: file["rounds/in_use"][()]]
            self.assertGreater(len(log), 1)
            ends = log["first_row"] + log["n_rows"]
            self.assertEqual(log["first_row"].tolist(), [0, *ends[:-1].tolist()])
            self.assertEqual(ends[-1], 23)

    def test_no_varied_parameter(self):
        config = self.path("one.cfg", "protocol : { horizon = 24.0; };")
        self.run_program("run", config, "-o", self.path("one.h5"))
        with h5py.File(self.path("one.h5")) as file:
            self.assertEqual(file["status"][:].tolist(), [1])


class FailedPoints(ProgramTest):
    """A failed point is a row with a status and NaN; the campaign completes."""

    def test_step_limit(self):
        config = self.path("campaign.cfg", CAMPAIGN)
        run = self.run_program("run", config, "-o", self.path("a.h5"), "--set", "solver.max_steps=3", ranks=2,
                               status=1)
        self.assertIn("23 step_limit", run.stderr)
        self.assertIn("100 % of the points failed, more than --max-failed-fraction allows (1 %)", run.stderr)
        with h5py.File(self.path("a.h5")) as file:
            names = list(file["status"].attrs["status_names"])
            self.assertEqual({names[i] for i in file["status"][:]}, {"step_limit"})
            self.assertTrue(numpy.isnan(file["endpoints"][:]).all())
            self.assertTrue(numpy.isnan(file["trajectories"][:]).all())
            self.assertFalse(numpy.isnan(file["inputs"][:]).any())
            self.assertEqual(file.attrs["complete"], 1)
        self.run_program("run", config, "-o", self.path("b.h5"), "--set", "solver.max_steps=3",
                         "--max-failed-fraction", "1")
        self.assertEqual(contents(self.path("a.h5")), contents(self.path("b.h5")))

    def test_some_protocols_are_impossible(self):
        config = self.path("campaign.cfg", CAMPAIGN.replace("high = 40.0", "high = 80.0"))
        run = self.run_program("run", config, "-o", self.path("a.h5"), "--max-failed-fraction", "0.9")
        with h5py.File(self.path("a.h5")) as file:
            inputs, status = file["inputs"][:], file["status"][:]
            late = (inputs[:, 1] == 2) & (inputs[:, 2] > 48)
            self.assertEqual((status == 7).tolist(), late.tolist())
            self.assertTrue(0 < late.sum() < len(late))
            self.assertEqual(numpy.isnan(file["endpoints"][:]).all(axis=1).tolist(), late.tolist())
        self.assertIn(f"{late.sum()} bad_protocol", run.stderr)


class Readers(ProgramTest):
    """The layout for Python, and the commands that read a file."""

    def setUp(self):
        super().setUp()
        self.file = self.path("a.h5")
        self.run_program("run", self.path("campaign.cfg", CAMPAIGN), "-o", self.file)

    def test_layout(self):
        check = subprocess.run([sys.executable, "-W", "error::UserWarning", str(TOP / "tests/cli/check_layout.py"),
                                self.file], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_xarray(self):
        import xarray
        with xarray.open_dataset(self.file, engine="h5netcdf") as data:
            column = data.endpoints.sel(endpoint="madrs_24h")
            self.assertEqual(column.shape, (23,))
            self.assertEqual(str(data.endpoint_unit.sel(endpoint="madrs_24h").values), "points")
            self.assertTrue(((0 <= column) & (column <= 60)).all())
            self.assertEqual(str(data.parameter_unit.sel(parameter="infusion_dose").values), "mg/kg")
            self.assertEqual(data.trajectories.sel(state="madrs", time=24.0).shape, (23,))
            close = numpy.allclose(data.trajectories.sel(state="madrs", time=24.0), column, rtol=1e-6)
            self.assertTrue(close)

    def test_export(self):
        lines = self.run_program("export", self.file).stdout.splitlines()
        self.assertTrue(lines[0].startswith("# units: 1,mg/kg,1,h,x healthy,x healthy,ng/mL"))
        rows = list(csv.DictReader(lines[1:]))
        self.assertEqual(len(rows), 23)
        with h5py.File(self.file) as file:
            endpoints = [name.decode() for name in file["endpoint"][:]]
            column = endpoints.index("madrs_24h")
            for i, row in enumerate(rows):
                self.assertEqual(float(row["madrs_24h"]), file["endpoints"][i, column])
                self.assertEqual(float(row["life_stress"]), file["inputs"][i, 4])
                self.assertIn(row["status"], ("done", "not_depressed"))
        self.run_program("export", self.file, "--dataset", "trajectories", "--long", "-o", self.path("long.csv"))
        long = list(csv.DictReader(io.StringIO(pathlib.Path(self.path("long.csv")).read_text())))
        self.assertEqual(list(long[0]), ["ID", "ARM", "TIME", "NAME", "VALUE"])
        self.assertEqual(len(long), 23 * 9 * 2)
        wide = self.run_program("export", self.file, "--dataset", "trajectories").stdout.splitlines()
        self.assertEqual(wide[0], "# units: 1,h,points,x healthy")
        self.assertEqual(wide[1], "point,time_h,madrs,bdnf")
        self.assertEqual(len(wide), 2 + 23 * 9)
        refusal = self.run_program("export", self.file, "--dataset", "rows", status=2)
        self.assertIn('--dataset is all, inputs, endpoints, status or trajectories, found "rows"', refusal.stderr)

    def test_status(self):
        text = self.run_program("status", self.file).stdout
        self.assertIn("23 of 23 points (100 %)", text)
        self.assertIn("complete", text)
        self.assertIn("1 ranks on", text)

    def test_verify_finds_a_changed_byte(self):
        self.assertIn("1 of 1 rounds good; the campaign is complete", self.run_program("verify", self.file).stdout)
        for name, index in (("inputs", (3, 1)), ("endpoints", (22, 5)), ("trajectories", (7, 2, 1)), ("status", 4),
                            ("solver_steps", 11)):
            with h5py.File(self.file, "r+") as file:
                before = file[name][index]
                file[name][index] = before + 1
            text = self.run_program("verify", self.file, status=1).stdout
            self.assertIn("rows 0 to 22 CHANGED since they were written", text)
            with h5py.File(self.file, "r+") as file:
                file[name][index] = before
            self.run_program("verify", self.file)

    def test_existing_output_is_kept(self):
        before = pathlib.Path(self.file).read_bytes()
        refusal = self.run_program("run", self.path("campaign.cfg"), "-o", self.file, status=2)
        self.assertEqual(refusal.stderr, f"ketsweep: error: {self.file} exists; --overwrite replaces it\n")
        self.assertEqual(pathlib.Path(self.file).read_bytes(), before)
        self.run_program("run", self.path("campaign.cfg"), "-o", self.file, "--overwrite", "--set", "design.points=3")
        with h5py.File(self.file) as file:
            self.assertEqual(file["status"].shape, (3,))


class OtherFiles(ProgramTest):
    """What is not a result file is refused with a sentence."""

    def test_refusals(self):
        with h5py.File(self.path("other.h5"), "w") as file:
            file["x"] = [1, 2]
        cases = {"missing.h5": None, "text.h5": "not HDF5\n", "empty.h5": "", "other.h5": None}
        for name, text in cases.items():
            path = self.path(name, text)
            for command in ("status", "verify", "export"):
                refusal = self.run_program(command, path, status=1)
                self.assertTrue(refusal.stderr.startswith("ketsweep: error: "), refusal.stderr)
                self.assertIn(name, refusal.stderr.splitlines()[0])


class Simulate(ProgramTest):
    """One patient as CSV and as a file."""

    def test_csv(self):
        config = self.path("a.cfg", 'title = "one"; protocol : { horizon = 3.0; };')
        lines = self.run_program("simulate", config).stdout.splitlines()
        comments = [line for line in lines if line.startswith("# ")]
        self.assertIn("# one", comments)
        self.assertTrue(any(line.startswith("# ketamine_cmax = 204.7") for line in comments), comments)
        rows = list(csv.DictReader(lines[len(comments):]))
        self.assertEqual([float(row["time_h"]) for row in rows], [0, 0.66666666666666663, 1, 2, 3])
        self.assertEqual(len(rows[0]), 59)
        self.assertEqual(float(rows[0]["ketamine_central"]), 0)
        self.assertGreater(float(rows[1]["ketamine_central"]), 1)

    def test_h5_holds_the_same(self):
        config = self.path("a.cfg", "protocol : { horizon = 3.0; };")
        lines = self.run_program("simulate", config).stdout.splitlines()
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        self.run_program("simulate", config, "--format", "h5", "-o", self.path("a.h5"))
        with h5py.File(self.path("a.h5")) as file:
            self.assertEqual(file["trajectories"].shape, (1, 5, 58))
            for i, row in enumerate(rows):
                expected = numpy.float32([float(value) for value in list(row.values())[1:]])
                self.assertEqual(file["trajectories"][0, i].tolist(), expected.tolist())
        self.run_program("verify", self.path("a.h5"))

    def test_too_many_hours(self):
        refusal = self.run_program("simulate", self.path("a.cfg", "protocol : { horizon = 1e10; };"), status=2)
        self.assertIn("1e+10 h is long for a row every hour; state output.trajectories", refusal.stderr)

    def test_failure_is_said(self):
        config = self.path("a.cfg", "solver : { max_steps = 3; };")
        failure = self.run_program("simulate", config, status=1)
        self.assertIn("the patient could not be simulated", failure.stderr)


class Help(ProgramTest):
    """Usage, versions, tables, and mistakes on the command line."""

    def test_help(self):
        overview = self.run_program("help").stdout
        for command in ("run", "check", "show", "simulate", "status", "export", "verify"):
            self.assertIn(f"\n  {command} ", overview)
            text = self.run_program("help", command).stdout
            self.assertIn("Example", text)
            self.assertEqual(text, self.run_program(command, "--help").stdout)
        version = self.run_program("--version").stdout
        for word in ("ketsweep", "model version", "Open MPI", "HDF5", "libconfig", "lanes"):
            self.assertIn(word, version)

    def test_show(self):
        counts = {"parameters": 175, "states": 67, "endpoints": 68, "designs": 5}
        for topic, count in counts.items():
            text = self.run_program("show", topic).stdout
            self.assertEqual(len(text.splitlines()), count + 1)
            rows = json.loads(self.run_program("show", topic, "--json").stdout)
            self.assertEqual(len(rows), count)
        weight = [row for row in json.loads(self.run_program("show", "parameters", "--json").stdout)
                  if row["name"] == "weight"]
        self.assertEqual((weight[0]["unit"], weight[0]["default"], weight[0]["low"]), ("kg", 70, 35))

    def test_check_prints_a_plan(self):
        plan = self.run_program("check", TOP / "configs/demo.cfg").stdout
        for words in ("points of ketamine, design sobol", "infusions  1 of varied mg/kg, route iv, over 40 min", "core-hours", "#SBATCH --ntasks="):
            self.assertIn(words, plan)

    def test_shipped_configurations_are_valid(self):
        paths = sorted((TOP / "configs").glob("*.cfg"))
        self.assertGreaterEqual(len(paths), 6)
        for path in paths:
            self.run_program("check", path)

    def test_mistakes(self):
        config = self.path("a.cfg", "")
        cases = {
            ("fly",): 'there is no command "fly"; `ketsweep help` lists them',
            ("run",): "run needs a CONFIG; `ketsweep help run` shows how",
            ("run", config, "--fast"): "run has no option --fast; `ketsweep help run` lists them",
            ("run", config, "-o"): "--output needs a value",
            ("run", config, "-o", ""): "--output needs a value",
            ("run", config, "--set", "x"): '--set takes KEY=VALUE, found "x"',
            ("run", config, "--max-failed-fraction", "2"): '--max-failed-fraction takes a number in [0, 1], found "2"',
            ("check", config, config): f'check takes one argument, found "{config}" and "{config}"',
            ("show", "money"): "show knows parameters, states, endpoints, designs, distributions, models and config, "
                               'found "money"',
            ("simulate", config, "--format", "xml"): '--format is csv or h5, found "xml"',
        }
        for arguments, sentence in cases.items():
            refusal = self.run_program(*arguments, status=2)
            self.assertEqual(refusal.stderr, f"ketsweep: error: {sentence}\n")

    def test_one_rank_speaks(self):
        refusal = self.run_program("run", self.path("missing.cfg"), ranks=3, status=2)
        self.assertEqual(refusal.stderr.count("ketsweep: error: "), 1, refusal.stderr)


if __name__ == "__main__":
    unittest.main()
