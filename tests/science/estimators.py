#!/usr/bin/env python3
"""The published estimators of sensitivity indices in plain NumPy, as SALib 1.4.8 has them; shares no line with src.

    estimators.py METHOD FILE

FILE holds float64: n, p, then p columns of n inputs, then n outputs (fast: n is of all curves of one study; dgsm: rows
of base points, each followed by its p moved ones). Prints the indices, one per line.

Where SALib is known to differ, the comment says how. Of shapley, ancova and regional, which SALib does not have in this
form, these are the definitions, computed as directly as possible.
"""
import itertools
import math
import sys

import numpy as np


def sobol(x, y):
    """SALib.analyze.sobol without second order: rows A, AB_1 .. AB_p, B."""
    p = x.shape[1]
    y = ((y - y.mean()) / y.std()).reshape(-1, p + 2)
    a, b, ab = y[:, 0], y[:, -1], y[:, 1:p + 1].T
    variance = np.var(np.r_[a, b])
    return [*(0.5 * np.mean((a - c) ** 2) / variance for c in ab), *(np.mean(b * (c - a)) / variance for c in ab)]


def sobol2(x, y):
    """The same with second order: rows A, AB_1 .. AB_p, BA_1 .. BA_p, B."""
    p = x.shape[1]
    y = ((y - y.mean()) / y.std()).reshape(-1, 2 * p + 2)
    a, b, ab, ba = y[:, 0], y[:, -1], y[:, 1:p + 1].T, y[:, p + 1:2 * p + 1].T
    variance = np.var(np.r_[a, b])
    first = [np.mean(b * (c - a)) / variance for c in ab]
    total = [0.5 * np.mean((a - c) ** 2) / variance for c in ab]
    second = [np.mean(ba[i] * ab[j] - a * b) / variance - first[i] - first[j]
              for i in range(p) for j in range(i + 1, p)]
    return total + first + second


def morris(x, y):
    """SALib.analyze.morris on inputs between 0 and 1: effects along trajectories of p + 1 rows."""
    p = x.shape[1]
    effects = [[] for _ in range(p)]
    for rows, outputs in zip(x.reshape(-1, p + 1, p), y.reshape(-1, p + 1)):
        for step in range(p):
            i = int(np.flatnonzero(rows[step + 1] != rows[step])[0])
            effects[i].append((outputs[step + 1] - outputs[step]) / (rows[step + 1, i] - rows[step, i]))
    effects = np.array(effects)
    return [*np.abs(effects).mean(axis=1), *effects.mean(axis=1), *effects.std(axis=1, ddof=1)]


