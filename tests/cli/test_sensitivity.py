#!/usr/bin/env python3
"""`ketsweep sensitivity` as a user meets it: the path from design to indices in the file, any number of ranks, failed runs,
extended studies, design.stop, and what is refused."""
import json
import pathlib
import subprocess
import sys
import unittest

import h5py
import numpy
import xarray

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import KETSWEEP, TOP, ProgramTest, contents  # noqa: E402

STUDY = """
model = "test:ishigami";
design : { kind = "saltelli"; points = 1024; seed = 1; };
parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; } );
output : { file = "study.h5"; };
"""
FIRST, TOTAL = (.3139051911, .4424111448, 0), (.5575888552, .4424111448, .2436836641)

COURSE = """
protocol : { horizon = 24.0; };
design : { kind = "saltelli"; points = 32; };
parameters : ( { name = "infusion_dose"; low = 0.2; high = 0.8; }, { name = "mood_time"; low = 2.0; high = 12.0; } );
output : { file = "study.h5"; endpoints = ["madrs_24h"]; trajectories : { states = ["madrs", "bdnf"]; every = 12.0; }; };
"""


class SensitivityTest(ProgramTest):
    """A study in a folder of its own."""

    def make(self, text=STUDY, *arguments, status=0, ranks=None):
        self.path("study.cfg", text)
        return self.run_program("run", "study.cfg", "-q", *arguments, status=status, ranks=ranks)

    def indices(self, *arguments, **keywords):
        process = self.run_program("sensitivity", "study.h5", "--json", "-q", *arguments, **keywords)
        return json.loads(process.stdout)


class WholePath(SensitivityTest):
    def test_indices_are_those_of_the_function(self):
        self.make()
        answer = self.indices()
        self.assertEqual((answer["method"], answer["design"], answer["bases"]), ("sobol", "saltelli", 1024))
        for parameter, first, total in zip(answer["outputs"][0]["parameters"], FIRST, TOTAL):
            for name, truth in (("S1", first), ("ST", total)):
                value, low, high = parameter[name]
                self.assertLess(abs(value - truth), high - low)
                self.assertLess(high - low, 0.2)

    def test_the_file_holds_them_with_scales_and_opens_everywhere(self):
        self.make(STUDY, "--set", "design.second_order=true")
        before = contents(self.path("study.h5"))
        parameters = self.indices()["outputs"][0]["parameters"]
        self.indices("--method", "morris")
        after = contents(self.path("study.h5"))
        self.assertEqual(before, {name: value for name, value in after.items() if not name.startswith("sensitivity")})
        with h5py.File(self.path("study.h5"), "r") as file:
            group = file["sensitivity/sobol"]
            self.assertEqual([group["S1"].dims[k][0].name for k in range(2)], ["/endpoint", "/parameter"])
            self.assertEqual([group["S2"].dims[k][0].name for k in range(2)], ["/endpoint", "/sensitivity/sobol/pair"])
            self.assertEqual(list(group["pair"].asstr()), ["x1:x2", "x1:x3", "x2:x3"])
            for name in ("S1", "ST"):
                stored = numpy.stack([group[name + end][0] for end in ("", "_low", "_high")], axis=1)
                self.assertEqual(stored.tolist(), [p[name] for p in parameters])
            self.assertEqual(group["n_used"][0].tolist(), [1024] * 3)
            self.assertIn("mu_star", file["sensitivity/morris"])
        with xarray.open_dataset(self.path("study.h5"), engine="h5netcdf") as data:
            self.assertEqual(data.sizes["point"], 8192)
        with xarray.open_dataset(self.path("study.h5"), engine="h5netcdf", group="sensitivity/sobol") as data:
            self.assertEqual(data.S1.dims, ("endpoint", "parameter"))

    def test_a_second_analysis_replaces_the_first(self):
        self.make()
        self.indices()
        first = contents(self.path("study.h5"))
        self.indices("--bootstrap", "50")
        self.assertNotEqual(contents(self.path("study.h5")), first)
        self.indices()
        self.assertEqual(contents(self.path("study.h5")), first)

    def test_text_names_method_grades_and_sorts(self):
        self.make()
        lines = self.run_program("sensitivity", "study.h5").stdout.splitlines()
        self.assertIn("study.h5: sobol, design saltelli, 1,024 base rows", lines)
        rows = [line.split()[0] for line in lines if line.startswith("  x")]
        self.assertEqual(rows, ["x1", "x2", "x3"])
        self.assertTrue(any("####" in line for line in lines))

    def test_states_have_indices_at_each_time_and_over_their_course(self):
        self.make(COURSE)
        answer = self.indices()
        self.assertEqual([o["name"] for o in answer["outputs"]], ["madrs_24h", "madrs", "bdnf"])
        self.assertEqual([p["grade"] for p in answer["outputs"][0]["parameters"]], ["S", "D"])
        text = self.run_program("sensitivity", "study.h5").stdout
        self.assertIn("bars of : stand for ranges that are judged or fitted", text)
        self.assertRegex(text, r"mood_time +D .*:")
        with h5py.File(self.path("study.h5"), "r") as file:
            group = file["sensitivity/sobol"]
            self.assertEqual(group["trajectories_ST"].shape, (3, 2, 2))
            self.assertEqual([group["trajectories_ST"].dims[k][0].name for k in range(3)],
                             ["/time", "/state", "/parameter"])
            self.assertEqual(group["generalised_ST"].shape, (2, 2))
            variance, total = group["trajectories_variance"][:], group["trajectories_ST"][:]
            weighted = numpy.nansum(variance[..., None] * total, axis=0) / numpy.nansum(variance, axis=0)[:, None]
            numpy.testing.assert_allclose(group["generalised_ST"][:], weighted, rtol=1e-12)


