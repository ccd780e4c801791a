#!/usr/bin/env python3
"""Measures the farm, and plays it for more ranks than there are; `make bench-farm` and `make scale` call this.

    tools/scale_model.py measure [--build build/release]     rates, and runs of 2 to 16 ranks beside their model
    tools/scale_model.py scale [--build ...] [-o jobs/scale.svg]     the table and the plot of jobs/README.md

measure  requests per second that rank 0 answers, from 1 rank and from 8 that do nothing else; a message's round trip; then
         runs whose points sleep as long as those of configs/demo.cfg would take if a mean one took 2 ms: that needs
         no more cores than there are, and waiting is as in any run. The model plays the same runs. What the farm
         loses is compared too, which is small, so that noise of the machine is much of it.
scale    the model for 10^2 to 10^5 ranks and 10^6 to 10^9 points that cost what the campaign's do.

Both keep what they know in BUILD/farm.h5 (a campaign, made once) and BUILD/farm.json (what was measured).
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
RUNS = 3
CAMPAIGN_POINTS = 8192
SLEEP_SECONDS = 2e-3  # of the mean point
ROUND_SECONDS = 2.0
COSTLY = 10e-3  # s: a point of a long protocol, or of cvode


class Farm:
    """The programs, a campaign, and what was measured."""

    def __init__(self, build):
        self.build = TOP / build
        self.campaign = self.build / "farm.h5"
        self.known = self.build / "farm.json"

    def run(self, program, *arguments, ranks=None):
        command = [str(self.build / program), *map(str, arguments)]
        if ranks is not None:
            command = ["mpirun", "-n", str(ranks), *command]
        process = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True, env={**os.environ, "HDF5_USE_FILE_LOCKING": "FALSE"})
        if process.returncode != 0:
            sys.exit(f"scale_model: {' '.join(command)} failed:\n{process.stderr}")
        return process

    def bench(self, ranks, *arguments):
        return json.loads(self.run("tools/bench_farm", *arguments, ranks=ranks).stdout)

    def play(self, **settings):
        pairs = [f"{name}={value}" for name, value in {**settings, "campaign": self.campaign}.items()]
        return json.loads(self.run("tools/scale_model", *pairs).stdout)

    def make_campaign(self):
        """Returns seconds per point, and bytes per row."""
        summary = self.run("ketsweep", "run", TOP / "configs/demo.cfg", "-o", self.campaign, "--overwrite", "--set",
                           f"design.points={CAMPAIGN_POINTS}", ranks=1).stderr
        rate, size = re.search(r"([0-9.e+]+) points/s; ([0-9.]+) MB", summary).groups()
        return 1 / float(rate), float(size) * 1e6 / CAMPAIGN_POINTS

    def measure(self):
        point, row = self.make_campaign()
        rates = {n: statistics.median(self.bench(n + 1, "rate", 2)["requests_per_second"] for _ in range(RUNS))
                 for n in (1, 8)}
        trip = statistics.median(self.bench(2, "trip", 20000)["round_trip_seconds"] for _ in range(RUNS))
        print(f"rank 0 answers {rates[1]:.0f} requests/s of 1 rank, {rates[8]:.0f} of 8; round trip {1e6 * trip:.1f} us")
        known = {"seconds": point, "row_bytes": row, "answer": 1 / min(rates.values()), "latency": trip / 2}
        self.known.write_text(json.dumps(known, indent=1) + "\n")
        print("ranks  measured s  model s  ratio   efficiency measured  model")
        for ranks in (2, 4, 8, 16):
            self.compare(ranks, known)

    def compare(self, ranks, known):
        points = 4000 * ranks // 2
        runs = [self.bench(ranks, "sleep", points, SLEEP_SECONDS, ROUND_SECONDS, self.campaign) for _ in range(RUNS)]
        found = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        model = self.play(ranks=ranks, points=points, seconds=SLEEP_SECONDS, commit_seconds=ROUND_SECONDS,
                          slice=64, worker_slice=64, slice_seconds=found["slice_seconds"], answer=known["answer"],
                          latency=known["latency"], capacity=points, bandwidth=1e15, sync=0)
        print(f"{ranks:5d}  {found['run_seconds']:10.3f}  {model['run_seconds']:7.3f}  "
              f"{model['run_seconds'] / found['run_seconds']:5.3f}  {found['efficiency']:20.3f}  "
              f"{model['efficiency']:5.3f}")

    def scale(self, output):
        if not self.known.exists():
            sys.exit("scale_model: nothing is measured yet: make bench-farm")
        known = json.loads(self.known.read_text())
        rows = [self.play(ranks=ranks, points=points, seconds=seconds, row_bytes=known["row_bytes"],
                          answer=known["answer"], latency=known["latency"])
                for seconds in (known["seconds"], COSTLY)
                for points in (10**6, 10**7, 10**8, 10**9) for ranks in (10**2, 10**3, 10**4, 10**5)]
        print("| a point takes | points | ranks | the work takes | farm's efficiency | rank 0 answers | "
              "writing at 1 GB/s |\n|---|---|---|---|---|---|---|")
        for row in rows:
            work = row["points"] * row["point_seconds"] / row["ranks"]
            print(f"| {1e3 * row['point_seconds']:.2f} ms | {power(row['points'])} | {power(row['ranks'])} | "
                  f"{work:.3g} s | {row['efficiency_without_commits']:.3f} | {100 * row['master_load']:.1f} % | "
                  f"{100 * row['commit_share']:.0f} % |")
        draw(rows, output)


def power(number):
    return f"10^{len(str(int(number))) - 1}"


def draw(rows, output):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "ketsweep"
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    for ranks, marker in ((10**2, "o"), (10**3, "s"), (10**4, "D"), (10**5, "^")):
        line = sorted((row["points"] * row["point_seconds"] / ranks, row["efficiency_without_commits"])
                      for row in rows if row["ranks"] == ranks)
        axes.semilogx(*zip(*line), marker=marker, label=f"{power(ranks)} ranks")
    axes.axhline(0.95, color="grey", linewidth=0.8, linestyle="--")
    axes.set(xlabel="seconds that the work takes on all ranks", ylabel="efficiency of the farm", ylim=(0, 1.02))
    axes.legend(frameon=False)
    figure.savefig(output, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description="Measures the farm, and plays it for more ranks than there are.")
    parser.add_argument("what", choices=("measure", "scale"))
    parser.add_argument("--build", default="build/release")
    parser.add_argument("-o", "--output", default=str(TOP / "jobs/scale.svg"))
    arguments = parser.parse_args()
    farm = Farm(arguments.build)
    if arguments.what == "measure":
        farm.measure()
    else:
        farm.scale(arguments.output)


if __name__ == "__main__":
    main()