def fast(x, y, harmonics=4):
    """SALib.analyze.fast: from the whole spectrum, curve by curve of x.shape[1] parameters."""
    p = x.shape[1]
    n = len(y) // p
    omega = (n - 1) // (2 * harmonics)
    omega -= omega % 2 == 0  # the design's choice; SALib's own takes even ones too
    first, total = [], []
    for i in range(p):
        spectrum = np.abs(np.fft.fft(y[i * n:(i + 1) * n])[1:math.ceil(n / 2)] / n) ** 2
        whole = 2 * spectrum.sum()
        first.append(2 * spectrum[np.arange(1, harmonics + 1) * omega - 1].sum() / whole)
        total.append(1 - 2 * spectrum[:omega // 2].sum() / whole)
    return total + first


def rbd_fast(x, y, harmonics=10):
    """SALib.analyze.rbd_fast, by the periodogram of the rearranged output."""
    n = len(y)
    result = []
    for column in x.T:
        order = np.argsort(column, kind="stable")
        rearranged = y[np.concatenate([order[::2], order[1::2][::-1]])]
        power = np.abs(np.fft.rfft(rearranged - rearranged.mean())) ** 2
        power[1:(n + 1) // 2] *= 2  # one-sided; the last of an even n stands alone
        share = power[1:harmonics + 1].sum() / power[1:].sum()
        noise = 2 * harmonics / n
        result.append(share - noise / (1 - noise) * (1 - share))
    return result


def dgsm(x, y):
    """SALib.analyze.dgsm for bounds of the inputs' smallest and largest base value rounded to whole numbers x pi."""
    p = x.shape[1]
    base, width = y[::p + 1], 2 * math.pi
    nu = [np.mean(((y[i + 1::p + 1] - base) / (x[i + 1::p + 1, i] - x[::p + 1, i])) ** 2) for i in range(p)]
    return [v * width ** 2 / (np.var(base) * math.pi ** 2) for v in nu] + nu


def density(values, points):
    """scipy.stats.gaussian_kde(values, bw_method="silverman")(points)."""
    n = len(values)
    covariance = np.var(values, ddof=1) * ((n * 3 / 4) ** (-1 / 5)) ** 2
    energy = (points[:, None] - values[None, :]) ** 2 / (2 * covariance)
    return np.exp(-energy).sum(axis=1) / (math.sqrt(2 * math.pi * covariance) * n)


def delta(x, y):
    """SALib.analyze.delta.calc_delta, of the rows as they are (SALib first draws a resample of them)."""
    n = len(y)
    exponent = 2 / (7 + math.tanh((1500 - n) / 500))
    classes = int(round(min(math.ceil(n ** exponent), 48)))
    ends = np.linspace(0, n, classes + 1)
    points = np.linspace(y.min(), y.max(), 100)
    whole = density(y, points)
    result = []
    for column in x.T:
        ranks = np.empty(n)
        ranks[np.argsort(column, kind="stable")] = np.arange(1, n + 1)
        sum_ = 0
        for low, high in zip(ends[:-1], ends[1:]):
            part = y[(ranks > low) & (ranks <= high)]
            gap = np.abs(whole - density(part, points)) if np.ptp(part) != 0 else np.abs(whole)
            sum_ += len(part) / (2 * n) * np.trapezoid(gap, points) if hasattr(np, "trapezoid") \
                else len(part) / (2 * n) * np.trapz(gap, points)
        result.append(sum_)
    return result


def distance(a, b):
    """scipy.stats.ks_2samp(a, b).statistic."""
    both = np.concatenate([a, b])
    return np.abs(np.searchsorted(np.sort(a), both, side="right") / len(a)
                  - np.searchsorted(np.sort(b), both, side="right") / len(b)).max()


def pawn(x, y, slices=10):
    """SALib.analyze.pawn, but the last slice holds the largest value too."""
    rows = []
    for column in x.T:
        ends = np.quantile(column, np.linspace(0, 1, slices + 1))
        ends[-1] = np.inf
        of_slices = [distance(y[(column >= low) & (column < high)], y)
                     for low, high in zip(ends[:-1], ends[1:]) if ((column >= low) & (column < high)).any()]
        rows.append([np.median(of_slices), np.mean(of_slices), np.min(of_slices), np.max(of_slices)])
    return np.array(rows).T.ravel()


def ranks_of(values):
    """Ranks from 1, equal values have their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]


def src(x, y):
    design = np.column_stack([np.ones(len(y)), x])
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    r2 = 1 - np.var(y - design @ solution) / np.var(y)
    return list(solution[1:] * x.std(axis=0) / y.std()) + [r2]


def srrc(x, y):
    return src(np.column_stack([ranks_of(column) for column in x.T]), ranks_of(y))


def prcc(x, y):
    """Correlation of what the other ranks leave of an input's and of the output's ranks."""
    x, y = np.column_stack([ranks_of(column) for column in x.T]), ranks_of(y)
    result = []
    for i in range(x.shape[1]):
        others = np.column_stack([np.ones(len(y)), np.delete(x, i, axis=1)])
        left = [v - others @ np.linalg.lstsq(others, v, rcond=None)[0] for v in (x[:, i], y)]
        result.append(np.corrcoef(*left)[0, 1])
    return result + [src(x, y)[-1]]


def regional(x, y):
    upper = y == y.max() if len(np.unique(y)) == 2 else y > np.sort(y)[(len(y) - 1) // 2]
    distances, directions, p_values = [], [], []
    for column in x.T:
        a, b = column[upper], column[~upper]
        n = len(a) * len(b) / (len(a) + len(b))
        d = distance(a, b)
        t = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * d
        p_values.append(2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * t * t) for k in range(1, 101)))
        distances.append(d)
        directions.append(np.sign(a[:, None] - b[None, :]).mean())
    return distances + p_values + directions


def ancova(x, y, degree=None):
    """By least squares on powers instead of orthogonal polynomials."""
    n, p = x.shape
    degree = max(1, min(8, n // 20 // p))
    scaled = 2 * (x - x.min(axis=0)) / np.ptp(x, axis=0) - 1
    terms = [np.column_stack([scaled[:, i] ** k for k in range(1, degree + 1)]) for i in range(p)]
    design = np.column_stack([np.ones(n), *terms])
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    noise = np.sum((y - design @ solution) ** 2) / (n - 1 - p * degree)
    parts = [term @ solution[1 + i * degree:1 + (i + 1) * degree] for i, term in enumerate(terms)]
    ss = n * np.var(y)
    own = [(n * np.var(part) - degree * noise) / ss for part in parts]
    whole = [(n * np.cov(part, y, bias=True)[0, 1] - degree * noise) / ss for part in parts]
    return whole + own + [a - b for a, b in zip(whole, own)] + [1 - noise * (n - 1) / ss]


def shapley(x, y):
    """All subsets, all rows, brute force; distances in 32 bits between ranks."""
    n, p = x.shape
    ranks = np.column_stack([(ranks_of(column) / n).astype(np.float32) for column in x.T])
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)

    def rest(subset):
        columns = [scaled[:, i] for i in subset] + [scaled[:, i] * scaled[:, j] for i in subset for j in subset if i <= j]
        design = np.column_stack([np.ones(n), *columns])
        left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        scale = n / (n - design.shape[1])
        if len(subset) == 1:
            order = np.argsort(x[:, subset[0]], kind="stable")
            return np.mean(np.diff(left[order]) ** 2) / 2 * scale
        sum_ = 0.0
        for row in range(n):
            far = np.zeros(n, dtype=np.float32)
            for i in subset:
                off = ranks[:, i] - ranks[row, i]
                far += off * off
            far[row] = np.inf
            turned = np.roll(far, -row - 1)
            sum_ += (left[row] - left[(row + 1 + np.argmin(turned)) % n]) ** 2 / 2
        return sum_ / n * scale

    variance = np.var(y, ddof=1)
    rests = {s: rest(s) / variance for k in range(1, p + 1) for s in itertools.combinations(range(p), k)}
    unresolved, rests[()], rests[tuple(range(p))] = rests[tuple(range(p))], 1.0, 0.0
    effects = np.zeros(p)
    for order in itertools.permutations(range(p)):
        for k, i in enumerate(order):
            effects[i] += rests[tuple(sorted(order[:k]))] - rests[tuple(sorted(order[:k + 1]))]
    effects /= math.factorial(p)
    return [*effects, *(1 - rests[(i,)] for i in range(p)),
            *(rests[tuple(j for j in range(p) if j != i)] for i in range(p)), unresolved]


def main():
    method, path = sys.argv[1:]
    numbers = np.fromfile(path)
    n, p = int(numbers[0]), int(numbers[1])
    x, y = numbers[2:2 + n * p].reshape(p, n).T, numbers[2 + n * p:]
    print(*(f"{value:.17g}" for value in globals()[method.replace("-", "_")](x, y)), sep="\n")


if __name__ == "__main__":
    main()
