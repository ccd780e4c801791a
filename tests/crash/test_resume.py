"""The same command goes on; another one is refused; a design that grows is extended; only one run writes."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from crash import FUNCTION, KETSWEEP, MODEL, CrashTest, Job, contents, often, wait_until  # noqa: E402


def run_as_others(test, *arguments, **keywords):
    """Runs the program so that the modes of files count, as they do for all but root."""
    if os.geteuid() != 0:
        return test.run_program(*arguments, **keywords)
    return test.run_program("--bounding-set", "-dac_override,-dac_read_search", KETSWEEP, *arguments, program="setpriv",
                            **keywords)


class Resumes(CrashTest):
    def interrupt(self, path, *arguments, ranks=2, rounds=2):
        """Runs until some rounds are committed, then kills it; returns how many rows there are."""
        job = Job(self, ranks, self.config, "-o", path, "-q", *arguments)

        def is_far():
            self.assertIsNone(job.process.poll(), job.text())
            try:
                with h5py.File(path) as file:
                    return file["rounds/in_use"][()] >= rounds
            except OSError:
                return False

        wait_until(is_far, "it commits")
        for pid in job.ranks().values():
            os.kill(pid, signal.SIGKILL)
        job.wait()
        with h5py.File(path) as file:
            return int(file["rounds/log"][: file["rounds/in_use"][()]]["n_rows"].sum())

    def test_says_what_is_there(self):
        self.reference(MODEL, "--set", "design.points=4000")
        path = self.path("a.h5")
        n = self.interrupt(path, "--set", "design.points=4000")
        self.assertTrue(0 < n < 4000)
        self.assertIn("no run writes it now", self.run_program("status", path).stdout)
        run = self.run_program("run", self.config, "-o", path, "--verify", "--set", "design.points=4000", ranks=3)
        self.assertIn(f"a.h5: {n} of 4000 points are there\n", run.stderr)
        self.assertRegex(run.stderr, rf"a.h5: {4000 - n} points in .*\n  with those of earlier runs 4000 of 4000\n"
                                     r"  4000 done: simulated\n")
        self.assertEqual(contents(path), self.expected)
        with h5py.File(path) as file:
            runs = file["provenance/runs"][: file["provenance/runs_in_use"][()]]
            self.assertEqual(runs["ranks"].tolist(), [2, 3])
            self.assertEqual(int(runs["points"][1]), 4000 - n)
        before = pathlib.Path(path).read_bytes()
        again = self.run_program("run", self.config, "-o", path, "--set", "design.points=4000")
        self.assertIn("complete already, all 4000 points are there", again.stderr)
        self.assertEqual(pathlib.Path(path).read_bytes(), before)

    def test_a_complete_file_need_not_be_writable(self):
        config, path = self.path("f.cfg", FUNCTION), self.path("a.h5")
        self.run_program("run", config, "-o", path, "-q")
        os.chmod(path, 0o444)
        again = run_as_others(self, "run", config, "-o", path)
        self.assertIn("complete already, all 200 points are there", again.stderr)
        refusal = run_as_others(self, "run", config, "-o", path, "--verify", status=1)
        self.assertIn(f"cannot write to {path}: Permission denied", refusal.stderr)

    def test_failures_of_earlier_runs_count(self):
        """A tenth of the points fails, all at high doses; they are in the rows of the first run too."""
        text = MODEL.replace("horizon = 48.0", "horizon = 48.0; infusion_start = 0.0").replace(
            '{ name = "infusion_dose"; low = 0.1; high = 1.0; }', '{ name = "infusion_start"; low = 0.0; high = 53.0; }')
        text = text.replace("points = 1500", "points = 4000")
        self.config, path = self.path("a.cfg", text), self.path("a.h5")
        n = self.interrupt(path)
        run = self.run_program("run", self.config, "-o", path, ranks=2, status=1)
        with h5py.File(path) as file:
            status, inputs = file["status"][:], file["inputs"][:, 0]
        failed = status == 7
        self.assertTrue(failed[:n].any() and failed[n:].any())
        self.assertIn(f"  {failed.sum()} bad_protocol", run.stderr)
        self.assertIn(f"all at infusion_start {inputs[failed].min():.4g} to {inputs[failed].max():.4g} h (the design spans "
                      f"{inputs.min():.4g} to {inputs.max():.4g})", run.stderr)
        share = f"{100 * failed.mean():.3g} % of the points failed"
        self.assertIn(share, run.stderr)
        again = self.run_program("run", self.config, "-o", path, status=1)
        self.assertIn(share, again.stderr)
        self.run_program("run", self.config, "-o", path, "--max-failed-fraction", "0.5")

    def test_verification_is_of_all_rows(self):
        """The sample is the same however often the run was interrupted; and a complete file can be verified later."""
        text = MODEL.replace("points = 1500", "points = 3000")
        self.config = self.path("a.cfg", text)
        self.run_program("run", self.config, "-o", self.path("one.h5"), "--verify-fraction", "0.01", ranks=2)
        self.interrupt(self.path("two.h5"), "--verify-fraction", "0.01")
        self.run_program("run", self.config, "-o", self.path("two.h5"), "--verify-fraction", "0.01", ranks=2)
        self.run_program("run", self.config, "-o", self.path("three.h5"), "-q")
        self.run_program("run", self.config, "-o", self.path("three.h5"), "--verify-fraction", "0.01", ranks=3)
        tables = []
        for name in ("one.h5", "two.h5", "three.h5"):
            with h5py.File(self.path(name)) as file:
                tables.append(file["provenance/verification"][:].tobytes())
        self.assertGreater(len(set(tables[0])), 1)
        self.assertEqual(tables, tables[:1] * 3)

    def test_another_campaign_is_refused(self):
        self.config, path = self.path("a.cfg", MODEL), self.path("a.h5")
        self.run_program("run", self.config, "-o", path, "-q", "--set", "design.points=50")
        before = pathlib.Path(path).read_bytes()
        cases = {("protocol.horizon=72.0",): ["protocol.horizon: stored 48, present 72"],
                 ("design.seed=6", "solver.rtol=1e-5"): ["design.seed: stored 5, present 6",
                                                         "solver.rtol: stored 1e-06, present 1e-05"],
                 ("parameters.[0].high=0.9",): ["parameters.infusion_dose.high: stored 1, present 0.9"],
                 ('output.trajectories.states=["bdnf"]',): ['output.trajectories.states: stored ["madrs"], present '
                                                            '["bdnf"]'],
                 ("patient.weight=80.0",): ["patient.weight: stored nothing, present 80"],
                 ("design.points=40",): ["design.points: stored 50, present 40"],
                 ("design.points=60",): ["design.points: stored 50, present 60"]}
        for overrides, lines in cases.items():
            overrides = [word for override in overrides for word in ("--set", override)]
            points = [] if "points" in lines[0] else ["--set", "design.points=50"]
            refusal = self.run_program("run", self.config, "-o", path, *points, *overrides, ranks=2, status=2)
            said = [line.strip() for line in refusal.stderr.splitlines() if ": stored " in line]
            if "horizon" in lines[0]:
                said = [line for line in said if "horizon" in line]
            self.assertEqual(said, lines)
            self.assertIn("was left as it is", refusal.stderr)
            self.assertEqual("--extend" in refusal.stderr, "present 60" in lines[0])
            self.assertEqual(pathlib.Path(path).read_bytes(), before)
        self.run_program("run", self.config, "-o", path, "-q", "--set", "design.points=40", "--overwrite")

    def test_another_model_is_refused(self):
        config, path = self.path("f.cfg", FUNCTION), self.path("a.h5")
        self.run_program("run", config, "-o", path, "-q")
        with h5py.File(path, "r+") as file:
            file.attrs.modify("model_version", "0123456789abcdef")
        before = pathlib.Path(path).read_bytes()
        refusal = self.run_program("run", config, "-o", path, status=2)
        self.assertRegex(refusal.stderr, "model version: stored 0123456789abcdef, present [0-9a-f]{16}|have changed")
        self.assertEqual(pathlib.Path(path).read_bytes(), before)

    def test_switches(self):
        config = self.path("f.cfg", FUNCTION)
        for switch in ("--extend", "--repair", "--verify"):
            refusal = self.run_program("run", config, "-o", self.path("a.h5"), switch, "--overwrite", status=2)
            self.assertIn("--overwrite starts anew; --extend, --verify and --repair keep what is there", refusal.stderr)


class Extends(CrashTest):
    """A nested design that grows keeps its rows; the file is that of the larger design made in one go."""

    def grow(self, text, sizes, *arguments):
        """From a complete smaller file to the last size, by all sizes between."""
        config, path = self.path("a.cfg", text), self.path("a.h5")
        for i, size in enumerate(sizes):
            switch = ("--extend",) if i > 0 else ("--overwrite",)
            run = self.run_program("run", config, "-o", path, *switch, "--set", f"design.points={size}", *arguments,
                                   ranks=(2, None)[i % 2])
            if i > 0:
                self.assertIn(f"a.h5: {sizes[i - 1]} of {size} points are there", run.stderr)
        self.run_program("run", config, "-o", self.path("whole.h5"), "--overwrite", "--set", f"design.points={sizes[-1]}",
                         "-q", *arguments)
        self.assertEqual(contents(path), contents(self.path("whole.h5")))
        self.run_program("verify", path)
        with h5py.File(path) as file:
            self.assertEqual(int(file["provenance/runs_in_use"][()]), len(sizes))
            self.assertEqual(file["provenance/runs"][: len(sizes)]["points"].tolist(),
                             [size - before for size, before in zip(sizes, (0, *sizes))])

    def test_designs(self):
        self.grow(MODEL, (100, 150, 400))
        for kind, sizes in (("sobol", (100, 1000, 1001)), ("random", (7, 8, 5000)), ("lhs", (25, 50, 400))):
            self.grow(FUNCTION.replace('"random"', f'"{kind}"'), sizes)
        rows = "".join(f"{i / 500},{1 - i / 500}\n" for i in range(500))
        self.path("points.csv", "x1,x2\n" + rows)
        self.grow('model = "test:wide"; design : { kind = "file"; file = "points.csv"; };', (20, 499, 500))

    def test_a_link_stays_one(self):
        """What it leads to is extended, replaced, and rid of what a killed run has left."""
        config = self.path("f.cfg", FUNCTION)
        (self.folder / "data").mkdir()
        target, link = pathlib.Path(self.path("data/b.h5")), pathlib.Path(self.path("a.h5"))
        self.run_program("run", config, "-o", target, "-q")
        link.symlink_to("data/b.h5")
        for switch, points in (("--extend", 400), ("--overwrite", 300)):
            (self.folder / "data/b.h5.part-abcdef").touch()
            self.run_program("run", config, "-o", link, "-q", switch, "--set", f"design.points={points}")
            self.assertTrue(link.is_symlink())
            self.assertEqual([path.name for path in target.parent.iterdir()], ["b.h5"])
            with h5py.File(target) as file:
                self.assertEqual(int(file.attrs["n_points"]), points)

    def test_what_is_not_nested(self):
        grid = ('model = "test:wide"; design : { kind = "grid"; }; parameters : ( { name = "x1"; levels = 5; low = 0.0; '
                "high = 1.0; } );")
        cases = ((FUNCTION.replace('"random"', '"lhs"').replace("200", "25"), "design.points=75"),
                 (grid, "parameters.[0].levels=9"), (FUNCTION, "design.points=100"), (FUNCTION, "design.seed=9"))
        for text, override in cases:
            config, path = self.path("a.cfg", text), self.path("a.h5")
            self.run_program("run", config, "-o", path, "-q", "--overwrite")
            before = pathlib.Path(path).read_bytes()
            refusal = self.run_program("run", config, "-o", path, "--extend", "--set", override, status=2)
            self.assertIn("holds another campaign", refusal.stderr)
            self.assertNotIn("--extend keeps", refusal.stderr)
            self.assertEqual(pathlib.Path(path).read_bytes(), before)
        self.path("points.csv", "x1,x2\n" + "".join(f"{i},1\n" for i in range(9)))
        text = 'model = "test:wide"; design : { kind = "file"; file = "points.csv"; };'
        self.run_program("run", self.path("a.cfg", text), "-o", path, "-q", "--overwrite")
        self.path("points.csv", "x1,x2\n" + "".join(f"{i if i != 4 else 7},1\n" for i in range(12)))
        self.run_program("run", self.path("a.cfg"), "-o", path, "--extend", status=2)

    def test_killed_while_extending(self):
        """Of a file that is not complete; the old file is there, or the new one."""
        text = FUNCTION.replace("points = 200", "points = 60000")
        self.reference(text, "--set", "design.points=120000")
        config = self.config
        n_old = 0
        for trial in range(often(3, 40)):
            path = self.path(f"{trial}.h5")
            self.run_program("run", config, "-o", path, "-q", ranks=2)
            job = Job(self, 2, config, "-o", path, "-q", "--extend", "--set", "design.points=120000")
            time.sleep(self.random.uniform(0.15, 0.6) * self.duration)
            for pid in job.ranks().values():
                os.kill(pid, signal.SIGKILL)
            job.wait()
            self.read_by_all(path)
            with h5py.File(path) as file:
                n_old += file.attrs["n_points"] == 60000
            self.go_on(path, None, "--extend", "--set", "design.points=120000")
        self.tell(f"{self._testMethodName} ({n_old} before the new file was there)")


class Lock(CrashTest):
    def test_second_run_is_refused(self):
        self.config, path = self.path("a.cfg", MODEL), self.path("a.h5")
        job = Job(self, 2, self.config, "-o", path, "-q", "--set", "design.points=200000")
        wait_until(lambda: pathlib.Path(path).exists() and len(job.ranks()) == 2, "it starts")
        alias = self.folder / "alias.h5"
        alias.symlink_to("a.h5")
        for name in (path, alias):
            for switch in ("--quiet", "--overwrite", "--extend"):
                refusal = self.run_program("run", self.config, "-o", name, switch, "--set", "design.points=200000",
                                           status=1)
                self.assertRegex(refusal.stderr, rf"another run writes {re.escape(str(name))}: process {job.ranks()[0]} on "
                                                 r"\S+, started 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")
        status = self.run_program("status", path).stdout
        self.assertIn(f"being written by process {job.ranks()[0]} on ", status)
        for mode, answer in ((0o444, f"being written by process {job.ranks()[0]} on "), (0, "whether a run writes it now is not known")):
            os.chmod(path + ".lock", mode)
            self.assertIn(answer, run_as_others(self, "status", path).stdout)
        os.chmod(path + ".lock", 0o644)
        self.run_program("verify", path)
        os.kill(job.ranks()[0], signal.SIGKILL)
        job.wait()
        self.assertTrue(pathlib.Path(path + ".lock").exists())
        limited = self.run_program("run", self.config, "-o", path, "-q", "--set", "design.points=200000", "--set",
                                   "run.time_limit=2.0", status=3)
        self.assertIn("stopped by the time limit", limited.stderr)
        self.assertFalse(pathlib.Path(path + ".lock").exists())

    def test_many_at_once(self):
        """Of runs that start together one writes; the others say so, or find it done."""
        self.reference(FUNCTION.replace("200", "20000"))
        path = self.path("a.h5")
        processes = [subprocess.Popen([KETSWEEP, "run", self.config, "-o", path, "-q"], cwd=self.folder, text=True,
                                      stderr=subprocess.PIPE) for _ in range(6)]
        texts = [process.communicate()[1] for process in processes]
        for process, text in zip(processes, texts):
            self.assertTrue(process.returncode == 0 or "another run writes" in text, text)
        self.assertIn(0, [process.returncode for process in processes])
        self.assertEqual(contents(path), self.expected)


if __name__ == "__main__":
    unittest.main()
