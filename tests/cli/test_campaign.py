"""Whole campaigns as a user runs them: the same file however it is computed, failed points, every reader."""
import csv
import io
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import CAMPAIGN, KETSWEEP, TEST_FUNCTION, TOP, ProgramTest, contents  # noqa: E402


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
        self.run_program("run", config, "-o", self.path("reference.h5"), "--lanes", "1")
        reference = contents(self.path("reference.h5"))
        for lanes in (2, 4, 8):
            for ranks in (None, 3):
                if lanes <= widest:
                    out = self.path(f"{lanes}-{ranks}.h5")
                    self.run_program("run", config, "-o", out, "--lanes", str(lanes), ranks=ranks)
                    self.assertEqual(contents(out), reference, f"{lanes} lanes, {ranks} ranks")
        self.run_program("run", config, "-o", self.path("variable.h5"), KETSWEEP_LANES="1")
        self.assertEqual(contents(self.path("variable.h5")), reference)

    def test_hints(self):
        """MPI-IO is told what run.mpi_info says, where it makes the file and where it opens it; no row changes."""
        library = self.path("tell_hints.so")
        subprocess.run(["mpicc", "-shared", "-fPIC", "-o", library, str(TOP / "tests/cli/tell_hints.c"), "-ldl"], check=True)
        config, path = self.path("a.cfg", TEST_FUNCTION), self.path("a.h5")
        self.run_program("run", config, "-o", self.path("plain.h5"))
        hints = ("--set", 'run.mpi_info={ striping_factor = 8; cb_nodes = "2"; }')
        told = self.run_program("run", config, "-o", path, *hints, LD_PRELOAD=library).stderr
        self.assertEqual(re.findall(r"(creation|opening) of \S+:(.*)", told),
                         [(what, " striping_factor=8 cb_nodes=2") for what in ("creation", "opening")])
        self.assertEqual(contents(path), contents(self.path("plain.h5")))
        larger = ("--extend", "--set", "design.points=2000")
        told = self.run_program("run", config, "-o", path, *hints, *larger, LD_PRELOAD=library).stderr
        self.assertEqual(len(re.findall("(?:creation|opening) .* striping_factor=8", told)), 2)
        self.run_program("verify", path)
        told = self.run_program("run", config, "-o", path, "--overwrite", LD_PRELOAD=library).stderr
        self.assertEqual(re.findall(r"(creation|opening) of \S+:(.*)", told), [("opening", "")])

    def test_number_of_lanes(self):
        """The switch wins over the variable; a number that cannot be is refused."""
        config = self.path("a.cfg", 'solver : { kind = "rosenbrock"; }; protocol : { horizon = 24.0; };')
        cvode, function = self.path("cvode.cfg", "protocol : { horizon = 24.0; };"), self.path("f.cfg", TEST_FUNCTION)
        widest = int(re.search(r"rosenbrock uses (\d) here", self.run_program("--version").stdout).group(1))
        fault = f"is 1, 2, 4 or 8, at most {widest} on this processor, found"
        for lanes in ("0", "3", "16", "-1", "x", "4x", "4294967297"):
            for command in (("run", config, "-o", self.path("no.h5")), ("run", cvode, "-o", self.path("no.h5")),
                            ("run", function, "-o", self.path("no.h5")), ("simulate", config)):
                refusal = self.run_program(*command, "--lanes", lanes, status=2, KETSWEEP_LANES="1")
                self.assertEqual(refusal.stderr, f'ketsweep: error: --lanes {fault} "{lanes}"\n')
            refusal = self.run_program("run", config, "-o", self.path("no.h5"), status=2, KETSWEEP_LANES=lanes)
            self.assertEqual(refusal.stderr, f'ketsweep: error: KETSWEEP_LANES {fault} "{lanes}"\n')
        texts = {self.run_program("simulate", config, "--lanes", lanes, KETSWEEP_LANES="no").stdout
                 for lanes in ("1", str(widest))}
        self.assertEqual(len(texts), 1)
        self.run_program("simulate", cvode, "--lanes", "1", KETSWEEP_LANES="no")
        self.assertFalse(pathlib.Path(self.path("no.h5")).exists())

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


