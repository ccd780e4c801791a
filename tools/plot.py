#!/usr/bin/env python3
"""Draws what an analysis found.

    tools/plot.py sensitivity FILE [-o fig.pdf] [--method NAME] [--endpoint NAME]

One page: for each of up to six endpoints (or the one named) a tornado with 95 % intervals, a heat map of parameters by
endpoints, and where states were stored, their indices over time. Hatched bars stand for parameters whose range is judged or
fitted rather than read in a paper (grades D, M). The format follows the name: pdf, svg, png.
"""
import argparse
import pathlib
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # colour-blind safe
MOST_TORNADOS, MOST_BARS, MOST_STATES, MOST_LINES = 6, 15, 4, 7
MAIN = ("ST", "Shapley", "mu_star", "bound", "delta", "S1", "S")  # what bars and maps show: the first that there is
JUDGED = ("D", "M")


class Indices:
    """The indices of one method, as /sensitivity/METHOD has them."""

    def __init__(self, file, method):
        group = file["sensitivity"][method]
        self.method = method
        self.words = group.attrs["long_name"]
        self.condition = group.attrs["condition"]
        self.parameters = list(file["parameter"].asstr())
        self.grades = list(group["grade"].asstr())
        self.endpoints = list(file["endpoint"].asstr()) if "endpoint" in file else []
        self.states = list(file["state"].asstr()) if "trajectories_variance" in group else []
        self.days = file["time"][:] / 24 if self.states else None
        prefix = "" if self.endpoints else "trajectories_"
        of_parameters = [n[len(prefix):] for n in group if n.startswith(prefix) and f"{n}_low" in group
                         and group[n].shape[-1] == len(self.parameters) and not n[len(prefix):].startswith(("traj", "gener"))]
        self.name = next((n for n in MAIN if n in of_parameters), of_parameters[0])
        self.values, self.lows, self.highs = (
            group[self.name + end][:] if self.endpoints else None for end in ("", "_low", "_high"))
        if self.states:
            self.courses, self.course_lows, self.course_highs = (
                group[f"trajectories_{self.name}{end}"][:] for end in ("", "_low", "_high"))
        self.is_share = self.name in ("ST", "S1", "Shapley", "S")


def draw_tornado(axes, indices, e):
    values = indices.values[e]
    order = numpy.argsort(-numpy.abs(numpy.nan_to_num(values)))[:MOST_BARS][::-1]
    for place, i in enumerate(order):
        bar = axes.barh(place, values[i], color=COLOURS[0], alpha=0.35 if indices.grades[i] in JUDGED else 0.9)
        if indices.grades[i] in JUDGED:
            bar[0].set_hatch("////")
        axes.plot([indices.lows[e, i], indices.highs[e, i]], [place, place], color="black", linewidth=1)
    axes.set_yticks(range(len(order)), [f"{indices.parameters[i]} ({indices.grades[i]})" for i in order], fontsize=7)
    axes.set(title=indices.endpoints[e], xlabel=indices.name)
    axes.axvline(0, color="0.6", linewidth=0.6)
    if indices.is_share:
        axes.set_xlim(min(0, numpy.nanmin(indices.lows[e]) if numpy.isfinite(indices.lows[e]).any() else 0), None)


def draw_map(figure, axes, indices):
    values = indices.values if indices.is_share else indices.values / numpy.nanmax(numpy.abs(indices.values), axis=1)[:, None]
    order = numpy.argsort(-numpy.nan_to_num(numpy.abs(values)).max(axis=0))
    image = axes.imshow(values[:, order].T, aspect="auto", cmap="viridis", vmin=min(0, numpy.nanmin(values)), vmax=1)
    axes.set_xticks(range(len(indices.endpoints)), indices.endpoints, rotation=45, ha="right", fontsize=6)
    axes.set_yticks(range(len(order)), [indices.parameters[i] for i in order], fontsize=6)
    axes.set_title(indices.name if indices.is_share else f"{indices.name}, of each endpoint's largest")
    figure.colorbar(image, ax=axes, shrink=0.8)


def draw_course(axes, indices, s):
    values = indices.courses[:, s]
    order = numpy.argsort(-numpy.nan_to_num(numpy.abs(values)).max(axis=0))[:MOST_LINES]
    for colour, i in zip(COLOURS, order):
        axes.plot(indices.days, values[:, i], color=colour, label=indices.parameters[i])
        axes.fill_between(indices.days, indices.course_lows[:, s, i], indices.course_highs[:, s, i], color=colour,
                          alpha=0.15, linewidth=0)
    axes.set(title=f"{indices.states[s]} over time", xlabel="days", ylabel=indices.name)
    axes.legend(frameon=False, fontsize=6)


def draw(indices, endpoint):
    chosen = list(range(len(indices.endpoints)))[:MOST_TORNADOS] if endpoint is None else [indices.endpoints.index(endpoint)]
    panels = [(draw_tornado, e) for e in chosen]
    panels += [(draw_course, s) for s in range(min(len(indices.states), MOST_STATES))]
    has_map = len(indices.endpoints) > 1
    n_columns = min(3, len(panels))
    n_rows = -(-len(panels) // n_columns) + has_map
    figure = plt.figure(figsize=(4.6 * n_columns, 3.4 * n_rows), layout="constrained")
    grid = figure.add_gridspec(n_rows, n_columns)
    for k, (draw_panel, what) in enumerate(panels):
        draw_panel(figure.add_subplot(grid[k // n_columns, k % n_columns]), indices, what)
    if has_map:
        draw_map(figure, figure.add_subplot(grid[n_rows - 1, :]), indices)
    condition = f"; {indices.condition}" if indices.condition else ""
    figure.suptitle(f"{indices.method}{condition}. Hatched: ranges judged or fitted (grades D, M)", fontsize=9)
    return figure


def plot_sensitivity(arguments):
    with h5py.File(arguments.file, "r") as file:
        methods = list(file.get("sensitivity", []))
        if not methods:
            sys.exit(f"{arguments.file} holds no indices; `ketsweep sensitivity {arguments.file}` computes them")
        method = arguments.method or methods[0]
        if method not in methods:
            sys.exit(f"{arguments.file} has no indices of \"{method}\"; it has {', '.join(methods)}")
        indices = Indices(file, method)
    if arguments.endpoint is not None and arguments.endpoint not in indices.endpoints:
        sys.exit(f"{arguments.file} has no endpoint \"{arguments.endpoint}\"; it has {', '.join(indices.endpoints)}")
    output = arguments.output or f"{pathlib.Path(arguments.file).stem}-{method}.pdf"
    draw(indices, arguments.endpoint).savefig(output)
    print(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    sensitivity = commands.add_parser("sensitivity", help="indices: tornado, heat map, courses")
    sensitivity.add_argument("file")
    sensitivity.add_argument("-o", "--output")
    sensitivity.add_argument("--method", help="default: the first that the file holds")
    sensitivity.add_argument("--endpoint", help="one tornado instead of six")
    sensitivity.set_defaults(run=plot_sensitivity)
    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "hatch.linewidth": 0.4})
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
