"""Figures of trials: scores by arm, survival without relapse, published beside simulated."""
import re

import numpy

import ketsweep
from ketsweep import Error
from plots import style

MOST_ARMS = len(style.COLOURS)
DASHES = (0, (3, 2))


def load(path):
    data = ketsweep.open(path)
    if "observed" not in data:
        raise Error(f"{path} holds no trial; this figure is of what `ketsweep trial` writes")
    return data


def choose_arms(path, data, wanted):
    """The numbers of the wanted arms; without a wish all, if they are not too many to be told apart."""
    arms = [str(arm) for arm in data.arm.values]
    for arm in wanted or ():
        if arm not in arms:
            raise Error(f'{path} has no arm "{arm}"; it has {", ".join(arms)}')
    chosen = [arms.index(arm) for arm in wanted or arms]
    if len(chosen) > MOST_ARMS:
        raise Error(f"{path} has {len(chosen)} arms and a figure {MOST_ARMS} colours; --arm names one, several times several")
    return chosen


def weights_of(data):
    """Of the patients who take part: done in every arm."""
    return numpy.where((data.status.values == 1).all(axis=0), data.weight.values, 0.0)


# ---- scores -------------------------------------------------------------------------------------------------------------

def draw_scores(path, arms=None, width=style.COLUMN):
    """Mean observed score of each arm at baseline and visits, with both intervals."""
    data = load(path)
    weights = weights_of(data)
    figure, axes = style.begin(width, 0.75 * width)
    days = numpy.concatenate([[0], data.visit.values / 24])
    means = data.summary.sel(statistic="score_mean").values
    for colour, a in zip(style.COLOURS, choose_arms(path, data, arms)):
        start = numpy.average(data.baseline.values[a, weights > 0, 1], weights=weights[weights > 0])
        axes.plot(days, [start, *means[a]], color=colour, marker="o", markersize=2.2, label=str(data.arm.values[a]))
        draw_intervals(axes, data, a, "score_mean", days[1:], colour)
    axes.set(xlabel="time (d)", ylabel="observed MADRS (points)")
    style.legend_beside(axes)
    return figure, style.say(figure, f"{int((weights > 0).sum()):,} weighted virtual patients", intervals_in_words(data))


def bounds_of(data, name, a, statistic):
    return (data[f"{name}_{end}"].sel(statistic=statistic).values[a] for end in ("low", "high"))


def draw_intervals(axes, data, a, statistic, days, colour):
    axes.fill_between(days, *bounds_of(data, "summary", a, statistic), color=colour, alpha=0.25, linewidth=0)
    for bound in bounds_of(data, "replicate", a, statistic):
        axes.plot(days, bound, color=colour, linewidth=0.6, linestyle=DASHES)


def intervals_in_words(data):
    words = []
    if numpy.isfinite(data.summary_low).any():
        words.append("bands: 95 % by what the uncertain constants leave open")
    if numpy.isfinite(data.replicate_low).any():
        size = re.search(r"^ *trial : \{.*?\bsize = ([\d.]+)", data.attrs["config"], re.MULTILINE)
        of = f"{float(size[1]):g} patients an arm" if size else "their own size"
        words.append(f"dashed: 95 % of trials of {of}")
    return "; ".join(words)


# ---- survival -------------------------------------------------------------------------------------------------------------

def relapse_visit(data):
    """The visit from which relapse is counted: the last that is not later than trial.responders_at, else the first."""
    at = re.search(r"^ *trial : \{.*?\bresponders_at = ([\d.e+-]+)", data.attrs["config"], re.MULTILINE)
    return max(0, int((data.visit.values <= float(at[1])).sum()) - 1) if at else 0


def survive(observed, baseline, weights, start):
    """Weighted Kaplan-Meier estimate among those who respond (half of the baseline or less) at visit `start`: the share without
    relapse (above half), the weight at risk and the weight that is lost, from that visit on. What is lost between two visits
    was at risk up to the one before."""
    base, seen = baseline[:, None], observed[:, start:]
    with numpy.errstate(invalid="ignore"):
        is_responder = (seen[:, 0] <= 0.5 * baseline) & (weights > 0)
        is_relapse = seen > 0.5 * base
    is_seen = numpy.logical_and.accumulate(~numpy.isnan(seen), axis=1) & is_responder[:, None]
    has_relapsed_before = numpy.cumsum(is_relapse & is_seen, axis=1) - (is_relapse & is_seen) > 0
    at_risk = (weights[:, None] * (is_seen & ~has_relapsed_before)).sum(axis=0)
    events = (weights[:, None] * (is_seen & is_relapse & ~has_relapsed_before)).sum(axis=0)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        shares = numpy.where(at_risk > 0, 1 - events / at_risk, 1)
    lost = at_risk[:-1] - events[:-1] - at_risk[1:]
    return numpy.cumprod(shares) if is_responder.any() else numpy.full(len(shares), numpy.nan), at_risk, lost


