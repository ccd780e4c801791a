"""Figures of a campaign's points: response surface, dose and response, courses over time."""
import numpy
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from ketsweep import Error
from plots import style
from plots.choice import LEAST, PRIMARY, choose, load, most_influential, names_of, need_values

MOST_LEVELS = 20  # values of a variable that are shown one by one
RESPONSES = ("responded", "response_end", "response_28d", "response_7d", "response_24h")


# ---- response surface ------------------------------------------------------------------------------------------------------

def draw_surface(path, endpoint=None, x=None, y=None, width=style.COLUMN):
    """The mean of an endpoint over two parameters."""
    listed = names_of(path)
    endpoint = choose(path, "endpoint", listed["endpoints"], endpoint, PRIMARY)
    parameters = listed["parameters"]
    for name in (x, y):
        if name is not None:
            choose(path, "parameter", parameters, name)
    if len(parameters) < 2:
        raise Error(f"{path} varies {len(parameters)} parameter{'s' * (len(parameters) != 1)}; a surface needs two")
    if x is not None and x == y:
        raise Error(f'x and y are both "{x}"; a surface needs two parameters')
    free = [name for name in most_influential(path, endpoint, parameters) if name not in (x, y)]
    x = x or free.pop(0)
    y = y or free.pop(0)
    data, notes = load(path, x, y, endpoint)
    need_values(path, data, x, y)
    a, b, z = (data[name].values for name in (x, y, endpoint))
    figure, axes = style.begin(width, 0.82 * width)
    n_levels = [len(numpy.unique(values)) for values in (a, b)]
    if max(n_levels) <= MOST_LEVELS and n_levels[0] * n_levels[1] <= len(z):
        mesh, spread = draw_cells(axes, a, b, z)
    else:
        mesh, spread = draw_smooth(axes, a, b, z, (0, 1) if style.is_share(data[endpoint]) else (-numpy.inf, numpy.inf))
    axes.set(xlabel=style.label_of(data[x]), ylabel=style.label_of(data[y]))
    figure.colorbar(mesh, ax=axes, label=label_of_mean(data[endpoint], "mean "), pad=0.02, ticks=MaxNLocator(7))
    around = "" if style.is_share(data[endpoint]) else (
        f", which scatter around the mean with a standard deviation of {style.quantity(spread, data[endpoint].units)}")
    return figure, style.say(figure, f"{len(z):,} simulations{around}", *notes)


def label_of_mean(variable, what=""):
    return f"share with {style.label(variable.name, 'of 1')}" if style.is_share(variable) else what + style.label_of(variable)


