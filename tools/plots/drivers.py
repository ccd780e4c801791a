"""Figures of sensitivity indices: the tornado of one endpoint, and the overview of all."""
import numpy

import ketsweep
from ketsweep import Error
from plots import style
from plots.choice import MAIN, PRIMARY, choose
from plots.style import COLOURS, plt

MOST_TORNADOS, MOST_BARS, MOST_STATES, MOST_LINES = 6, 15, 4, 7
SHARES = ("ST", "S1", "Shapley", "S")
JUDGED = ("D", "M")
HATCHED = "hatched: ranges judged or fitted (grades D, M)"


class Indices:
    """The indices of one method, as /sensitivity/METHOD has them."""

    def __init__(self, path, method):
        table = self.table = ketsweep.indices(path, method)
        self.method = table.attrs["method"]
        self.parameters, self.grades = list(table.parameter.values), list(table.grade.values)
        self.endpoints = list(table.endpoint.values) if "endpoint" in table.coords else []
        self.states = list(table.state.values) if "trajectories_variance" in table else []
        self.days = table.time.values / 24 if self.states else None
        prefix = "" if self.endpoints else "trajectories_"
        self.names = [name[len(prefix):] for name in table if name.startswith(prefix) and f"{name}_low" in table
                      and table[name].dims[-1] == "parameter" and not name[len(prefix):].startswith(("traj", "gener"))]
        self.name = next((name for name in MAIN if name in self.names), self.names[0])
        self.is_share = self.name in SHARES
        self.unit = "share of variance" if self.is_share else "no unit"

    def of(self, name):
        """The values of an index, and the ends of their intervals."""
        return tuple(self.table[name + end].values for end in ("", "_low", "_high"))

    def meaning(self, name):
        return self.table[name].attrs.get("long_name", name).split(":")[0]


def failures(table):
    if not table.attrs["n_points_failed"]:
        return ""
    condition = f" and are left out; indices {table.attrs['condition']}" if table.attrs["condition"] else ""
    return f"{table.attrs['n_points_failed']:,} of {table.attrs['n_points']:,} simulations failed{condition}"


def draw_bars(axes, indices, name, e, order, place, height, colour):
    """One index of an endpoint with 95 % intervals; hatched and pale where the range is judged."""
    values, lows, highs = (part[e] for part in indices.of(name))
    for row, i in enumerate(order):
        is_judged = indices.grades[i] in JUDGED
        bar = axes.barh(row + place, values[i], height, color=colour, alpha=0.35 if is_judged else 0.9,
                        label=name if row == 0 else None)
        if is_judged:
            bar[0].set_hatch("////")
        axes.plot([lows[i], highs[i]], [row + place] * 2, color="black", linewidth=0.8)
    axes.axvline(0, color="0.6", linewidth=0.6)


def graded(name, grade):
    return name if grade == "-" else f"{name} ({grade})"


def order_of(indices, e, n_bars):
    """The largest last, as bars go up."""
    return numpy.argsort(-abs(numpy.nan_to_num(indices.of(indices.name)[0][e])), kind="stable")[:n_bars][::-1]


# ---- one endpoint ---------------------------------------------------------------------------------------------------------

def draw_tornado(path, endpoint=None, method=None, top=MOST_BARS, width=style.COLUMN):
    """Total and first order where there are both, else the main index; 95 % intervals."""
    indices = Indices(path, method)
    endpoint = choose(path, "endpoint", indices.endpoints, endpoint, PRIMARY)
    if top < 1:
        raise Error(f"--top is {top}; 1 is the least")
    e = indices.endpoints.index(endpoint)
    if not numpy.isfinite(indices.of(indices.name)[0][e]).any():
        raise Error(f"{endpoint} does not vary in {path}; it has no indices")
    order = order_of(indices, e, top)
    names = [name for name in ("ST", "S1") if name in indices.names] if indices.name == "ST" else [indices.name]
    figure, axes = style.begin(width, 18 + 4.6 * len(order))
    height = 0.8 / len(names)
    for k, name in enumerate(names):
        draw_bars(axes, indices, name, e, order, (len(names) - 1) * height / 2 - k * height, height, COLOURS[k])
    axes.set_yticks(range(len(order)), [graded(style.words(indices.parameters[i]), indices.grades[i]) for i in order])
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel=f"{' and '.join(names)} ({indices.unit})", title=style.words(endpoint), ylim=(-0.6, len(order) - 0.4))
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[k], alpha=0.9) for k in range(len(names))]
    axes.legend(handles, [f"{name}: {indices.meaning(name)}" for name in names], loc="lower right")
    left_out = len(indices.parameters) - len(order)
    return figure, style.say(figure, f"by {indices.method}, 95 % intervals; in brackets the evidence for the range; {HATCHED}",
                             f"{left_out} parameters with smaller indices are not shown" if left_out else "",
                             failures(indices.table))


