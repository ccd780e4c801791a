#!/usr/bin/env python3
"""Runs the test suites, counts every single test, and ends with a line "N passed, N failed".

    tests/run.py [--build build/release] [--emulator COMMAND] [SUITE...]

Suites: unit science mpi cli tools web docs crash slurm fuzz house; default: all.

`make test` builds what is tested and calls this. Every program prints TAP: cmocka's own, and for Python what
unittest_tap.py prints. A program that crashes, says nothing, stops early, or exits with a failure that it did not
name counts as failed tests. Each runs from the top folder with a temporary folder of its own, and is ended with its
process group after TIME_LIMIT.
"""
import argparse
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
TIME_LIMIT = 7200.0 if os.environ.get("KETSWEEP_SOAK") == "1" else 900.0  # seconds
RANKS = (1, 2, 3, 5)
HOUSE = ("layers", "headers", "names", "format-check", "reference-check", "hardening")  # make's targets

# What mpirun starts: gives the output of each rank a file of its own, in the temporary folder.
EACH_RANK = ["sh", "-c", 'exec "$0" >"$TMPDIR/rank.${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" 2>&1']


@dataclasses.dataclass
class Outcome:
    """What became of one program's tests."""

    name: str
    passed: int
    failed: int
    skipped: list  # their lines
    details: str


