#!/usr/bin/env python3
"""Measures the sensitivity analysis against the same computation in NumPy, side by side in one run.

    tools/bench_analysis.py [--build build/release]        (make bench-analysis)

N = 2^14, D = 20, first and total order, 1,000 resamples of the bootstrap, seconds of one core: as SALib 1.4.8 does it, here by the
same lines of NumPy; then 100 states at 100 times.
"""
import argparse
import resource
import subprocess
import time

import numpy

N, D, RESAMPLES = 2**14, 20, 1000


def first_order(a, ab, b):
    return numpy.mean(b * (ab - a), axis=0) / numpy.var(numpy.r_[a, b], axis=0)


def total_order(a, ab, b):
    return 0.5 * numpy.mean((a - ab) ** 2, axis=0) / numpy.var(numpy.r_[a, b], axis=0)


def numpy_seconds():
    """SALib.analyze.sobol for one output, with its bootstrap, parameter by parameter."""
    random = numpy.random.default_rng(1)
    y = random.normal(size=(N, D + 2))
    start = time.process_time()
    y = (y - y.mean()) / y.std()
    a, b, ab = y[:, 0], y[:, -1], y[:, 1:-1]
    rows = random.integers(N, size=(N, RESAMPLES))
    for k in range(D):
        first_order(a, ab[:, k], b), first_order(a[rows], ab[rows, k], b[rows]).std(ddof=1)
        total_order(a, ab[:, k], b), total_order(a[rows], ab[rows, k], b[rows]).std(ddof=1)
    return time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release")
    build = parser.parse_args().build

    def measure(case):
        return map(float, subprocess.check_output([f"{build}/tools/bench_analysis", case], text=True).split())

    print(f"Sobol' indices of first and total order, N = {N}, D = {D}, one core")
    seconds, each, memory = measure("bootstrap")
    print(f"  {RESAMPLES} resamples, ketsweep   {each:8.3f} s per output   {memory:6.0f} MB (8 outputs, their rows among it)")
    total, single, largest = measure("courses")  # before NumPy's memory is taken for this program's
    reference, numpy_memory = numpy_seconds()
    print(f"  {RESAMPLES} resamples, NumPy      {reference:8.3f} s per output   {numpy_memory:6.0f} MB; "
          f"{reference / each:.0f} times longer")
    print(f"  100 states x 100 times, intervals from the scrambles: {total:.1f} s in all, {single * 1e3:.2f} ms per output, "
          f"{largest:.0f} MB")


if __name__ == "__main__":
    main()