def draw_cells(axes, a, b, z):
    """Each pair of values is a cell; blank where no point is."""
    levels = [numpy.unique(values) for values in (a, b)]
    i, j = (numpy.searchsorted(level, values) for level, values in zip(levels, (a, b)))
    shape = len(levels[1]), len(levels[0])
    count, total = (numpy.zeros(shape) for _ in range(2))
    numpy.add.at(count, (j, i), 1)
    numpy.add.at(total, (j, i), z)
    with numpy.errstate(invalid="ignore"):
        means = total / count
    mesh = axes.pcolormesh(range(shape[1] + 1), range(shape[0] + 1), means, cmap=style.MAP, edgecolors="white", linewidth=0.3)
    for axis, level in zip((axes.xaxis, axes.yaxis), levels):
        step = -(-len(level) // 10)
        axis.set_ticks(numpy.arange(len(level))[::step] + 0.5, [f"{value:g}" for value in level[::step]])
    return mesh, numpy.std(z - means[j, i])


def draw_smooth(axes, a, b, z, limits):
    """Local linear regression; blank where it would stand on fewer than 10 points."""
    edges = [trim(values) for values in (a, b)]
    x, y, means = smooth(a, b, z, *edges)
    means = numpy.clip(means, *limits)  # a straight line through shares may leave them
    if not numpy.isfinite(means).any():
        raise Error(f"{len(z)} simulations are too few for a surface: at no place are {LEAST} near")
    lowest, highest = numpy.nanmin(means), numpy.nanmax(means)
    is_flat = not highest - lowest > 1e-9 * max(abs(lowest), abs(highest), 1e-300)
    if is_flat:
        lowest, highest = lowest - 1, highest + 1
    mesh = axes.contourf(x, y, means, numpy.linspace(lowest, highest, 33), cmap=style.MAP, zorder=0.5)
    for part in [mesh] if hasattr(mesh, "set_edgecolor") else mesh.collections:
        part.set_edgecolor("face")  # no white lines between colours in PDF
    if not is_flat:
        lines = axes.contour(x, y, means, MaxNLocator(7).tick_values(lowest, highest), colors="white", linewidths=0.5,
                             linestyles="solid")
        for text in axes.clabel(lines, fontsize=5.5, fmt="%.3g"):
            text.set_path_effects([withStroke(linewidth=1, foreground="0.3")])
    axes.set(xlim=edges[0], ylim=edges[1])
    i, j = (numpy.rint((values - places[0]) / (places[1] - places[0])) for values, places in ((a, x), (b, y)))
    is_in = (i >= 0) & (i < len(x)) & (j >= 0) & (j < len(y))
    return mesh, numpy.nanstd(z[is_in] - means[j[is_in].astype(int), i[is_in].astype(int)])


def trim(values):
    """The middle 98 % of the values: the tails of a distribution are blank all the same."""
    low, high = numpy.quantile(values, [0.01, 0.99])
    return (low, high) if high > low else (values.min() - 0.5, values.max() + 0.5)


def smooth(a, b, z, x_range, y_range, n_cells=200, n_places=61):
    """Local linear regression of z on (a, b) by a Gaussian kernel over cells, which keeps a million points quick."""
    places, kernels = [], []
    for values, (low, high) in ((a, x_range), (b, y_range)):
        edges = numpy.linspace(values.min(), values.max(), n_cells + 1)
        cells = (edges[1:] + edges[:-1]) / 2
        place = numpy.linspace(low, high, n_places)
        bandwidth = max(1.25 * numpy.std(values) * len(z) ** (-1 / 6), 1e-12)
        distance = (cells - place[:, None]) / bandwidth
        kernel = numpy.exp(-distance ** 2 / 2)
        places.append(place)
        kernels.append((edges, [kernel, kernel * distance, kernel * distance ** 2]))
    bins = [edges for edges, _ in kernels]
    count = numpy.histogram2d(a, b, bins)[0]
    total = numpy.histogram2d(a, b, bins, weights=z)[0]

    def moment(table, i, j):
        return kernels[0][1][i] @ table @ kernels[1][1][j].T

    s = {(i, j): moment(count, i, j) for i in range(3) for j in range(3) if i + j <= 2}
    t = [moment(total, 0, 0), moment(total, 1, 0), moment(total, 0, 1)]
    left = numpy.array([[s[0, 0], s[1, 0], s[0, 1]], [s[1, 0], s[2, 0], s[1, 1]], [s[0, 1], s[1, 1], s[0, 2]]])
    left = numpy.moveaxis(left, (0, 1), (2, 3)) + 1e-9 * numpy.maximum(s[0, 0], 1)[..., None, None] * numpy.eye(3)
    means = numpy.linalg.solve(left, numpy.moveaxis(numpy.array(t), 0, 2)[..., None])[..., 0, 0]
    means[s[0, 0] < LEAST] = numpy.nan
    return places[0], places[1], means.T


# ---- dose and response -------------------------------------------------------------------------------------------------------

def draw_dose_response(path, endpoint=None, x=None, by=None, width=style.COLUMN):
    """An endpoint over a parameter: medians with 95 % intervals and the middle 80 % of the points, or shares."""
    listed = names_of(path)
    endpoint = choose(path, "endpoint", listed["endpoints"], endpoint, PRIMARY)
    parameters = listed["parameters"]
    best = "infusion_dose" if "infusion_dose" in parameters else next(iter(most_influential(path, endpoint, parameters)), None)
    x = choose(path, "parameter", parameters, x, best)
    if by is not None:
        choose(path, "parameter or endpoint", parameters + listed["endpoints"], by)
    data, notes = load(path, x, endpoint, *([by] if by else []))
    need_values(path, data, x)
    figure, axes = style.begin(width, 0.75 * width)
    is_share, groups = style.is_share(data[endpoint]), split(data, by)
    for colour, (name, chosen) in zip(style.COLOURS, groups):
        draw_middle(axes, data[x].values[chosen], data[endpoint].values[chosen], is_share, colour, name, len(groups) > 1)
    if is_share:
        axes.set_ylim(0, 1)
    axes.set(xlabel=style.label_of(data[x]), ylabel=label_of_mean(data[endpoint]))
    if by:
        style.legend_beside(axes, title=style.label_of(data[by]))
    meaning = "shares with 95 % intervals (Wilson)" if is_share else "medians with 95 % intervals; bands: the middle 80 %"
    return figure, style.say(figure, f"{len(data.point):,} simulations; {meaning}", *notes)


def split(data, by, n_parts=3):
    """(what is said of it, which points) of a variable's values, or of its thirds."""
    if by is None:
        return [(None, numpy.ones(len(data.point), bool))]
    values, unit = data[by].values, data[by].units
    levels = numpy.unique(values)
    if unit == "0 or 1":
        return [("no" if level == 0 else "yes", values == level) for level in levels]
    if len(levels) <= 4:
        return [(f"{level:g}", values == level) for level in levels]
    edges = numpy.quantile(values, numpy.linspace(0, 1, n_parts + 1))
    part = numpy.clip(numpy.searchsorted(edges, values, side="right") - 1, 0, n_parts - 1)
    return [(f"{edges[i]:.3g} to {edges[i + 1]:.3g}", part == i) for i in range(n_parts) if (part == i).any()]


def parts_of(x):
    """Points by the value of x, or by parts of equal count: their middles, and which part each is in."""
    levels = numpy.unique(x)
    if len(levels) <= MOST_LEVELS:
        return levels, numpy.searchsorted(levels, x)
    n_parts = int(numpy.clip(len(x) // 40, 4, MOST_LEVELS))
    part = numpy.empty(len(x), int)
    part[numpy.argsort(x, kind="stable")] = numpy.arange(len(x)) * n_parts // len(x)
    return numpy.array([numpy.median(x[part == i]) for i in range(n_parts)]), part


def draw_middle(axes, x, y, is_share, colour, name, is_one_of_many):
    middles, part = parts_of(x)
    of_parts = [numpy.sort(y[part == i]) for i in range(len(middles))]
    summaries = numpy.array([summarise_share(p) if is_share else summarise(p) for p in of_parts])
    is_drawn = numpy.array([len(p) >= LEAST for p in of_parts])
    middles, (value, low, high, bottom, top) = middles[is_drawn], summaries[is_drawn].T
    if not is_share:
        axes.fill_between(middles, bottom, top, color=colour, alpha=0.1 if is_one_of_many else 0.18, linewidth=0)
    axes.errorbar(middles, value, [value - low, high - value], color=colour, marker="o", markersize=2.2, elinewidth=0.7,
                  capsize=1.2, capthick=0.7, label=name)


def summarise(y):
    """Median, its 95 % interval by order statistics, and the middle 80 %; of sorted values."""
    n = len(y)
    half = 0.98 * numpy.sqrt(n)  # 1.96 standard deviations of a binomial count with probability 1/2
    low, high = (y[int(numpy.clip(place, 0, n - 1))] for place in (numpy.floor(n / 2 - half), numpy.ceil(n / 2 + half) - 1))
    return [numpy.median(y), low, high, *numpy.quantile(y, [0.1, 0.9])]


def summarise_share(y):
    """A share and Wilson's 95 % interval."""
    n, p, z2 = len(y), numpy.mean(y), 1.96 ** 2
    centre, half = p + z2 / (2 * n), 1.96 * numpy.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return [p, (centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n), numpy.nan, numpy.nan]


# ---- courses -------------------------------------------------------------------------------------------------------------------

def draw_trajectories(path, state=None, by=None, width=style.COLUMN):
    """Median, middle half and middle 80 % of a state over time, of all points or by response."""
    listed = names_of(path)
    if not listed["states"]:
        raise Error(f"{path} holds no trajectories; output.trajectories of the configuration asks for them")
    state = choose(path, "state", listed["states"], state, "madrs")
    by = by or next((name for name in RESPONSES if name in listed["endpoints"]), None)
    if by is not None:
        choose(path, "parameter or endpoint", listed["parameters"] + listed["endpoints"], by)
    key = f"{state}_over_time" if state in listed["endpoints"] else state
    data, notes = load(path, key, *([by] if by else []))
    if data.sizes["time"] == 1:
        raise Error(f"{path} holds one time of {state}; a course takes two (output.trajectories of the configuration)")
    figure, axes = style.begin(width, 0.75 * width)
    in_days = float(data.time[-1]) > 72
    times = data.time.values / (24 if in_days else 1)
    for colour, (name, chosen) in zip(style.COLOURS, split(data, by)):
        low, left, middle, right, high = numpy.nanquantile(data[key].values[chosen], [0.1, 0.25, 0.5, 0.75, 0.9], axis=0)
        axes.fill_between(times, low, high, color=colour, alpha=0.13, linewidth=0)
        axes.fill_between(times, left, right, color=colour, alpha=0.22, linewidth=0)
        axes.plot(times, middle, color=colour, label=f"{name} ({chosen.sum():,})" if name else None)
    axes.set(xlabel=f"time ({'d' if in_days else 'h'})", ylabel=style.label(state, data[key].units), xlim=(times[0], times[-1]))
    if by:
        style.legend_beside(axes, title=style.label_of(data[by]))
    return figure, style.say(figure, f"{len(data.point):,} simulations; medians, the middle half and the middle 80 %", *notes)