class Ranks(SensitivityTest):
    def check(self, *arguments):
        alone = self.run_program("sensitivity", "study.h5", "--json", *arguments).stdout
        file = contents(self.path("study.h5"))
        for ranks in (1, 2, 3, 5):
            together = self.run_program("sensitivity", "study.h5", "--json", *arguments, ranks=ranks).stdout
            self.assertEqual(together, alone, f"{ranks} ranks")
            self.assertEqual(contents(self.path("study.h5")), file)

    def test_numbers_do_not_depend_on_them(self):
        self.make(STUDY.replace("ishigami", "scattered"), "--max-failed-fraction", "1")
        self.check()
        self.check("--bootstrap", "40")

    def test_numbers_of_given_data_do_not_either(self):
        self.make(STUDY.replace("saltelli", "lhs"))
        self.check("--method", "prcc", "--bootstrap", "40")


class Failures(SensitivityTest):
    def test_scattered_failures_are_counted_and_cost_little(self):
        self.make(STUDY.replace("ishigami", "scattered"), "--max-failed-fraction", "1")
        with h5py.File(self.path("study.h5"), "r") as file:
            failed = file["status"][:] >= 3
        answer = self.indices()
        self.assertEqual(answer["failures"]["failed"], failed.sum())
        self.assertEqual(answer["failures"]["touched"], failed.reshape(-1, 5).any(axis=1).sum())
        self.assertFalse(answer["failures"]["clustered"])
        for i, parameter in enumerate(answer["outputs"][0]["parameters"]):
            touched = failed.reshape(-1, 5)[:, [0, 1 + i, 4]].any(axis=1).sum()
            self.assertEqual(parameter["used"], 1024 - touched)
            value, low, high = parameter["ST"]
            self.assertLess(abs(value - TOTAL[i]), high - low)
        text = self.run_program("sensitivity", "study.h5").stdout
        self.assertRegex(text, r"\d+ of 5,120 points failed; \d+ of 1,024 base rows touched\n")
        self.assertNotIn("given that", text)

    def test_failures_in_a_corner_are_said_to_be_there(self):
        self.make(STUDY.replace("ishigami", "corner"), "--max-failed-fraction", "1")
        text = self.run_program("sensitivity", "study.h5").stdout
        self.assertRegex(text, r"failures concentrate at x1 > 1\.7\d* \(p < 1e-15\), x3 > 1\.7\d* \(p < 1e-15\)\n")
        self.assertIn("All that follows is given that the run succeeds.", text)
        self.assertRegex(text, r"; \d+ of 1,024 base rows dropped")
        self.assertNotIn("nan", text.lower())
        with h5py.File(self.path("study.h5"), "r") as file:
            self.assertEqual(file["sensitivity/sobol"].attrs["condition"], "given that the run succeeds")


