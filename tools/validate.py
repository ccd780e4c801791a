#!/usr/bin/env python3
"""Runs the published trials of configs/trials on the shipped cohort, and prints published beside simulated.

    tools/validate.py [--build build/release] [--ranks N] [TRIAL...]        default: every trial

A row says whether it was free to select patients or choose parameters (calibration) or must not be (validation), and
whether the published number lies within the interval that trials of its size would show. Rows that miss stay. The table
goes to build/validate/table.md too.
"""
import argparse
import math
import os
import pathlib
import subprocess
import sys

import h5py

TOP = pathlib.Path(__file__).resolve().parent.parent
FOLDER = TOP / "build" / "validate"
NO_TRIALS = ("common", "knockouts")


def run(arguments, *command):
    launcher = ["mpirun", "-n", str(arguments.ranks)]
    subprocess.run([*launcher, str(TOP / arguments.build / "ketsweep"), *command, "--overwrite", "--quiet"], cwd=TOP,
                   check=True)


def number(value, digits=3):
    return "" if math.isnan(value) else "inf" if math.isinf(value) else f"{value:.{digits}g}"


def interval(low, high):
    return "" if math.isnan(low) else f"{number(low)} to {number(high)}"


def verdict(value, low, high):
    return "" if math.isnan(low) else "yes" if low <= value <= high else "NO"


def rows_of(path):
    with h5py.File(path) as file:
        group = file["trial"]
        text = {name: group[name].asstr()[:] for name in ("target", "target_use")}
        data = {name: group[name][:] for name in ("target_value", "target_n", "simulated", "simulated_low",
                                                  "simulated_high", "simulated_trial_low", "simulated_trial_high")}
    for i, target in enumerate(text["target"]):
        value, low, high = (data[name][i] for name in ("target_value", "simulated_trial_low", "simulated_trial_high"))
        yield (target, number(data["target_n"][i]), number(value), number(data["simulated"][i]),
               interval(data["simulated_low"][i], data["simulated_high"][i]), interval(low, high),
               verdict(value, low, high), text["target_use"][i])


def print_table(rows, stream):
    header = ("target", "n", "published", "simulated", "constants (95 %)", "trials of n (95 %)", "within", "use")
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |", file=stream)


def main():
    parser = argparse.ArgumentParser(description="Published trials beside simulated ones.")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("trials", metavar="TRIAL", nargs="*")
    arguments = parser.parse_args()
    known = sorted(path.stem for path in (TOP / "configs" / "trials").glob("*.cfg") if path.stem not in NO_TRIALS)
    for trial in arguments.trials:
        if trial not in known:
            parser.error(f"no trial {trial}; there are: {' '.join(known)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    run(arguments, "cohort", "configs/population-trd.cfg", "-o", "build/validate/trd.h5")
    rows = []
    for trial in arguments.trials or known:
        print(f"{trial} ...", file=sys.stderr, flush=True)
        result = f"build/validate/{trial}.h5"
        run(arguments, "trial", f"configs/trials/{trial}.cfg", "-o", result)
        rows += rows_of(TOP / result)
    rows.sort(key=lambda row: row[-1])
    print_table(rows, sys.stdout)
    for use in ("calibration", "validation"):
        verdicts = [row[-2] for row in rows if row[-1] == use and row[-2]]
        print(f"{use}: {len(verdicts)} rows, {verdicts.count('NO')} outside what trials of their size would show")
    print("Saline and midazolam are one arm in this model: expectancy without drug.")
    with open(FOLDER / "table.md", "w") as stream:
        print_table(rows, stream)


if __name__ == "__main__":
    os.environ.setdefault("OMPI_MCA_rmaps_base_oversubscribe", "1")
    sys.exit(main())
