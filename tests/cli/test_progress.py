"""What a run shows while it goes on: progress, and an endpoint's mean and leading index so far."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import CAMPAIGN, KETSWEEP, ProgramTest, contents  # noqa: E402

ISHIGAMI = """
model = "test:ishigami";
design : { kind = "saltelli"; points = 16384; seed = 3; };
parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; } );
run : { commit_seconds = 0.01; };
"""
ESTIMATE = r"mean (\S+) (\S+) \+- (\S+?)( \S+)?"


class Progress(ProgramTest):
    """One line redrawn on a terminal; nothing in a log before 30 s, and nothing at all with -q."""

    def redraw(self, width, *arguments):
        """The lines that a terminal of this width gets, and what comes before and after."""
        terminal, line = pty.openpty()
        fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        process = subprocess.Popen([KETSWEEP, "run", *arguments], stdin=subprocess.DEVNULL, stderr=line, cwd=self.folder)
        os.close(line)
        text = b""
        with contextlib.suppress(OSError), open(terminal, "rb", buffering=0) as stream:  # an error is the end
            while block := stream.read(4096):
                text += block
        self.assertEqual(process.wait(), 0)
        before, *redrawn, after = text.decode().split("\r\033[K")
        return before, redrawn, after

    def test_terminal(self):
        before, redrawn, after = self.redraw(200, self.path("a.cfg", CAMPAIGN), "-o", "a.h5", "--set", "design.points=64",
                                             "--set", 'solver.kind="cvode"')
        done = [int(re.match(r"(\d+) of 64 points \(\d+ %\), \S+ points/s, 0 failed, .+ left", line).group(1))
                for line in redrawn]
        self.assertGreater(len(done), 1)
        self.assertEqual(done, sorted(done))
        self.assertEqual((before, done[0]), ("", 0))
        self.assertIn("64 points in", after)

    def test_estimate_on_a_terminal(self):
        """It comes with the commits, and the line fits however narrow the terminal is."""
        words = (self.path("a.cfg", CAMPAIGN), "--set", "design.points=128", "--set", 'solver.kind="cvode"', "--set",
                 "run.commit_seconds=0.1", "--set", 'run.watch="madrs_24h"')
        _, redrawn, _ = self.redraw(300, *words, "-o", "a.h5")
        self.assertNotIn("mean", redrawn[0])
        self.assertRegex(redrawn[-1], rf" left; {ESTIMATE}$")
        for width in (70, 40):
            _, redrawn, _ = self.redraw(width, *words, "-o", f"{width}.h5")
            self.assertLess(max(map(len, redrawn)), width)
            self.assertRegex(redrawn[-1], r"^\d+ %, 0 failed, .* left; mean mad")

    def test_log(self):
        config = self.path("a.cfg", CAMPAIGN.replace("points = 23", "points = 64"))
        for ranks in (None, 2):
            lines = self.run_program("run", config, "-o", self.path(f"{ranks}.h5"), ranks=ranks).stderr.splitlines()
            self.assertIn("64 points in", lines[0])
            quiet = self.run_program("run", config, "-o", self.path(f"{ranks}.h5"), "--overwrite", "-q", ranks=ranks)
            self.assertEqual(quiet.stderr, "")


class Estimate(ProgramTest):
    """The figures of the summary are those of the file, for any number of ranks."""

    def estimate(self, *arguments, ranks=None):
        text = self.run_program("run", *arguments, ranks=ranks).stderr
        return re.search(rf"(?m)^  {ESTIMATE}(?:; ST of (\S+) (\S+) \+- (\S+))? \(95 %, over (\S+) patients", text).groups()

    def test_mean(self):
        config = self.path("a.cfg", CAMPAIGN)
        for ranks in (None, 2):
            name, mean, half, unit, *_, n = self.estimate(config, "-o", f"{ranks}.h5", ranks=ranks)
            with h5py.File(self.folder / f"{ranks}.h5") as file:
                endpoints = file["endpoint"].asstr()[:].tolist()
                y = file["endpoints"][:, endpoints.index("madrs_change_end")]
            self.assertEqual((name, unit, n), ("madrs_change_end", " points", "23"))
            self.assertAlmostEqual(float(mean), y.mean(), delta=0.06 * float(half))
            self.assertAlmostEqual(float(half), 1.96 * y.std(ddof=1) / 23 ** 0.5, delta=0.06 * float(half))

    def test_choice(self):
        """No stored bit depends on what is watched."""
        config = self.path("a.cfg", CAMPAIGN)
        watched = ("response_end", "ketamine_cmax")
        for name in watched:
            found = self.estimate(config, "-o", f"{name}.h5", "--set", f'run.watch="{name}"')
            self.assertEqual(found[0], name)
        self.assertEqual(*(contents(self.folder / f"{name}.h5") for name in watched))
        refusal = self.run_program("check", config, "--set", 'run.watch="madrs_48h"', status=2).stderr
        self.assertIn('--set run.watch: unknown endpoint "madrs_48h"; did you mean "madrs_4h"?\n', refusal)

    def test_failed_points(self):
        """They do not count."""
        config = self.path("a.cfg", 'model = "test:corner"; design : { kind = "random"; points = 1000; };'
                           'parameters : ( { name = "x1"; }, { name = "x3"; } );')
        *_, n = self.estimate(config, "-o", "a.h5", "--max-failed-fraction", "1")
        with h5py.File(self.folder / "a.h5") as file:
            self.assertEqual(int(n.replace(",", "")), int((file["status"][:] == 1).sum()))
            self.assertLess(int(n.replace(",", "")), 1000)
        study = self.path("b.cfg", 'model = "test:corner"; design : { kind = "saltelli"; points = 64; };'
                          'parameters : ( { name = "x1"; }, { name = "x3"; } );')
        *_, n = self.estimate(study, "-o", "b.h5", "--max-failed-fraction", "1")
        with h5py.File(self.folder / "b.h5") as file:  # the others of their base rows do
            self.assertEqual(int(n), int((file["status"][:] == 1).sum()))
            self.assertLess(int(n), len(file["status"]))

    def test_leader(self):
        """The index and its interval are those of `sensitivity`, however base rows were cut between ranks and rounds."""
        config = self.path("a.cfg", ISHIGAMI)
        found = {ranks: self.estimate(config, "-o", f"{ranks}.h5", ranks=ranks) for ranks in (None, 2, 3)}
        table = json.loads(self.run_program("sensitivity", "None.h5", "--json", "-q").stdout)
        text = json.dumps(table)
        for answer in found.values():
            name, *_, parameter, value, half, n = answer
            self.assertEqual((name, parameter, n), ("y", "x1", f"{16384 * 5:,}"))
            self.assertEqual(answer, found[None])
        values = [float(number) for number in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", text)]
        self.assertLess(min(abs(value - float(found[None][5])) for value in values), 0.06 * float(found[None][6]))

    def test_no_estimate(self):
        """Of one point, or of FAST, whose rows only mean something as a whole curve, there is no index."""
        self.assertNotIn("mean ", self.run_program("run", self.path("a.cfg", "protocol : { horizon = 48.0; };"), "-o",
                                                   "a.h5").stderr)
        fast = ISHIGAMI.replace('"saltelli"; points = 16384', '"fast"; points = 520')
        self.assertEqual(self.estimate(self.path("b.cfg", fast), "-o", "b.h5")[4], None)


if __name__ == "__main__":
    unittest.main()
