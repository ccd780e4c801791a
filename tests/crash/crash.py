"""What the tests of crashes share: campaigns under mpirun that are hit at random moments, and what must hold after."""
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cli"))
from program import KETSWEEP, TOP, ProgramTest, contents  # noqa: E402,F401

# `make soak` asks for many times as much.
SOAK = bool(os.environ.get("KETSWEEP_SOAK"))

MODEL = """
title = "hit";
protocol : { infusion_duration = 0.6667; horizon = 48.0; };
design : { kind = "sobol"; points = 1500; seed = 5; };
parameters : ( { name = "infusion_dose"; low = 0.1; high = 1.0; },
               { name = "nmdar_density"; distribution = "lognormal"; cv = 0.1; } );
output : { trajectories : { states = ["madrs"]; every = 24.0; }; };
solver : { kind = "rosenbrock"; };
run : { commit_seconds = 0.05; };
"""

FUNCTION = """
model = "test:wide";
design : { kind = "random"; points = 200; seed = 2; };
parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; }, { name = "x4"; } );
"""


def often(n_short, n_long):
    return n_long if SOAK else n_short


def is_alive(pid):
    """False for a zombie too."""
    try:
        return not re.search(r"\) Z ", pathlib.Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return False


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.005)


class Job:
    """A campaign under mpirun, with shared memory and session files of its own."""

    def __init__(self, test, ranks, *arguments, prefix=(), **environment):
        folder = tempfile.mkdtemp(prefix="job-", dir=test.folder)
        self.output = open(pathlib.Path(folder) / "output", "w+")
        environment = {**os.environ, "TMPDIR": folder, "OMPI_MCA_btl_vader_backing_directory": folder, **environment}
        self.process = subprocess.Popen([*prefix, "mpirun", "-n", str(ranks), KETSWEEP, "run", *map(str, arguments)],
                                        cwd=test.folder, env=environment, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT)
        self.known = {}
        self.dead_since = None
        test.addCleanup(self.end)

    def ranks(self):
        """The processes of the ranks so far: rank -> pid."""
        try:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except OSError:
            children = []
        for pid in map(int, children):
            try:
                environ = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            for entry in environ:
                if entry.startswith(b"OMPI_COMM_WORLD_RANK="):
                    self.known[int(entry.partition(b"=")[2])] = pid
        return self.known

    def is_over(self):
        """Whether mpirun has ended. One whose ranks died while they registered with it may never end by itself."""
        if self.process.poll() is not None:
            return True
        if not self.ranks() or any(map(is_alive, self.known.values())):
            self.dead_since = None
        elif self.dead_since is None:
            self.dead_since = time.monotonic()
        elif time.monotonic() - self.dead_since > 20:
            print("# mpirun did not end after its ranks had", flush=True)
            self.process.kill()
        return False

    def wait(self):
        """The exit status, once no process of the job is left."""
        try:
            wait_until(self.is_over, "the job does not end", 120)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n" + self.text()) from None
        status = self.process.returncode
        wait_until(lambda: not any(map(is_alive, self.known.values())), "the ranks do not end")
        return status

    def text(self):
        self.output.flush()
        return pathlib.Path(self.output.name).read_text(errors="replace")

    def end(self):
        for pid in (*self.ranks().values(), self.process.pid):
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()


class CrashTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())
        self.counts = [0, 0, 0]

    def reference(self, text, *arguments):
        """Runs a campaign without a disturbance; its contents, and how long it takes with two ranks."""
        self.config = self.path("a.cfg", text)
        self.run_program("run", self.config, "-o", self.path("reference.h5"), *arguments, ranks=2)
        start = time.monotonic()
        self.run_program("run", self.config, "-o", self.path("again.h5"), *arguments, ranks=2)
        self.duration = time.monotonic() - start
        self.expected = contents(self.path("reference.h5"))
        self.assertEqual(contents(self.path("again.h5")), self.expected)
        return self.expected

    def read_by_all(self, path):
        """An interrupted file opens everywhere, and what it says is committed is good. Returns its committed rows."""
        with h5py.File(path) as file:
            log = file["rounds/log"][: file["rounds/in_use"][()]]
            n_rows = int(log["n_rows"].sum())
            if n_rows > 0:
                self.assertGreater(int(file["status"][:n_rows].min()), 0)
        subprocess.run(["h5dump", "-H", path], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["h5dump", "-d", "/solver_steps", path], check=True, stdout=subprocess.DEVNULL)
        self.run_program("status", path)
        self.run_program("verify", path)
        return n_rows

    def go_on(self, path, ranks, *arguments):
        """The same command again, to the end; the file is then as if nothing had happened."""
        self.counts[0] += 1
        if pathlib.Path(path).exists():
            self.read_by_all(path)
        self.counts[1] += 1
        self.run_program("run", self.config, "-o", path, *arguments, ranks=ranks)
        self.assertEqual(contents(path), self.expected)
        self.counts[2] += 1
        names = sorted(name.name for name in self.folder.iterdir() if name.name.startswith(pathlib.Path(path).name))
        self.assertEqual(names, [pathlib.Path(path).name])

    def tell(self, what):
        print(f"# {what}: tried {self.counts[0]}, survived {self.counts[1]}, equal {self.counts[2]}", flush=True)
