#!/usr/bin/env python3
"""Measures the farm and the file, side by side in one run; `make bench` builds the program and calls this.

    tools/bench.py [--build build/release] [--folder build/bench] [FIGURE...]
                   figures: solver memory farm crowd idle write

solver  time per patient and achieved error of rosenbrock at each lane width and of CVODE with KLU, and their ratio at
        equal achieved error. Debian's SUNDIALS is compiled without optimisation, which flatters us: the table says
        so. Honest is `make bench SUNDIALS=PREFIX` with one that you have built at -O3 (`apt-get source sundials`)
farm    points per second and core of configs/demo.cfg, and the efficiency of 2 ranks against 1
crowd   points per second of 16 ranks against 2
idle    processor share of a rank that waits for another's point
write   collective write of a 2 GB campaign of a trivial model against dd with fsync on the same disk, on 1 and 2 ranks
memory  the largest rank of a campaign of 10^6 points

Machines are noisy: where two things are compared they run in turn, and the median of the ratios counts.
"""
import argparse
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
PAIRS = 3
FARM_POINTS = 131072  # half a minute of a core: the ends of a run count as in a campaign

WIDE = """
model = "test:wide";
design : { kind = "random"; points = %d; };
parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; }, { name = "x4"; } );
run : { commit_seconds = 1000.0; };
"""

ONE_LONG_POINT = """
protocol : { infusion_count = 1000; infusion_interval = 96.0; horizon = 100000.0; };
output : { endpoints = ["ketamine_cmax"]; };
solver : { rtol = 1e-13; max_steps = 2000000000; };
"""


def rank_seconds(launcher):
    """Processor seconds of each child of a process, by pid."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == launcher:
            found[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


class Bench:
    """Runs the program in a folder on the disk that is measured."""

    def __init__(self, build, folder):
        self.program = str(TOP / build / "ketsweep")
        self.bench_solver = str(TOP / build / "tools/bench_solver")
        self.folder = folder

    def config(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def run(self, ranks, config, *arguments):
        """Returns the summary of one campaign."""
        out = str(self.folder / "bench.h5")
        process = subprocess.run(["mpirun", "-n", str(ranks), self.program, "run", config, "-o", out, "--overwrite",
                                  *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if process.returncode != 0:
            sys.exit(f"bench: ketsweep failed:\n{process.stderr}")
        os.remove(out)
        return process.stderr

    def rate(self, ranks):
        summary = self.run(ranks, str(TOP / "configs/demo.cfg"), "--set", f"design.points={FARM_POINTS}")
        return float(re.search(r"([0-9.e+]+) points/s", summary).group(1))

    def farm(self):
        pairs = [(self.rate(1), self.rate(2)) for _ in range(PAIRS)]
        ones, twos = zip(*pairs)
        efficiency = statistics.median(two / one / 2 for one, two in pairs)
        print(f"farm    1 rank {statistics.median(ones):.1f} points/s, 2 ranks {statistics.median(twos):.1f} "
              f"points/s; efficiency {efficiency:.2f} (median of {PAIRS} pairs)")

    def crowd(self):
        """More ranks than cores: what the farm costs, not what they gain."""
        pairs = [(self.rate(2), self.rate(16)) for _ in range(PAIRS)]
        ratio = statistics.median(crowd / two for two, crowd in pairs)
        print(f"crowd   16 ranks do {ratio:.2f} times the points/s of 2 on {os.cpu_count()} cores (median of {PAIRS} "
              "pairs)")

    def idle(self):
        """The processor time of each rank between 2 and 6 s of a run whose only point takes much longer."""
        config, out = self.config("long.cfg", ONE_LONG_POINT), str(self.folder / "bench.h5")
        process = subprocess.Popen(["mpirun", "-n", "2", self.program, "run", config, "-o", out, "-q"])
        time.sleep(2)
        before = rank_seconds(process.pid)
        time.sleep(4)
        after = rank_seconds(process.pid)
        process.terminate()
        process.wait()
        os.remove(out)
        shares = sorted(after[pid] - seconds for pid, seconds in before.items())
        print(f"idle    {100 * shares[0] / 4:.1f} % of a core for a rank that waits; {100 * shares[1] / 4:.0f} % for "
              "the one that works")

    def write_speed(self, ranks, config):
        summary = self.run(ranks, config)
        size, unit, seconds = re.search(r"([0-9.]+) (GB|MB) written in ([0-9.]+) s", summary).groups()
        return float(size) * {"GB": 1000, "MB": 1}[unit] / float(seconds)

    def dd_speed(self, megabytes):
        start = time.monotonic()
        subprocess.run(["dd", "if=/dev/zero", f"of={self.folder}/dd", "bs=8M", f"count={megabytes // 8}",
                        "conv=fsync"], check=True, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        os.remove(self.folder / "dd")
        return (megabytes // 8) * 8 * 1.048576 / seconds

    def write(self):
        config = self.config("wide.cfg", WIDE % 3_650_000)
        for ranks in (1, 2, 4, 8):
            pairs = [(self.write_speed(ranks, config), self.dd_speed(1920)) for _ in range(PAIRS)]
            ours, dd = zip(*pairs)
            ratio = statistics.median(a / b for a, b in pairs)
            print(f"write   {ranks} rank{'s' if ranks > 1 else ''}: {statistics.median(ours):.0f} MB/s, "
                  f"dd {statistics.median(dd):.0f} MB/s; ratio {ratio:.2f} (median of {PAIRS} pairs)")

    def solver(self):
        subprocess.run([self.bench_solver, str(TOP / "configs/demo.cfg")], check=True)

    def memory(self):
        self.run(2, self.config("million.cfg", WIDE % 1_000_000))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        print(f"memory  {peak:.0f} MB for the largest process of all runs so far, 10^6 points among them")


def main():
    figures = ("memory", "farm", "crowd", "idle", "write", "solver")
    parser = argparse.ArgumentParser(description="Measures the farm and the file, side by side in one run.")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--folder", default="build/bench", type=pathlib.Path)
    parser.add_argument("figures", metavar="FIGURE", nargs="*", help=" ".join(figures))
    arguments = parser.parse_args()
    unknown = set(arguments.figures) - set(figures)
    if unknown:
        parser.error(f"no such figure: {' '.join(sorted(unknown))}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        for figure in arguments.figures or figures:
            getattr(Bench(arguments.build, folder), figure)()
            sys.stdout.flush()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