def draw_kaplan_meier(path, arms=None, width=style.COLUMN):
    """Responders without relapse over time in each arm, and the number at risk below."""
    data = load(path)
    chosen, start = choose_arms(path, data, arms), relapse_visit(data)
    days = (data.visit.values[start:] - data.visit.values[start]) / 24
    if len(days) < 2:
        raise Error(f"{path} has one visit from response on; survival takes two (observation.visits of the configuration)")
    weights = weights_of(data)
    per_patient = (weights > 0).sum() / weights.sum()
    figure, (axes, table) = style.begin(width, 0.7 * width + 18 + 3.2 * len(chosen), 2,
                                        height_ratios=[0.62 * width, 3.2 * len(chosen) + 0.6], sharex=True)
    n_lost = 0
    for row, (colour, a) in enumerate(zip(style.COLOURS, chosen)):
        survival, at_risk, lost = survive(data.observed.values[a], data.baseline.values[a, :, 1], weights, start)
        axes.plot(days, survival, color=colour, drawstyle="steps-post", label=str(data.arm.values[a]))
        draw_survival_intervals(axes, data, a, start, days, colour)
        is_marked = lost > 1e-9
        n_lost += lost.sum() * per_patient
        axes.plot(days[:-1][is_marked], survival[:-1][is_marked], "|", color=colour, markersize=4)
        step = -(-len(days) // 12)  # more would touch
        for day, n in zip(days[::step], at_risk[::step] * per_patient):
            table.text(day, -row, f"{n:.0f}", color=colour, ha="center", va="center", fontsize=5.5)
    axes.set(ylim=(0, 1.03), ylabel="without relapse (share of responders)", xlabel=f"time since response, from the "
             f"visit at {data.visit.values[start]:g} h on (d)", xlim=(-0.02 * days[-1], 1.02 * days[-1]))
    axes.xaxis.label.set_visible(True)
    axes.tick_params(labelbottom=True)
    style.legend_beside(axes)
    write_table(table, data, chosen)
    marks = "ticks: patients lost" if n_lost > 0.5 else ""
    return figure, style.say(figure, f"at risk by weight, of {int((weights > 0).sum()):,} virtual patients", marks,
                             intervals_in_words(data))


def draw_survival_intervals(axes, data, a, start, days, colour):
    """They begin at 1, where nobody has relapsed."""
    def from_one(bounds):
        return [numpy.concatenate([[1], bound[start + 1:]]) for bound in bounds]

    low, high = from_one(bounds_of(data, "summary", a, "relapse_free"))
    if numpy.isfinite(low[1:]).any():
        axes.fill_between(days, low, high, color=colour, alpha=0.25, linewidth=0, step="post")
    for bound in from_one(bounds_of(data, "replicate", a, "relapse_free")):
        if numpy.isfinite(bound[1:]).any():
            axes.plot(days, bound, color=colour, linewidth=0.6, linestyle=DASHES, drawstyle="steps-post")


def write_table(table, data, chosen):
    table.set(ylim=(0.4 - len(chosen), 0.6))
    table.set_yticks([-row for row in range(len(chosen))], [str(data.arm.values[a]) for a in chosen])
    for label, colour in zip(table.get_yticklabels(), style.COLOURS):
        label.set_color(colour)
    table.set_title("number at risk", loc="left", fontsize=6, pad=2)
    table.tick_params(length=0, labelbottom=False, labelsize=5.5)
    for spine in table.spines.values():
        spine.set_visible(False)


# ---- published beside simulated --------------------------------------------------------------------------------------------

TARGET = re.compile(r"(?P<id>.*?): (?P<kind>\w+) of (?P<measure>\S+)(?: in (?P<arm>.*?))?(?: minus (?P<other>.*))?")


class Target:
    """A row of the validation: a published number and what trials of its size show."""

    def __init__(self, path, data, k):
        self.text = str(data.target.values[k])
        parts = TARGET.fullmatch(self.text)
        if parts is None:
            raise Error(f'{path}: the target "{self.text}" is of no known form')
        for name, value in parts.groupdict().items():
            setattr(self, name, value)
        self.use = str(data.target_use.values[k])
        self.n, self.value, self.low, self.high, self.simulated = (
            float(data[name].values[k]) for name in ("target_n", "target_value", "target_value_low", "target_value_high", "simulated"))
        self.constants, self.trials = ([float(data[f"{name}_{end}"].values[k]) for end in ("low", "high")]
                                       for name in ("simulated", "simulated_trial"))
        units = dict(zip(data.endpoint.values, data.endpoint_unit.values)) if "endpoint" in data.coords else {}
        units.update(zip(data.trait.values, data.trait_unit.values) if "trait" in data.coords else ())
        self.unit = str(units.get(self.measure, "1"))

    @property
    def axis(self):
        """What it shares an axis with: the quantity and the unit."""
        if self.kind == "effect_size":
            return "effect size (standard deviations)"
        if self.kind == "correlation":
            return "correlation (no unit)"
        if self.kind == "median_relapse":
            return "median time to relapse (d)"
        if self.kind == "quantile" or self.unit == "0 or 1":
            return "share of patients (of 1)"
        what = "change" if "change" in self.measure or self.kind == "difference" else "score or measure"
        return f"{what} ({style.UNITS.get(self.unit, self.unit)})"

    @property
    def name(self):
        source = re.sub(r"^([a-z]+)(\d{4})", lambda found: f"{found[1].capitalize()} {found[2]}", self.id)
        kind = "" if self.kind in ("mean", "effect_size") else f"{self.kind.replace('_', ' ')} of "
        where = "" if self.arm is None else f", {self.arm}" + (f" minus {self.other}" if self.other else "")
        n = f", n = {self.n:g}" if numpy.isfinite(self.n) else ""
        return f"{source}: {kind}{style.words(self.measure)}{where}{n}"

    @property
    def is_missed(self):
        """Whether trials of its size would not show it; None where that is not known."""
        return None if numpy.isnan(self.trials).any() else not self.trials[0] <= self.value <= self.trials[1]


def draw_validation(paths, width=style.PAGE):
    """A forest of published numbers (diamonds) beside simulated ones, in a panel for each unit."""
    targets = [Target(path, data, k) for path, data in ((path, load(path)) for path in paths)
               for k in range(data.sizes.get("target", 0))]
    if not targets:
        raise Error(f"{', '.join(map(str, paths))}: no targets to compare with (section targets of the configuration)")
    panels = {}
    for target in sorted(targets, key=lambda t: (t.use, t.id)):
        panels.setdefault(target.axis, []).append(target)
    rows = [len(panel) + 0.4 for panel in panels.values()]
    figure, axes = style.begin(width, 4.6 * sum(rows) + 10 * len(panels) + 16, len(panels), height_ratios=rows, squeeze=False)
    for panel, (axis, chosen) in zip(axes[:, 0], panels.items()):
        draw_forest(panel, chosen)
        panel.set_xlabel(axis)
    axes[0, 0].legend(handles=legend_of(targets), loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    n_known, n_missed = (sum(t.is_missed in of for t in targets) for of in ((True, False), (True,)))
    return figure, style.say(figure, f"{len(targets)} rows of {len(paths)} trial{'s' * (len(paths) != 1)}; {n_missed} of {n_known} lie "
                             "outside of what trials of their size would show (orange, ×)", "Calibration rows chose patients or "
                             "constants, validation rows did not" if {t.use for t in targets} - {"validation"} else "")


def draw_forest(axes, targets):
    for row, t in enumerate(reversed(targets)):
        colour = style.COLOURS[1] if t.is_missed else style.COLOURS[0]
        axes.plot(t.trials, [row - 0.14] * 2, color=colour, linewidth=0.8)
        axes.plot(t.constants, [row - 0.14] * 2, color=colour, linewidth=2.6, alpha=0.5, solid_capstyle="butt")
        axes.plot(t.simulated, row - 0.14, "o", color=colour, markersize=3.2,
                  markerfacecolor=colour if t.use == "validation" else "white")
        axes.plot([t.low, t.high], [row + 0.2] * 2, color="black", linewidth=0.8)
        axes.plot(t.value, row + 0.2, "D", color="black", markersize=2.6)
        if t.is_missed:
            axes.annotate("×", (1, row), (3, 0), xycoords=("axes fraction", "data"), textcoords="offset points", color=colour,
                          va="center", annotation_clip=False)
    axes.set_yticks(range(len(targets)), [t.name for t in reversed(targets)])
    axes.set_ylim(-0.7, len(targets) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.3, color="0.85")
    axes.set_axisbelow(True)


def legend_of(targets):
    def line(words, **options):
        return style.plt.Line2D([], [], **{"color": style.COLOURS[0], "linestyle": "none", **options}, label=words)

    handles = [line("published, with its interval where one is given", marker="D", markersize=2.6, color="black"),
               line("95 % of trials of its size", linestyle="-", linewidth=0.8),
               line("95 % by uncertain constants", linestyle="-", linewidth=2.6, alpha=0.5)]
    uses = {t.use for t in targets}
    if "validation" in uses:
        handles.append(line("simulated: validation", marker="o", markersize=3.2))
    if "calibration" in uses:
        handles.append(line("simulated: calibration", marker="o", markersize=3.2, markerfacecolor="white"))
    return handles