class Runner:
    """Runs programs in the environment that tests expect."""

    def __init__(self, build, emulator=""):
        # The options and the job server of a make above are not for the makes below.
        inherited = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        answer = subprocess.run(["make", "-s", "print-PYTHON", "print-QUIET_MPI"], cwd=TOP, env=inherited,
                                stdout=subprocess.PIPE, text=True, check=True)
        self.python, quiet_mpi = answer.stdout.splitlines()
        self.build = build
        self.emulator = emulator.split()
        self.environment = {**inherited, **dict(pair.split("=") for pair in quiet_mpi.split()),
                            "KETSWEEP": str(TOP / build / "ketsweep"), "PYTHON": self.python,
                            "CMOCKA_MESSAGE_OUTPUT": "TAP"}

    def run(self, command):
        """Returns the exit status (a word where there is none), and the output by name: "output", "rank.0", ..."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ks-"))
        try:
            with open(folder / "output", "w") as stream:
                status = self.run_in(folder, command, stream)
            paths = [folder / "output", *sorted(folder.glob("rank.*"))]
            return status, {path.name: path.read_text(errors="replace") for path in paths}
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def run_in(self, folder, command, stream):
        environment = {**self.environment, "TMPDIR": str(folder), "OMPI_MCA_btl_vader_backing_directory": str(folder)}
        try:
            process = subprocess.Popen(command, cwd=TOP, env=environment, stdin=subprocess.DEVNULL, stdout=stream,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            return str(error)
        return wait_or_end(process)

    def run_tap(self, name, command):
        status, outputs = self.run(command)
        passed, failed, skipped = count_tap(outputs.get("rank.0", outputs["output"]))
        if failed == 0 and (status != 0 or passed + len(skipped) == 0):
            failed = 1
        return Outcome(name, passed, failed, skipped, f"exit status: {status}\n" + shorten(outputs))

    def run_make(self, target, *settings):
        status, outputs = self.run(["make", "-s", target, *settings])
        return Outcome(target, int(status == 0), int(status != 0), [], shorten(outputs))


def wait_or_end(process):
    try:
        return process.wait(TIME_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)  # mpirun ends its ranks, which are not of its group
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10.0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"none within {TIME_LIMIT:.0f} s"


def count_tap(text):
    """Passed and failed tests of a TAP text, and the lines of skipped ones; what did not come failed."""
    n_planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", text, re.MULTILINE))
    verdicts = re.findall(r"^((?:not )?ok)\b(.*)", text, re.MULTILINE)
    skipped = [rest.strip(" -") for _, rest in verdicts if "# SKIP" in rest]
    passed = sum(verdict == "ok" and "# SKIP" not in rest for verdict, rest in verdicts)
    return passed, max(n_planned, len(verdicts)) - passed - len(skipped), skipped


def shorten(outputs):
    """The last lines of each output, without those of tests that passed."""
    text = ""
    for name, output in outputs.items():
        lines = [line for line in output.splitlines() if not line.startswith("ok ")]
        if lines:
            text += f"{name}:\n" + "".join(f"    {line}\n" for line in lines[-40:])
    return text


def what_web_lacks():
    """Why a browser cannot be tested with here, or nothing."""
    for program in ("node", "chromium"):
        if not shutil.which(program):
            return f"{program} is not here (Debian: {'nodejs' if program == 'node' else program})"
    if not (TOP / "tests/web/node_modules/playwright-core").is_dir():
        return "tests/web has no modules (npm ci --prefix tests/web)"
    return ""


def run_suite(suite, runner):
    """Yields the outcome of each program of a suite."""
    if suite == "house":
        for target in HOUSE:
            yield runner.run_make(target, f"BUILD={runner.build}")
        if shutil.which("clang"):
            yield runner.run_make("syntax", "CC=clang")
    elif suite == "web":
        lacking = what_web_lacks()
        for path in sorted(TOP.glob("tests/web/test_*.mjs")):
            if lacking:
                yield Outcome(path.name, 0, 0, [f"{path.name} # SKIP {lacking}"], "")
            else:
                yield runner.run_tap(path.name, ["node", "--test-reporter=tap", str(path)])
    elif suite in ("cli", "tools", "docs", "crash", "slurm"):
        for path in sorted(TOP.glob(f"tests/{suite}/test_*.py")):
            yield runner.run_tap(path.name, [runner.python, "tests/unittest_tap.py", str(path)])
    elif suite == "fuzz":
        yield runner.run_tap("corpus", [str(TOP / runner.build / "tests/fuzz/replay"), "tests/fuzz/corpus"])
    else:
        for path in sorted(TOP.glob(f"tests/{suite}/test_*.c")):
            program = str(TOP / runner.build / "tests" / suite / path.stem)
            if suite == "mpi":
                for n in RANKS:
                    yield runner.run_tap(f"{path.stem} on {n} ranks", ["mpirun", "-n", str(n), *EACH_RANK, program])
            else:
                yield runner.run_tap(path.stem, [*runner.emulator, program])


def report_suite(suite, outcomes, seconds):
    """Prints a suite's line, what it skipped and its failures; returns how many passed and failed."""
    passed, failed = (sum(getattr(o, kind) for o in outcomes) for kind in ("passed", "failed"))
    skipped = [line for o in outcomes for line in o.skipped]
    skips = f", {len(skipped)} skipped" if skipped else ""
    print(f"{suite:8} {passed} passed, {failed} failed{skips} in {seconds:.1f} s", flush=True)
    for line in skipped:
        print(f"    {line}", flush=True)
    for outcome in outcomes:
        if outcome.failed:
            print(f"--- {suite}: {outcome.name}: {outcome.failed} failed\n{outcome.details}", flush=True)
    return passed, failed


def main():
    suites = ("unit", "science", "mpi", "cli", "tools", "web", "docs", "crash", "slurm", "fuzz", "house")
    parser = argparse.ArgumentParser(description="Runs the test suites and counts every single test.")
    parser.add_argument("--build", default="build/release", help="the folder that was built (build/release)")
    parser.add_argument("--emulator", default="", help="what runs programs of another machine, in unit and science")
    parser.add_argument("suites", metavar="SUITE", nargs="*", help=" ".join(suites))
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - set(suites)
    if unknown:
        parser.error(f"no such suite: {' '.join(sorted(unknown))}; there are: {' '.join(suites)}")
    runner = Runner(arguments.build, arguments.emulator)
    totals = [0, 0]
    for suite in arguments.suites or suites:
        start = time.monotonic()
        outcomes = list(run_suite(suite, runner)) or [Outcome("no tests", 0, 1, [], "")]
        counts = report_suite(suite, outcomes, time.monotonic() - start)
        totals = [total + n for total, n in zip(totals, counts)]
    print("{} passed, {} failed".format(*totals))
    return totals[1] > 0


if __name__ == "__main__":
    sys.exit(main())