# ---- all of them -----------------------------------------------------------------------------------------------------------

def draw_panel(axes, indices, e):
    order = order_of(indices, e, MOST_BARS)
    draw_bars(axes, indices, indices.name, e, order, 0, 0.8, COLOURS[0])
    axes.set_yticks(range(len(order)), [graded(indices.parameters[i], indices.grades[i]) for i in order])
    axes.set(title=indices.endpoints[e], xlabel=f"{indices.name} ({indices.unit})")
    lows = indices.of(indices.name)[1][e]
    if indices.is_share:
        axes.set_xlim(min(0, numpy.nanmin(lows) if numpy.isfinite(lows).any() else 0), None)


def draw_map(figure, axes, indices):
    values = indices.of(indices.name)[0]
    if not indices.is_share:
        largest = numpy.nan_to_num(numpy.abs(values)).max(axis=1)
        values = values / numpy.where(largest > 0, largest, numpy.nan)[:, None]  # of an endpoint that does not vary: nothing
    order = numpy.argsort(-numpy.nan_to_num(numpy.abs(values)).max(axis=0))
    image = axes.imshow(values[:, order].T, aspect="auto", cmap=style.MAP, vmin=min(0, numpy.nan_to_num(values).min()), vmax=1)
    axes.set_xticks(range(len(indices.endpoints)), indices.endpoints, rotation=45, ha="right")
    axes.set_yticks(range(len(order)), [indices.parameters[i] for i in order])
    axes.set_title(indices.name if indices.is_share else f"{indices.name}, of each endpoint's largest")
    figure.colorbar(image, ax=axes, shrink=0.8, label=f"{indices.name} ({indices.unit})")


def draw_course(axes, indices, s):
    values, lows, highs = (part[:, s] for part in indices.of(f"trajectories_{indices.name}"))
    order = numpy.argsort(-numpy.nan_to_num(numpy.abs(values)).max(axis=0))[:MOST_LINES]
    for colour, i in zip(COLOURS, order):
        axes.plot(indices.days, values[:, i], color=colour, label=indices.parameters[i])
        axes.fill_between(indices.days, lows[:, i], highs[:, i], color=colour, alpha=0.15, linewidth=0)
    axes.set(title=f"{indices.states[s]} over time", xlabel="time (d)", ylabel=f"{indices.name} ({indices.unit})")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


def draw_overview(path, endpoint=None, method=None):
    """For up to six endpoints (or the one named) a tornado; a map of parameters by endpoints; indices of states over time."""
    indices = Indices(path, method)
    if endpoint is not None and endpoint not in indices.endpoints:
        raise Error(f'{path} has no endpoint "{endpoint}"; it has {", ".join(indices.endpoints)}')
    if not any(numpy.isfinite(indices.table[name]).any() for name in indices.table if f"{name}_low" in indices.table):
        raise Error(f"nothing varies in {path} that has an index")
    chosen = [indices.endpoints.index(endpoint)] if endpoint else range(len(indices.endpoints))[:MOST_TORNADOS]
    panels = [(draw_panel, e) for e in chosen]
    panels += [(draw_course, s) for s in range(min(len(indices.states), MOST_STATES))]
    has_map = len(indices.endpoints) > 1
    n_columns = min(3, len(panels))
    n_rows = -(-len(panels) // n_columns) + has_map
    style.prepare()
    figure = plt.figure(figsize=(4.6 * n_columns, 3.4 * n_rows), layout="constrained")
    grid = figure.add_gridspec(n_rows, n_columns)
    for k, (draw, what) in enumerate(panels):
        draw(figure.add_subplot(grid[k // n_columns, k % n_columns]), indices, what)
    if has_map:
        draw_map(figure, figure.add_subplot(grid[n_rows - 1, :]), indices)
    return figure, style.say(figure, f"by {indices.method}, 95 % intervals; {HATCHED}", failures(indices.table))