class Growth(SensitivityTest):
    def test_an_extended_study_equals_one_in_one_go(self):
        self.make(STUDY, "--set", "design.points=4096", "-o", "whole.h5")
        self.make(STUDY, "--set", "design.points=64")
        for points in (256, 4096):
            self.indices()
            self.make(STUDY, "--set", f"design.points={points}", "--extend", ranks=2)
        self.assertEqual(contents(self.path("study.h5")), contents(self.path("whole.h5")))
        self.indices()
        self.run_program("sensitivity", "whole.h5", "-q")
        self.assertEqual(contents(self.path("study.h5")), contents(self.path("whole.h5")))

    STOP = STUDY.replace("points = 1024;", 'points = 8192; stop = { method = "sobol"; endpoints = ["y"]; half_width = 0.1; };')

    def test_a_study_stops_when_it_is_precise_enough(self):
        self.path("study.cfg", self.STOP)
        process = self.run_program("run", "study.cfg")
        self.assertRegex(process.stderr, r"study\.h5: 128 of 8192 base rows: the widest interval is \+- 0\.\d+, S[1T] of x\d on y; "
                                         r"wanted \+- 0\.1\n")
        self.assertIn("study.h5: precise enough\n", process.stderr)
        answer = self.indices()
        self.assertLess(answer["bases"], 8192)
        widths = [(high - low) / 2 for p in answer["outputs"][0]["parameters"] for _, low, high in (p["S1"], p["ST"])]
        self.assertLessEqual(max(widths), 0.1)
        before = contents(self.path("study.h5"))
        self.make(STUDY, "--set", f"design.points={answer['bases']}", "-o", "whole.h5")
        self.assertEqual({k: v for k, v in before.items() if not k.startswith("sensitivity")},
                         contents(self.path("whole.h5")))
        self.run_program("run", "study.cfg", "-q")
        self.assertEqual(contents(self.path("study.h5")), before)
        self.run_program("run", "study.cfg", "-q", "-o", "ranks.h5", ranks=3)
        self.assertEqual(contents(self.path("ranks.h5")), contents(self.path("whole.h5")))

    def test_a_wish_for_more_precision_takes_the_study_up(self):
        self.make(self.STOP, "--set", "design.stop.half_width=0.2")
        small = self.indices()["bases"]
        process = self.run_program("run", "study.cfg", "--set", "design.points=256", "--set", "design.stop.half_width=0.001")
        self.assertIn("design.points is reached; intervals are wider than wanted", process.stderr)
        self.run_program("run", "study.cfg", "-q", "--set", "design.points=256", "--set", "design.stop.half_width=0.001",
                         "--overwrite")
        self.assertEqual(self.indices()["bases"], 256)
        self.assertLessEqual(small, 256)

    def test_a_stop_that_makes_no_sense_is_refused(self):
        for change, sentence in (
                ('endpoints=["z"]', 'study.cfg: design.stop.endpoints: "z" is not among the endpoints of output'),
                ('method="morri"', 'there is no method "morri"; did you mean "morris"?'),
                ('method="fast"', 'study.cfg: fast cannot be computed from a design of kind "saltelli"; it needs one of: fast')):
            process = self.make(self.STOP, "--set", f"design.stop.{change}", status=2)
            self.assertIn(sentence, process.stderr)
            self.assertFalse((self.folder / "study.h5").exists())
            checked = self.run_program("check", "study.cfg", "--set", f"design.stop.{change}", status=2)
            self.assertIn(sentence, checked.stderr)

    def test_ranks_that_want_to_stop_differently_are_refused(self):
        self.path("study.cfg", self.STOP)
        for key in ("half_width=0.01", 'method="morris"', 'endpoints=["y", "y"]'):
            command = ["mpirun", "-n", "2", KETSWEEP, "run", "study.cfg", ":", "-n", "1", KETSWEEP, "run", "study.cfg", "--set",
                       f"design.stop.{key}"]
            process = subprocess.run(command, cwd=self.folder, text=True, stdin=subprocess.DEVNULL, timeout=60,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(process.returncode, 2, process.stderr)
            self.assertIn("ketsweep: error: study.cfg: rank 2 has another design.stop or design.points than rank 0",
                          process.stderr)
            self.assertFalse((self.folder / "study.h5").exists())

    def test_the_file_of_another_study_is_refused_as_one(self):
        """Also where its design.points make no stage of this one."""
        self.make(STUDY.replace('"saltelli"; points = 1024', '"sobol"; points = 1000'))
        before = (self.folder / "study.h5").read_bytes()
        process = self.make(self.STOP, status=2)
        self.assertIn("study.h5 holds another campaign than study.cfg describes", process.stderr)
        self.assertEqual((self.folder / "study.h5").read_bytes(), before)


class Refusals(SensitivityTest):
    def refuse(self, sentence, *arguments):
        before = contents(self.path("study.h5"))
        process = self.run_program("sensitivity", "study.h5", *arguments, status=2)
        self.assertIn(f"ketsweep: error: {sentence}", process.stderr)
        self.assertEqual(process.stdout, "")
        self.assertEqual(contents(self.path("study.h5")), before)
        self.assertEqual([p.name for p in self.folder.glob("*.part*")], [])

    def test_a_campaign_that_is_not_complete_is_left_alone(self):
        self.make()
        with h5py.File(self.path("study.h5"), "r+") as file:
            file.attrs.modify("complete", numpy.int32(0))
        self.refuse("study.h5 is not complete; an analysis never writes into a file that a campaign still fills. "
                    '"ketsweep status study.h5" says how far it is')

    def test_a_method_that_the_design_cannot_serve(self):
        self.make()
        self.refuse('study.h5: fast cannot be computed from a design of kind "saltelli"; it needs one of: fast',
                    "--method", "fast")
        self.refuse('there is no method "sobl"; did you mean "sobol"?', "--method", "sobl")
        self.refuse('--bootstrap takes a number of resamples in [20, 100000], found "5"', "--bootstrap", "5")

    def test_a_study_of_nothing(self):
        self.make('model = "test:ishigami"; output : { file = "study.h5"; };')
        self.refuse("study.h5 varies nothing that could drive anything")

    def test_ranks_refuse_with_one_voice(self):
        self.make()
        process = self.run_program("sensitivity", "study.h5", "--method", "fast", ranks=3, status=2)
        self.assertEqual(process.stderr.count("ketsweep: error:"), 1)

    def test_a_damaged_file_is_refused_on_ranks(self):
        self.make()
        with open(self.path("study.h5"), "r+b") as file:
            file.seek(8)
            file.write(b"\xff" * 88)
        process = self.run_program("sensitivity", "study.h5", ranks=3, status=1)
        self.assertEqual(process.stderr.count("ketsweep: error:"), 1)
        self.assertIn("ketsweep: error: study.h5: ", process.stderr)

    def test_what_a_killed_analysis_has_left_goes(self):
        self.make()
        for name in ("study.h5.part-abcdef", "study.h5.part-kept"):
            (self.folder / name).touch()
        self.run_program("sensitivity", "study.h5", "-q")
        self.assertEqual([path.name for path in self.folder.glob("*.part-*")], ["study.h5.part-kept"])


class Separate(SensitivityTest):
    def test_a_file_beside_the_campaigns(self):
        self.make(COURSE)
        before = (self.folder / "study.h5").read_bytes()
        self.indices("--separate")
        self.indices("--separate", "--method", "morris")
        self.assertEqual((self.folder / "study.h5").read_bytes(), before)
        with h5py.File(self.path("study.sensitivity.h5"), "r") as file:
            self.assertEqual(sorted(file["sensitivity"]), ["morris", "sobol"])
            self.assertNotIn("inputs", file)
        self.indices()
        with h5py.File(self.path("study.h5"), "r") as whole, h5py.File(self.path("study.sensitivity.h5"), "r") as own:
            for name in whole["sensitivity/sobol"]:
                numpy.testing.assert_array_equal(whole["sensitivity/sobol"][name][()], own["sensitivity/sobol"][name][()])

    def test_a_file_of_another_campaign_is_not_added_to(self):
        self.make()
        self.indices("--separate")
        self.make(STUDY.replace("seed = 1", "seed = 2"), "--overwrite")
        process = self.run_program("sensitivity", "study.h5", "--separate", status=2)
        self.assertIn("study.sensitivity.h5 exists and holds nothing of this campaign; move it away", process.stderr)


class Links(SensitivityTest):
    def test_a_link_to_a_campaign_stays_one(self):
        (self.folder / "data").mkdir()
        self.make(STUDY, "-o", "data/study.h5")
        (self.folder / "study.h5").symlink_to("data/study.h5")
        self.indices()
        self.assertTrue((self.folder / "study.h5").is_symlink())
        with h5py.File(self.path("data/study.h5"), "r") as file:
            self.assertIn("sobol", file["sensitivity"])


class Plot(SensitivityTest):
    def plot(self, *arguments, status=0):
        process = subprocess.run([sys.executable, TOP / "tools/plot.py", "sensitivity", *arguments], cwd=self.folder,
                                 text=True, capture_output=True, check=False)
        self.assertEqual(process.returncode, status, process.stderr)
        return process

    def test_indices_are_drawn(self):
        self.make(COURSE)
        refusal = self.plot("study.h5", status=2)
        self.assertIn("study.h5 holds no indices; `ketsweep sensitivity study.h5` computes them", refusal.stderr)
        for method in ("sobol", "morris"):
            self.indices("--method", method)
            self.plot("study.h5", "--method", method, "-o", f"{method}.svg")
            picture = (self.folder / f"{method}.svg").read_text()
            self.assertIn("<svg", picture)
        self.assertIn('has no endpoint "x"', self.plot("study.h5", "--endpoint", "x", status=2).stderr)
        self.plot("study.h5", "-o", "figure.pdf")
        self.assertEqual((self.folder / "figure.pdf").read_bytes()[:5], b"%PDF-")


class Designs(SensitivityTest):
    def test_faults_of_designs(self):
        rest = 'parameters : ( { name = "x1"; }, { name = "x2"; } );'
        for design, sentence in (
                ('kind = "saltelli"; points = 100;', "design.points: 100; a Saltelli design has a power of two of base rows, 32 at least"),
                ('kind = "saltelli"; points = 64; second_order = 1;', "design.second_order: must be true or false"),
                ('kind = "saltelli"; points = 64; step = 0.1;', 'design.step: only a design of kind "morris" takes it'),
                ('kind = "lhs"; points = 64; second_order = true;', 'design.second_order: only a design of kind "saltelli" takes it'),
                ('kind = "morris"; points = 1;', "design.points: 1; elementary effects need 2 trajectories at least"),
                ('kind = "morris"; points = 20; levels = 5;', "design.levels: 5 is odd; it must be an even number in [2, 1000]"),
                ('kind = "morris"; points = 20; scheme = "radial";',
                 "design.points: 20; radial trajectories come in multiples of 16, 32 at least"),
                ('kind = "morris"; points = 32; scheme = "radial"; levels = 4;',
                 "design.levels: radial steps have no levels; they take step"),
                ('kind = "morris"; points = 32; step = 0.1;', "design.step: steps along trajectories are half of the levels"),
                ('kind = "fast"; points = 100;', "design.points: 100; fast has 8 curves of"),
                ('kind = "fast"; points = 1040; stop = { half_width = 0.1; };',
                 'design.stop: a design of kind "fast" cannot be doubled'),
                ('kind = "saltelli"; points = 64; stop = { };', "design.stop: \"half_width\" is missing"),
        ):
            with self.subTest(design):
                self.path("bad.cfg", f'model = "test:ishigami";\ndesign : {{ {design} }};\n{rest}')
                process = self.run_program("check", "bad.cfg", status=2)
                self.assertIn(sentence, process.stderr)

    def test_correlation_needs_rows_of_the_joint_distribution(self):
        self.path("bad.cfg", STUDY + 'correlation : ( { a = "x1"; b = "x2"; rho = 0.5; } );')
        process = self.run_program("check", "bad.cfg", status=2)
        self.assertIn("the rows of a saltelli design are for independent parameters; designs that can be correlated are "
                      "random, lhs and sobol", process.stderr)

    def test_every_design_runs_and_has_a_method_of_its_own(self):
        for design, method, rows in (
                ('kind = "saltelli"; points = 64;', "sobol", 320),
                ('kind = "saltelli"; points = 64; second_order = true;', "sobol", 512),
                ('kind = "morris"; points = 10;', "morris", 40),
                ('kind = "morris"; points = 32; scheme = "radial";', "morris", 128),
                ('kind = "fast"; points = 1040;', "fast", 3120),
                ('kind = "rbd-fast"; points = 500;', "rbd-fast", 500)):
            with self.subTest(design):
                self.make(STUDY.replace('kind = "saltelli"; points = 1024;', design), "--overwrite")
                answer = self.indices("--bootstrap", "20")
                self.assertEqual(answer["method"], method)
                with h5py.File(self.path("study.h5"), "r") as file:
                    self.assertEqual(len(file["status"]), rows)

    def test_the_rows_of_a_csv_file_serve_given_data_methods(self):
        self.make(STUDY.replace("saltelli", "random"))
        self.run_program("export", "study.h5", "--dataset", "inputs", "-o", "points.csv")
        lines = (self.folder / "points.csv").read_text().splitlines()[1:]
        self.path("points.csv", "\n".join(line.split(",", 1)[1] for line in lines) + "\n")
        expected = self.indices("--method", "src", "--bootstrap", "20")
        self.make('model = "test:ishigami"; design : { kind = "file"; file = "points.csv"; };'
                  'output : { file = "study.h5"; };', "--overwrite")
        found = self.indices("--method", "src", "--bootstrap", "20")
        for a, b in zip(expected["outputs"][0]["parameters"], found["outputs"][0]["parameters"]):
            self.assertAlmostEqual(a["SRC"][0], b["SRC"][0], 12)

    def test_methods_and_designs_are_shown(self):
        methods = json.loads(self.run_program("show", "methods", "--json").stdout)
        designs = {d["kind"] for d in json.loads(self.run_program("show", "designs", "--json").stdout)}
        self.assertIn("sobol", {m["method"] for m in methods})
        for method in methods:
            self.assertTrue(set(method["designs"].split()) <= designs, method)


if __name__ == "__main__":
    unittest.main()