class Verification(ProgramTest):
    """A sample of the points is solved again; the table says how far the stored endpoints are from what is found."""

    EVENTS = ("time_to_response_h", "time_to_remission_h", "relapse_time_h")
    HORIZON = 48.0

    def verify(self, name, fraction, *arguments, ranks=None, status=0):
        """Runs a verified campaign; returns its file, the table, and the summary's lines about it."""
        config, out = self.path("campaign.cfg", CAMPAIGN), self.path(name)
        run = self.run_program("run", config, "-o", out, "--verify-fraction", fraction, *arguments, ranks=ranks,
                               status=status)
        lines = run.stderr.splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("verified "))
        lines = [line for line in lines[first:first + 2] if re.match("verified |  .* differ in kind", line)]
        with h5py.File(out) as file:
            return out, file["provenance/verification"][:], "\n".join(lines)

    def test_any_number_of_ranks_gives_one_table(self):
        self.run_program("run", self.path("campaign.cfg", CAMPAIGN), "-o", self.path("without.h5"))
        reference = contents(self.path("without.h5"))
        with h5py.File(self.path("without.h5")) as file:
            self.assertEqual(set(file["provenance/verification"][:].tobytes()), {0})
        self.assertNotIn("verified", self.run_program("status", self.path("without.h5")).stdout)
        _, expected, lines = self.verify("reference.h5", 0.5)
        self.assertTrue(3 < expected["n_points"][0] < 20)
        self.assertRegex(lines, r"^verified \d+ of 23 points with cvode at rtol 1e-08: largest error \S+ \(\w+, point "
                                r"\d+\), medians up to \S+; 0 statuses differ$")
        for ranks in (1, 2, 3):
            for seconds in ("0.02", "1000.0"):
                out, table, text = self.verify(f"{ranks}-{seconds}.h5", 0.5, "--set", f"run.commit_seconds={seconds}",
                                               ranks=ranks)
                self.assertEqual(table.tobytes(), expected.tobytes(), f"{ranks} ranks, commit_seconds {seconds}")
                self.assertEqual(text, lines)
                self.assertEqual(contents(out), reference)
        self.assertIn("\n" + lines + "\n", self.run_program("status", out).stdout)
        self.run_program("verify", out)
        check = subprocess.run([sys.executable, str(TOP / "tests/cli/check_layout.py"), out], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_errors_are_sane(self):
        for kind in ("cvode", "rosenbrock"):
            _, table, _ = self.verify(f"{kind}.h5", 1, "--set", f'solver.kind="{kind}"')
            self.assertEqual(set(table["n_points"]), {23})
            self.assertEqual(set(table["n_compared"]), {23})
            self.assertEqual(set(table["n_status_differ"]), {0})
            self.assertEqual(set(table["fraction"]), {1})
            self.assertEqual(set(table["reference_rtol"]), {1e-8})
            score = table[table["endpoint"] == b"madrs_24h"][0]
            self.assertTrue(1e-13 < score["median_error"] < score["largest_error"] < 1e-4, score)
            self.assertTrue((table["largest_error"] < 0.01).all())
            self.assertTrue((table["median_error"] <= table["largest_error"]).all())
            self.assertTrue((table["largest_error_point"] < 23).all())

    def rows(self, name):
        with h5py.File(name) as file:
            return (file["endpoint"].asstr()[:].tolist(), file["endpoint_unit"].asstr()[:].tolist(),
                    file["endpoints"][:], file["status"][:])

    def check_table(self, table, stored, reference):
        """Against the rows of a whole campaign at the reference's tolerance; returns how much differed in kind."""
        names, units, values, status = stored
        both = (status < 3) & (reference[3] < 3)
        self.assertEqual(set(table["n_status_differ"]), {int((status != reference[3]).sum())})
        self.assertEqual(set(table["n_compared"]), {int(both.sum())})
        for e, (name, unit, row) in enumerate(zip(names, units, table)):
            self.assertEqual(row["endpoint"].decode(), name)
            a, b = values[both, e], reference[2][both, e]
            differ = numpy.isnan(a) != numpy.isnan(b)
            is_number = ~numpy.isnan(a) & ~numpy.isnan(b)
            if unit == "0 or 1":
                differ |= is_number & (a != b)
            if name in self.EVENTS:
                moved = (numpy.abs(a - b) > 0.01 * self.HORIZON) | ((a == self.HORIZON) != (b == self.HORIZON))
                differ |= is_number & moved
            self.assertEqual(row["n_differ"], differ.sum(), name)
            good = is_number & ~differ
            if not good.any():
                self.assertTrue(numpy.isnan(row["median_error"]) and numpy.isnan(row["largest_error"]), name)
                continue
            a, b = a[good], b[good]
            scale = numpy.maximum(numpy.abs(b), numpy.abs(b).mean())
            errors = numpy.abs(a - b) / numpy.where(scale > 0, scale, 1)
            numpy.testing.assert_allclose(row["median_error"], numpy.median(errors), rtol=1e-12)
            numpy.testing.assert_allclose(row["largest_error"], errors.max(), rtol=1e-12)
            self.assertEqual(row["largest_error_point"], numpy.flatnonzero(both)[good][errors.argmax()], name)
        return int(table["n_differ"].sum()), int(table["n_status_differ"][0])

    def test_numbers_are_those_of_a_strict_campaign(self):
        """The reference's rows, taken from a campaign of their own, give the same table by other arithmetic."""
        strict = self.path("strict.cfg", CAMPAIGN[:CAMPAIGN.index("output")])  # times at which rows are read move bits
        few, n_long = None, 0
        for rtol, steps in (("1e-6", 100000), ("1e-2", 100000), ("1e-6", None), ("1e-6", 3)):
            steps = steps or few
            common = ("--max-failed-fraction", "1", "--set")
            out, table, text = self.verify("a.h5", 1, "--overwrite", *common, f"solver.rtol={rtol}", "--set",
                                           f"solver.max_steps={steps}")
            self.run_program("run", strict, "-o", self.path("b.h5"), "--overwrite", *common,
                             f"solver.rtol={float(rtol) / 100}", "--set", f"solver.max_steps={10 * steps}", "--set",
                             'solver.kind="cvode"')
            n_kind, n_status = self.check_table(table, self.rows(out), self.rows(self.path("b.h5")))
            self.assertEqual(n_status, n_long if steps == few else 0)
            self.assertIn(f"; {n_status} status{'es differ' if n_status != 1 else ' differs'}", text)
            self.assertEqual("differ in kind" in text, n_kind > 0)
            if few is None:  # one step too few for the point that takes most
                with h5py.File(out) as file:
                    taken = file["solver_steps"][:]
                few = int(taken.max()) - 1
                n_long = int((taken > few).sum())
        self.assertIn("nothing to compare; 0 statuses differ", text)

    def test_what_differs_in_kind(self):
        """Thresholds between what a loose campaign finds and what its reference does."""
        def run(name, rtol, endpoints, *arguments):
            text = CAMPAIGN[:CAMPAIGN.index("output")] + f"output : {{ endpoints = ( {endpoints} ); }};"
            self.run_program("run", self.path("a.cfg", text), "-o", self.path(name), "--set", f"solver.rtol={rtol}",
                             *arguments)
            with h5py.File(self.path(name)) as file:
                return file["endpoints"][:], file["provenance/verification"][:]

        extremes = '"madrs_24h", "madrs_min", { name = "top"; of = "ketamine_venous"; op = "max"; to = 0.5; }'
        (loose, _), (strict, _) = (run(f"{rtol}.h5", rtol, extremes) for rtol in ("1e-4", "1e-6"))
        point = numpy.abs(loose - strict).argmax(axis=0)
        at_24h, least, top = (float(loose[point[k], k] + strict[point[k], k]) / 2 for k in range(3))
        _, table = run("kinds.h5", "1e-4", f"""
            {{ name = "low"; of = "madrs"; op = "at_most"; at = 24.0; threshold = {at_24h!r}; }},
            {{ name = "when"; of = "madrs"; op = "first_at_most"; threshold = {least!r}; }},
            {{ name = "soon"; of = "ketamine_venous"; op = "first_crossing"; to = 0.5; threshold = {top!r}; }}""",
                       "--verify-fraction", "1")
        found = {row["endpoint"].decode(): int(row["n_differ"]) for row in table}
        self.assertEqual(found["low"], ((loose[:, 0] <= at_24h) != (strict[:, 0] <= at_24h)).sum())
        self.assertGreater(found["low"], 0)
        self.assertGreater(found["when_reached"], 0)
        self.assertGreaterEqual(found["when"], found["when_reached"])
        self.assertEqual(found["soon"], found["soon_reached"])  # the event comes at the very end of its window
        self.assertGreater(found["soon"], 0)
        self.assertEqual(table["largest_error"][table["endpoint"] == b"low"].tolist(), [0])

    def test_least_sample_is_one_point(self):
        tables = [self.verify(f"{ranks}.h5", "1e-12", ranks=ranks)[1].tobytes() for ranks in (None, 3)]
        self.assertEqual(tables[0], tables[1])
        points = set()
        for seed in range(4):
            _, table, _ = self.verify("seed.h5", "1e-12", "--overwrite", "--set", f"design.seed={seed}")
            self.assertEqual(set(table["n_points"]), {1})
            points |= set(table["largest_error_point"][table["endpoint"] == b"madrs_24h"])
        self.assertGreater(len(points), 1)

    def test_nothing_to_verify(self):
        config = self.path("a.cfg", CAMPAIGN)
        for fraction in ("0", "2", "-0.1", "1.01", "nan", "x", "0.1x"):
            refusal = self.run_program("run", config, "-o", self.path("a.h5"), "--verify-fraction", fraction, status=2)
            self.assertEqual(refusal.stderr,
                             f'ketsweep: error: --verify-fraction takes a number in (0, 1], found "{fraction}"\n')
        refusal = self.run_program("run", config, "-o", self.path("a.h5"), "--verify-fraction", "1", "--set",
                                   "solver.rtol=1e-12", status=2)
        self.assertEqual(refusal.stderr, "ketsweep: error: --verify-fraction: no reference can be 100 times tighter than "
                                         "solver.rtol = 1e-12; at least 1e-11 can be verified\n")
        function = self.path("f.cfg", TEST_FUNCTION)
        for ranks in (None, 2):
            refusal = self.run_program("run", function, "-o", self.path("a.h5"), "--verify-fraction", "0.5", ranks=ranks,
                                       status=2)
            self.assertEqual([line for line in refusal.stderr.splitlines() if line.startswith("ketsweep")],
                             ['ketsweep: error: --verify-fraction: the model "test:wide" is computed without a solver; '
                              "there is nothing to verify"])
        self.assertFalse(pathlib.Path(self.path("a.h5")).exists())

    def test_killed(self):
        """A campaign that dies has no table: its space reads 0, and the rows are good."""
        path = self.path("killed.h5")
        process = subprocess.Popen([KETSWEEP, "run", self.path("a.cfg", CAMPAIGN), "-o", path, "-q", "--verify-fraction",
                                    "0.1", "--set", "design.points=100000", "--set", "run.commit_seconds=0.05"])
        while not (pathlib.Path(path).exists() and " 0 rounds" not in self.run_program("status", path).stdout):
            self.assertIsNone(process.poll())
        process.kill()
        process.wait()
        with h5py.File(path) as file:
            self.assertEqual(set(file["provenance/verification"][:].tobytes()), {0})
        self.run_program("verify", path)
        self.assertNotIn("verified", self.run_program("status", path).stdout)


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

    def test_missing_values_as_text(self):
        config = self.path("campaign.cfg", CAMPAIGN + "solver : { max_steps = 3; };")
        self.run_program("run", config, "-o", self.path("a.h5"), status=1)
        for options in (("--dataset", "endpoints"), ("--dataset", "trajectories"), ("--long",),
                        ("--dataset", "trajectories", "--long")):
            text = self.run_program("export", self.path("a.h5"), *options).stdout
            self.assertIn(",NaN\n", text)
            self.assertNotRegex(text, r"[,-]nan\b")
        text = self.run_program("simulate", config, status=1).stdout
        self.assertIn(" = NaN ", text)
        self.assertNotRegex(text, r"[ ,-]nan\b")

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


class Ranks(ProgramTest):
    """Ranks that do not agree end the run: once said, on all of them, with an exit status."""

    def run_each(self, *commands):
        """Runs the command lines as ranks of one job; returns the exit status and ketsweep's own lines."""
        command = ["mpirun"]
        for i, arguments in enumerate(commands):
            command += [*([":"] if i else []), "-n", "1", KETSWEEP, *arguments]
        process = subprocess.run(command, cwd=self.folder, text=True, stdin=subprocess.DEVNULL, timeout=60,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return process.returncode, [line for line in process.stderr.splitlines() if "ketsweep: " in line]

    def test_one_cannot_read_the_configuration(self):
        good, missing = self.path("a.cfg", TEST_FUNCTION), self.path("missing.cfg")
        sentence = f"ketsweep: error: cannot read the configuration {missing}: No such file or directory"
        for order in ((missing, good, good), (good, missing, good), (good, missing, missing)):
            answer = self.run_each(*(("run", path, "-o", self.path("a.h5")) for path in order))
            self.assertEqual(answer, (2, [sentence]))
        self.assertFalse(pathlib.Path(self.path("a.h5")).exists())

    def test_one_reads_another_campaign(self):
        config = self.path("a.cfg", TEST_FUNCTION)
        common = ("run", config, "-o", self.path("a.h5"), "--set")
        status, lines = self.run_each((*common, "design.seed=1"), (*common, "design.seed=1"), (*common, "design.seed=2"))
        self.assertEqual((status, lines), (2, [f"ketsweep: error: {config}: rank 2 of 3 reads another campaign there "
                                               "than rank 0"]))
        self.assertFalse(pathlib.Path(self.path("a.h5")).exists())

    def test_one_verifies_another_share(self):
        config, out = self.path("a.cfg", CAMPAIGN), self.path("a.h5")
        status, lines = self.run_each(("run", config, "-o", out, "--verify-fraction", "0.5"), ("run", config, "-o", out))
        self.assertEqual((status, lines), (2, ["ketsweep: error: rank 1 of 2 has another --verify-fraction than rank 0"]))
        self.assertFalse(pathlib.Path(out).exists())


class Disk(ProgramTest):
    """A disk that runs full, or that cannot be written, costs neither what is there nor an endless wait."""

    # Rows of 2 MB, all written at the end.
    LARGE_ROWS = CAMPAIGN.replace("points = 23", "points = 12").replace(
        'states = ["madrs", "bdnf"]; every = 6.0', 'states = "all"; every = 0.006')

    def run_on_disk(self, ranks, before_filling):
        """Runs a campaign on a disk of its own that somebody fills as soon as the file is there."""
        if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(self.folder)],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("cannot mount a disk here")
        config = self.path("a.cfg", self.LARGE_ROWS)
        disk = self.path("disk")
        pathlib.Path(disk).mkdir(exist_ok=True)
        script = f"""mount -t tmpfs -o size=60m none {disk} || exit 99
            {{ timeout 60 sh -c 'until [ -e {disk}/a.h5 ]; do sleep 0.01; done'; {before_filling}; cat /dev/zero >{disk}/rest; }} 2>/dev/null &
            timeout 60 mpirun -n {ranks} {KETSWEEP} run {config} -o {disk}/a.h5 -q; status=$?
            wait; {KETSWEEP} verify {disk}/a.h5 && exit $status"""
        return subprocess.run(["unshare", "-rm", "sh", "-c", script], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_space_is_kept_for_all_rows(self):
        for ranks in (1, 3):
            process = self.run_on_disk(ranks, "true")
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertIn("1 of 1 round good; the campaign is complete", process.stdout)

    def test_full_disk_ends_the_run(self):
        """The space of rows is taken away after it was reserved; it lies where it does in any file of the campaign."""
        self.run_program("run", self.path("a.cfg", self.LARGE_ROWS), "-o", self.path("same.h5"), "-q")
        with h5py.File(self.path("same.h5")) as file:
            first, size = file["trajectories"].id.get_offset(), file["trajectories"].id.get_storage_size()
        os.remove(self.path("same.h5"))
        self.assertGreater(size, 21 << 20)
        for ranks in (1, 3):
            process = self.run_on_disk(ranks, f"fallocate -p -o {first + (1 << 20)} -l {20 << 20} "
                                       + self.path("disk/a.h5"))
            self.assertEqual(process.returncode, 1, process.stderr)
            self.assertIn("ketsweep: error: no space for", process.stderr)
            self.assertIn("0 of 0 rounds good; the campaign is not complete", process.stdout)

    def test_failure_keeps_the_old_file(self):
        config = self.path("a.cfg", TEST_FUNCTION)
        self.run_program("run", config, "-o", self.path("a.h5"))
        before = pathlib.Path(self.path("a.h5")).read_bytes()
        cases = (("design.points=100000", 8 << 20, "cannot reserve the"),  # bytes that a file may have
                 ("design.points=100", 5 << 20, "cannot reserve the"),
                 ("design.points=1000000000000", 1 << 40, "the file needs"))
        for override, limit, sentence in cases:
            process = subprocess.run([KETSWEEP, "run", config, "-o", self.path("a.h5"), "--overwrite", "--set", override],
                                     text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, restore_signals=False,
                                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
            self.assertEqual(process.returncode, 1, process.stderr)
            self.assertIn("ketsweep: error: " + sentence, process.stderr)
            self.assertEqual(pathlib.Path(self.path("a.h5")).read_bytes(), before)
            self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["a.cfg", "a.h5"])

    def test_text_that_cannot_be_written(self):
        config = self.path("a.cfg", TEST_FUNCTION)
        self.run_program("run", config, "-o", self.path("a.h5"))
        single = self.path("single.cfg", "protocol : { horizon = 24.0; };")
        for arguments in (("show", "parameters"), ("help",), ("status", "a.h5"), ("verify", "a.h5"), ("export", "a.h5"),
                          ("simulate", single), ("check", config)):
            with open("/dev/full", "w") as full:
                process = subprocess.run([KETSWEEP, *arguments], cwd=self.folder, text=True, stdout=full,
                                         stderr=subprocess.PIPE)
            self.assertEqual(process.returncode, 1, arguments)
            self.assertIn("ketsweep: error: cannot write to standard output: No space left on device", process.stderr)


class Damaged(ProgramTest):
    """Readers of a damaged file say so; none crashes, and none believes what cannot be."""

    def damage(self, change):
        """What the readers do with a copy of a good file that `change` has changed: (exit status, stderr) of each."""
        path = self.path("damaged.h5")
        pathlib.Path(path).write_bytes(self.good)
        with h5py.File(path, "r+") as file:
            change(file)
        return {command: self.read(command, path) for command in ("status", "verify", "export")}

    def read(self, command, path):
        process = subprocess.run([KETSWEEP, command, path], text=True, errors="replace", timeout=60,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertIn(process.returncode, (0, 1), f"{command}: {process.stderr}")
        self.assertNotIn("bug", process.stderr)
        return process.returncode, process.stderr.splitlines()[:1], process.stdout

    def setUp(self):
        super().setUp()
        config = self.path("a.cfg", CAMPAIGN)
        self.run_program("run", config, "-o", self.path("a.h5"), "-q", "--set", "run.commit_seconds=0.02")
        self.good = pathlib.Path(self.path("a.h5")).read_bytes()

    def refuse(self, change, sentence):
        for command, (status, lines, _) in self.damage(change).items():
            self.assertEqual(status, 1, command)
            self.assertEqual(lines, [f"ketsweep: error: {self.path('damaged.h5')}: {sentence}"])

    def test_commit_log(self):
        def set_rounds(*rounds):
            def change(file):
                log = numpy.zeros_like(file["rounds/log"][:])
                for i, (first, count) in enumerate(rounds):
                    log[i]["first_row"], log[i]["n_rows"] = first, count
                file["rounds/log"][...] = log
                file["rounds/in_use"][()] = len(rounds)
            return change

        for rounds, i in ((((0, 23), (0, 23)), 1), (((0, 20), (20, 4)), 1), (((0, 0),), 0), (((0, 20), (19, 4)), 1),
                          (((1, 22),), 0), (((0, 2**63), (2**63, 2**63)), 0)):
            self.refuse(set_rounds(*rounds), f"round {i} of the commit log does not follow the one before it")
        self.refuse(set_rounds((0, 20)), "marked complete, but the commit log ends at row 20 of 23")
        self.refuse(set_rounds(), "marked complete, but the commit log ends at row 0 of 23")

        def lose_rounds(file):
            file["rounds/log"][:3] = [(0, 1, 0), (1, 1, 0), (2, 21, 0)]
            file["rounds/in_use"][()] = 1

        self.refuse(lose_rounds, "/rounds/in_use is 1, but more rounds were committed")

    def test_shapes(self):
        def replace(name, **data):
            def change(file):
                group = file if name in file else file.attrs
                del group[name]
                (file.create_dataset if group is file else group.create)(name, **data)
            return change

        moved = "do not lie where ketsweep put them: the file is damaged, or another program has rewritten it"
        self.refuse(replace("rounds/in_use", data=numpy.full(100000, 1, "u8")), f"the data of /rounds/in_use {moved}")
        self.refuse(replace("complete", data=numpy.full(5000, 1, "i4")), "attribute complete does not hold 1 integer")
        self.refuse(replace("complete", data=2), "attribute complete is 2, not 0 or 1")
        self.refuse(replace("endpoint", shape=(2**31 - 1,), dtype=h5py.string_dtype()), "endpoint holds 2147483647 texts")
        self.refuse(replace("time", shape=(2**31 - 1,), dtype="f8"), "time has 2147483647 entries")
        self.refuse(replace("n_points", data=24), "dataset inputs has not the shape that the file's other parts state")

    def test_status_without_a_name(self):
        def change(file):
            file["status"][:2] = (100, -100)

        answers = self.damage(change)
        self.assertEqual([answers[command][0] for command in ("status", "verify", "export")], [0, 1, 0])
        rows = list(csv.DictReader(answers["export"][2].splitlines()[1:]))
        self.assertEqual([row["status"] for row in rows[:2]], ["unknown", "unknown"])
        self.assertIn(rows[2]["status"], ("done", "not_depressed"))

    def test_texts_without_an_end(self):
        with h5py.File(self.path("a.h5")) as file:
            offset, record = file["provenance/runs"].id.get_offset(), file["provenance/runs"].dtype
        data = bytearray(self.good)  # as HDF5 itself ends what it writes
        for name, letter in (("start_utc", b"s"), ("hosts", b"h"), ("version", b"v"), ("settings", b"t")):
            text, start = record.fields[name]
            data[offset + start:offset + start + text.itemsize] = letter * text.itemsize
        pathlib.Path(self.path("a.h5")).write_bytes(data)
        status, _, text = self.read("status", self.path("a.h5"))
        self.assertEqual(status, 0)
        self.assertIn(f"started {'s' * 31}, 1 rank on {'h' * 255}, version {'v' * 63}\n", text)

    def test_cut_short(self):
        for size in (0, 7, 8, 100, 4096, 100000, len(self.good) // 2, len(self.good) - 1):
            path = self.path("short.h5")
            pathlib.Path(path).write_bytes(self.good[:size])
            for command in ("status", "verify", "export"):
                status, lines, _ = self.read(command, path)
                self.assertEqual((status, path in lines[0]), (1, True), f"{command} of {size} bytes: {lines}")

    def test_unfinished(self):
        """Killed at some moment, the file says what was committed."""
        path, config = self.path("killed.h5"), self.path("a.cfg")
        process = subprocess.Popen([KETSWEEP, "run", config, "-o", path, "-q", "--set", "design.points=100000", "--set",
                                    "run.commit_seconds=0.05"])
        n_rounds = 0
        while n_rounds < 3:
            self.assertIsNone(process.poll())
            if pathlib.Path(path).exists():
                n_rounds = int(re.search(r" in (\d+) rounds?; not complete", self.read("status", path)[2]).group(1))
        process.kill()
        process.wait()
        text = self.run_program("verify", path).stdout
        n_rounds = int(re.search(r"(\d+) of \1 rounds? good; the campaign is not complete", text).group(1))
        n_rows = 1 + int(re.search(rf"round {n_rounds - 1}: rows \d+ to (\d+) good", text).group(1))
        self.assertIn(f"{n_rows} of 100000 points", self.run_program("status", path).stdout)
        self.assertEqual(len(self.run_program("export", path).stdout.splitlines()), 2 + n_rows)


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
        before = pathlib.Path(self.file).read_bytes()
        refusal = self.run_program("export", self.file, "-o", self.folder / "." / "a.h5", status=2)
        self.assertIn("a.h5 is what is read; -o names another file", refusal.stderr)
        self.assertEqual(pathlib.Path(self.file).read_bytes(), before)
        refusal = self.run_program("export", self.file, "--dataset", "rows", status=2)
        self.assertIn('--dataset is all, inputs, endpoints, status, trajectories, cohort or trial, found "rows"', refusal.stderr)

    def test_status(self):
        text = self.run_program("status", self.file).stdout
        self.assertIn("23 of 23 points (100 %)", text)
        self.assertIn("complete", text)
        self.assertIn("1 rank on", text)

    def test_verify_finds_a_changed_byte(self):
        self.assertIn("1 of 1 round good; the campaign is complete", self.run_program("verify", self.file).stdout)
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
        again = self.run_program("run", self.path("campaign.cfg"), "-o", self.file)
        self.assertIn(f"{self.file}: complete already, all 23 points are there\n  20 done", again.stderr)
        refusal = self.run_program("run", self.path("campaign.cfg"), "-o", self.file, "--set", "design.seed=6", status=2)
        self.assertIn(f"{self.file} holds another campaign", refusal.stderr)
        self.assertIn("\n  design.seed: stored 5, present 6\n", refusal.stderr)
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
                refusal = self.run_program(command, path, status=2 if name == "missing.h5" else 1)
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

    def test_title_is_one_line(self):
        config = self.path("a.cfg", 'title = "one\\ntwo"; protocol : { horizon = 3.0; };')
        lines = self.run_program("simulate", config).stdout.splitlines()
        self.assertEqual(lines[0], "# one two")
        self.assertTrue(lines[1].startswith("# status done"))
        refusal = self.run_program("simulate", config, "-o", config, status=2)
        self.assertIn("a.cfg is what is read; -o names another file", refusal.stderr)

    def test_too_many_hours(self):
        refusal = self.run_program("simulate", self.path("a.cfg", "protocol : { horizon = 1e10; };"), status=2)
        self.assertIn("1e+10 h is long for a row every hour; state output.trajectories", refusal.stderr)

    def test_failure_is_said(self):
        config = self.path("a.cfg", "solver : { max_steps = 3; };")
        failure = self.run_program("simulate", config, status=1)
        self.assertIn("the patient could not be simulated", failure.stderr)


class Severity(ProgramTest):
    """Patients of the score that is asked for."""

    CONFIG = """
protocol : { horizon = 24.0; };
design : { kind = "sobol"; points = 32; };
parameters : ( { name = "baseline_madrs"; low = 22.0; high = 48.0; }, { name = "nmdar_density"; } );
output : { endpoints = ["madrs_baseline", "madrs_change_24h", "external_stress@0h"]; };
"""

    def test_baseline_is_the_one_asked_for(self):
        config = self.path("a.cfg", self.CONFIG)
        for kind in ("rosenbrock", "cvode"):
            self.run_program("run", config, "-o", self.path(f"{kind}.h5"), "--set", f'solver.kind="{kind}"')
        with h5py.File(self.path("rosenbrock.h5")) as file, h5py.File(self.path("cvode.h5")) as reference:
            done = file["status"][:] == 1
            self.assertGreater(done.sum(), 24)
            numpy.testing.assert_allclose(file["endpoints"][:][done, 0], file["inputs"][:][done, 0], rtol=1e-6)
            numpy.testing.assert_allclose(file["endpoints"][:], reference["endpoints"][:], rtol=1e-4)
            self.assertGreater(numpy.ptp(file["endpoints"][:][done, 2]), 0.05)

    def test_check_warns_where_traits_move_it(self):
        words = "traits vary (nmdar_density) and baseline_madrs does not hold"
        for varied, is_warned in (("nmdar_density", True), ("infusion_dose", False)):
            config = self.path("a.cfg", 'design : { kind = "sobol"; points = 2; };'
                               'parameters : ( { name = "%s"; } );' % varied)
            self.assertEqual(words in self.run_program("check", config).stderr, is_warned)
            self.assertNotIn(words, self.run_program("check", config, "--set", "patient.baseline_madrs=33.0").stderr)


class Help(ProgramTest):
    """Usage, versions, tables, and mistakes on the command line."""

    def test_help(self):
        overview = self.run_program("help").stdout
        for command in ("run", "check", "show", "simulate", "status", "export", "verify", "sensitivity"):
            self.assertIn(f"\n  {command} ", overview)
            text = self.run_program("help", command).stdout
            self.assertIn("Example", text)
            self.assertEqual(text, self.run_program(command, "--help").stdout)
        version = self.run_program("--version").stdout
        for word in ("ketsweep", "model version", "MPI", "HDF5", "libconfig", "lanes"):
            self.assertIn(word, version)

    def test_show(self):
        counts = {"parameters": 176, "states": 68, "endpoints": 68, "designs": 9, "methods": 13}
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
        for words in ("2,048 patients x 28 days; ", "\ndesign sobol, seed 1\n", "infusions  1, dose varied, route iv, duration 40 min, at 0 h",
                      "#SBATCH --ntasks="):
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
            ("run", config, "-o"): "--output needs a value: --output FILE",
            ("run", config, "-o", ""): "--output needs a value: --output FILE",
            ("run", config, "--set", "x"): '--set takes KEY=VALUE, found "x"',
            ("run", config, "--max-failed-fraction", "2"): '--max-failed-fraction takes a number in [0, 1], found "2"',
            ("check", config, config): f'check takes one argument, found "{config}" and "{config}"; give one, or put '
                                       "what belongs together in quotes",
            ("show", "config", "--json"): "show config prints libconfig text; leave out --json",
            ("show", "money"): "TOPIC of show is parameters, states, endpoints, designs, methods, distributions, models "
                               'or config, found "money"',
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
