"""The additions of CONTRIBUTING.md are applied to a copy of the tree, built, and do what the document says of them."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from documents import TOP, Document  # noqa: E402

KETSWEEP = os.environ.get("KETSWEEP", str(TOP / "build/release/ketsweep"))
PATIENT = str(TOP / "configs/single-patient.cfg")
SMALL = ("CFLAGS=-O1", "VARIANT=additions", "WERROR=1")
STUDY = """
model = "test:ishigami";
design : {{ kind = "{kind}"; points = {points}; seed = {seed}; }};
parameters : ( {{ name = "x1"; }}, {{ name = "x2"; }}, {{ name = "x3"; }} );
"""


def run(*command, **options):
    process = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    if process.returncode != 0:
        raise AssertionError(f"{command}:\n{process.stdout}")
    return process.stdout


def setUpModule():
    """Makes the tree with the additions, once for all tests."""
    global COPY, ADDED
    folder = tempfile.TemporaryDirectory(prefix="ks-docs-")
    unittest.addModuleCleanup(folder.cleanup)
    COPY = pathlib.Path(folder.name) / "tree"
    shutil.copytree(TOP, COPY, symlinks=True, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    ADDED = COPY / "build/additions/ketsweep"
    for block in Document("CONTRIBUTING.md").blocks:
        if block.language == "diff":
            change = COPY / "change.diff"
            change.write_text(block.text)
            try:
                run("patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "-i", change, cwd=COPY)
            except AssertionError as error:
                words = f"CONTRIBUTING.md, line {block.line}: the tree has changed there; mend the diff"
                raise AssertionError(f"{words}\n{error}")
    programs = ("ketsweep", "tests/unit/test_model", "tests/docs/model_values")
    run("make", "-s", f"-j{os.cpu_count()}", *SMALL, *(f"build/additions/{program}" for program in programs), cwd=COPY)


class Additions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ks-docs-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def simulate(self, program, *options):
        """Every endpoint by name as it is printed, and the states over time."""
        path = self.folder / "patient.csv"
        run(program, "simulate", PATIENT, "-o", path, *(word for option in options for word in ("--set", option)))
        text = path.read_text()
        endpoints = dict(re.findall(r"^# (\w+) = (\S+) ", text, re.MULTILINE))
        return endpoints, [line for line in text.splitlines() if not line.startswith("#")]

    def rows(self, kind, points, seed=1):
        """The file of a small study."""
        config, file = self.folder / "study.cfg", self.folder / f"{kind}-{points}-{seed}.h5"
        config.write_text(STUDY.format(kind=kind, points=points, seed=seed))
        run(ADDED, "run", config, "-o", file, "--quiet")
        return file

    def test_defaults_give_the_same_bits(self):
        before, after = self.simulate(KETSWEEP), self.simulate(ADDED)
        self.assertEqual(before[1], after[1])
        self.assertEqual(before[0], {name: after[0][name] for name in before[0]})

    def test_the_house_rules_hold(self):
        run("make", "-s", *SMALL, "layers", "headers", "names", cwd=COPY)
        if shutil.which("clang-format"):
            run("make", "-s", "format-check", cwd=COPY)

    def test_the_document_of_the_model_still_agrees(self):
        environment = {**os.environ, "KETSWEEP": str(ADDED)}
        run(sys.executable, "tests/unittest_tap.py", "tests/docs/test_model.py", cwd=COPY, env=environment)

    def test_the_parameter(self):
        self.assertRegex(run(ADDED, "show", "parameters"), r"\nanaesthetic_floor +1 +0\.15 +0 +0\.5 ")
        self.assertIn("anaesthetic_floor = 0.15;", run(ADDED, "show", "config"))
        peaks = [float(self.simulate(ADDED, "protocol.infusion_dose=20.0", f"patient.anaesthetic_floor={floor}")[0]
                       ["glutamate_peak"]) for floor in (0.0, 0.15, 0.5)]
        self.assertLess(peaks[0], peaks[1])
        self.assertLess(peaks[1], peaks[2])

    def test_the_endpoint(self):
        same = 'output.endpoints=({ name = "same"; of = "cadss"; op = "time_above"; threshold = 4.0; })'
        self.assertIn("dissociated_hours", run(ADDED, "show", "endpoints"))
        hours = self.simulate(ADDED)[0]["dissociated_hours"]
        self.assertEqual(self.simulate(KETSWEEP, same)[0]["same"], hours)
        self.assertTrue(0.1 < float(hours) < 3.0, hours)

    def test_the_design(self):
        self.assertIn("\nhalton ", run(ADDED, "show", "designs"))
        with h5py.File(self.rows("halton", 64)) as few, h5py.File(self.rows("halton", 256)) as many:
            numpy.testing.assert_array_equal(few["inputs"][:], many["inputs"][:64])
            u = (many["inputs"][:] + numpy.pi) / (2 * numpy.pi)
        for k, base in enumerate((2, 3, 5)):
            mirrored = [sum(i // base**j % base / base**(j + 1) for j in range(10)) for i in range(256)]
            numpy.testing.assert_allclose((u[:, k] - u[0, k]) % 1, mirrored, atol=1e-12)
        with h5py.File(self.rows("halton", 64, seed=2)) as other, h5py.File(self.folder / "halton-64-1.h5") as one:
            self.assertFalse(numpy.any(one["inputs"][:] == other["inputs"][:]))
        run(ADDED, "sensitivity", self.folder / "halton-256-1.h5", "--method", "rbd-fast")

    def test_the_method(self):
        file = self.rows("random", 2048)
        self.assertIn("\nxi ", run(ADDED, "show", "methods"))
        run(ADDED, "sensitivity", file, "--method", "xi")
        with h5py.File(file) as data:
            x, y = data["inputs"][:], data["endpoints"][:, 0]
            group = data["sensitivity/xi"]
            found, low, high = (group[name][0] for name in ("xi", "xi_low", "xi_high"))
        ranks = numpy.argsort(numpy.argsort(y)) + 1
        n = len(y)
        expected = [1 - 3 * numpy.abs(numpy.diff(ranks[numpy.argsort(column)])).sum() / (n * n - 1) for column in x.T]
        numpy.testing.assert_allclose(found, expected, atol=1e-12)
        self.assertTrue(numpy.all((low < found) & (found < high)))
        self.assertGreater(found[1], 0.3)  # x2 of Ishigami's function
        self.assertLess(abs(found[2]), 0.1)  # x3, alone without effect

    def test_the_mechanism(self):
        run(COPY / "build/additions/tests/unit/test_model", cwd=COPY)  # the Jacobian among others
        on, off = (self.simulate(ADDED, f"patient.mechanism_scaling={value}")[0] for value in (1.0, 0.0))
        self.assertGreater(abs(float(on["madrs_change_7d"]) - float(off["madrs_change_7d"])), 0.1)
        self.assertEqual(on["madrs_baseline"], off["madrs_baseline"])


if __name__ == "__main__":
    unittest.main()
