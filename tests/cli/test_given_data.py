"""Given-data methods, fast and dgsm as users meet them: a file in, the same numbers for any number of ranks out."""
import json
import shutil
import unittest

import h5py
import numpy

from program import ProgramTest, contents

CAMPAIGN = """
model = "test:ishigami";
design : {{ {design} seed = 3; }};
parameters : ( {{ name = "x1"; }}, {{ name = "x2"; }}, {{ name = "x3"; }} );
{more}
"""
CORRELATED = """
model = "test:linear";
design : { kind = "lhs"; points = 2048; seed = 3; };
parameters : ( { name = "x1"; distribution = "normal"; mean = 0.0; sd = 1.0; },
               { name = "x2"; distribution = "normal"; mean = 0.0; sd = 1.0; } );
correlation : ( { a = "x1"; b = "x2"; rho = 0.3; } );
"""
METHODS = ("rbd-fast", "shapley", "ancova", "delta", "pawn", "src", "srrc", "prcc", "regional")
S1, ST = (0.3139, 0.4424, 0.0), (0.5576, 0.4424, 0.2437)


class GivenData(ProgramTest):
    def campaign(self, design, more="", name="study.h5"):
        config = self.path("study.cfg", CAMPAIGN.format(design=design, more=more))
        self.run_program("run", config, "-o", name, "--quiet")
        return self.path(name)

    def indices(self, file, method, *more):
        """The table of the first output, by parameter."""
        printed = self.run_program("sensitivity", file, "--method", method, "--json", "-q", *more).stdout
        return {row["parameter"]: row for row in json.loads(printed)["outputs"][0]["parameters"]}

    def test_every_method_gives_the_same_file_on_any_number_of_ranks(self):
        alone = self.campaign('kind = "lhs"; points = 512;')
        many = self.path("many.h5")
        shutil.copy(alone, many)
        for method in METHODS:
            resamples = () if method == "shapley" else ("--bootstrap", 20)
            one = self.run_program("sensitivity", alone, "--method", method, "-q", *resamples).stdout
            three = self.run_program("sensitivity", many, "--method", method, "-q", *resamples, ranks=3).stdout
            self.assertEqual(one.replace(alone, ""), three.replace(many, ""))
        self.assertEqual(contents(alone), contents(many))

    def test_intervals_hold_known_indices(self):
        file = self.campaign('kind = "lhs"; points = 2048;')
        for method, index, truth in (("rbd-fast", "S1", S1), ("ancova", "S", S1), ("shapley", "ST", ST)):
            found = self.indices(file, method)
            for name, exact in zip(("x1", "x2", "x3"), truth):
                value, low, high = found[name][index]
                self.assertTrue(low - 0.01 <= exact <= high + 0.01, f"{method} {name}: {low} {value} {high}")

    def test_a_number_of_the_output_has_no_parameter(self):
        file = self.campaign('kind = "random"; points = 256;')
        printed = self.run_program("sensitivity", file, "--method", "src", "--bootstrap", 20, "-q").stdout
        self.assertRegex(printed, r"R2 +0\.\d+ \+- +0\.\d+ +\(share of the variance")
        with h5py.File(file, "r") as study:
            group = study["sensitivity/src"]
            self.assertEqual(group["R2"].shape, (1,))
            self.assertEqual(group["SRC"].shape, (1, 3))
            low, value, high = (group[f"R2{end}"][0] for end in ("_low", "", "_high"))
            self.assertTrue(low < value < high)
        p_values = self.indices(file, "regional")["x3"]["p_value"]
        self.assertIsNone(p_values[1])  # a probability has no interval
        self.assertTrue(0 <= p_values[0] <= 1)

    def test_designs_choose_their_methods(self):
        for design, method in (('kind = "fast"; points = 2056;', "fast"), ('kind = "rbd-fast"; points = 512;', "rbd-fast"),
                               ('kind = "lhs"; points = 128;', "rbd-fast")):
            file = self.campaign(design, name=f"{method}-{len(design)}.h5")
            self.run_program("sensitivity", file, "-q")
            with h5py.File(file, "r") as study:
                self.assertEqual(list(study["sensitivity"]), [method])

    def test_dgsm_bounds_total_effects(self):
        file = self.campaign('kind = "morris"; scheme = "radial"; step = 0.001; points = 512;')
        for row, exact in zip(self.indices(file, "dgsm").values(), (2.2304, 7.0786, 3.1745)):
            self.assertAlmostEqual(row["bound"][0] / exact, 1, delta=0.2)

    def test_designs_that_cannot_serve_are_refused_with_those_that_would(self):
        lhs = self.campaign('kind = "lhs"; points = 64;', name="lhs.h5")
        sobol = self.campaign('kind = "sobol"; points = 64;', name="sobol.h5")
        steps = self.campaign('kind = "morris"; points = 64;', name="steps.h5")
        before = contents(lhs)
        for file, arguments, answer in ((lhs, ("dgsm",), "morris"), (lhs, ("fast",), "fast"), (sobol, ("shapley",), "lhs"),
                                        (steps, ("dgsm",), "step = 0.001"), (steps, ("pawn",), "random lhs"),
                                        (lhs, ("shapley", "--bootstrap", 100), "parts of the rows")):
            said = self.run_program("sensitivity", file, "--method", *arguments, status=2).stderr
            self.assertIn(answer, said)
        self.assertEqual(contents(lhs), before)

    def test_correlated_inputs_have_shapley_effects_and_covariances(self):
        self.run_program("run", self.path("linear.cfg", CORRELATED), "-o", "linear.h5", "--quiet")
        file = self.path("linear.h5")
        for method, index, truth in (("shapley", "Shapley", (0.42274, 0.57726)), ("ancova", "S", (0.41509, 0.58491))):
            found = self.indices(file, method)
            for name, exact in zip(("x1", "x2"), truth):
                value, low, high = found[name][index]
                self.assertTrue(low <= exact <= high, f"{method} {name}: {low} {value} {high}")
            self.assertAlmostEqual(sum(row[index][0] for row in found.values()), 1, delta=1e-6 if index == "Shapley" else 1e-3)


if __name__ == "__main__":
    unittest.main()
