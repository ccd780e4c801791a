"""How every figure looks: sizes, colours, names with units, notes, and how it is written."""
import pathlib
import re
import textwrap

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402
from ketsweep import Error  # noqa: E402

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe and Ito: colour-blind safe
MAP = "cividis"
COLUMN, PAGE = 89, 183  # mm, of one and two columns of a journal
NOTE = 5.5              # points
WORDS = {"madrs": "MADRS", "cadss": "CADSS", "bdnf": "BDNF", "trkb": "TrkB", "mtorc1": "mTORC1", "eef2k": "eEF2K", "nmda": "NMDA",
         "nmdar": "NMDAR", "ampa": "AMPA", "dmn": "DMN", "il6": "IL-6", "tnf": "TNF", "auc": "AUC", "cmax": "$C_{max}$",
         "ki": "$K_i$", "kir": "Kir"}
UNITS = {"1": "no unit", "uM": "µM", "umol/L": "µmol/L", "x healthy": "× healthy", "ug/L": "µg/L"}


def prepare():
    plt.rcParams.update({
        "font.size": 7, "axes.titlesize": 7, "axes.labelsize": 7, "xtick.labelsize": 6, "ytick.labelsize": 6,
        "legend.fontsize": 6, "legend.frameon": False, "axes.linewidth": 0.6, "xtick.major.width": 0.6,
        "ytick.major.width": 0.6, "lines.linewidth": 1.1, "hatch.linewidth": 0.4, "axes.spines.top": False,
        "axes.spines.right": False, "font.family": "sans-serif", "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
        "pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "ketsweep"})


def begin(width, height, n_rows=1, n_columns=1, **options):
    """A figure of so many mm and its axes."""
    prepare()
    return plt.subplots(n_rows, n_columns, figsize=(width / 25.4, height / 25.4), layout="constrained", **options)


def words(name):
    """A name as a reader has it: madrs_change_24h is "MADRS change 24 h"."""
    parts = [WORDS.get(part, re.sub(r"^(\d+(?:\.\d+)?)(h|d)$", r"\1 \2", part)) for part in str(name).split("_")]
    return " ".join(parts)


def label(name, unit):
    """The name of an axis, with the unit."""
    return f"{words(name)} ({UNITS.get(unit, unit)})"


def quantity(value, unit):
    """A number in a sentence."""
    return f"{value:.3g}" if unit == "1" else f"{value:.3g} {UNITS.get(unit, unit)}"


def label_of(variable):
    return words(variable.name) if is_share(variable) else label(variable.name, variable.units)


def legend_beside(axes, **options):
    """Above the axes, where it hides nothing; as many columns as the names leave room for."""
    longest = max(map(len, axes.get_legend_handles_labels()[1]))
    n_columns = int(25.4 * axes.figure.get_figwidth() / (1.1 * longest + 14))  # mm
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=min(max(n_columns, 1), 4), borderaxespad=0.3, title_fontsize=6,
                alignment="left", **options)


def is_share(variable):
    """Whether a mean of it is the share of points that have it."""
    return variable.units == "0 or 1"


def say(figure, *notes):
    """Small print below the figure, which is also returned as a sentence."""
    text = ". ".join(note[0].upper() + note[1:] for note in notes if note)
    if text:
        n_letters = int(0.92 * 25.4 * figure.get_figwidth())  # one to a mm at this size
        figure.supxlabel("\n".join(textwrap.wrap(text + ".", n_letters)), fontsize=NOTE, color="0.35", x=0.01, ha="left")
    return text


def lost(data, n_missing):
    """What is said of the points that a figure leaves out: failed, not run, or without a value of some names."""
    notes = [f"{data.attrs[key]:,} of {data.attrs['n_points']:,} simulations {what} and are left out"
             for key, what in (("n_failed", "failed"), ("n_not_run", "were not run")) if data.attrs[key]]
    return notes + [f"{n:,} have no value of {name}" for name, n in n_missing.items() if n]


def save(figure, path):
    """Writes the format that the name has, without a date, so that the same figure has the same bytes."""
    known = figure.canvas.get_supported_filetypes()
    kind = pathlib.Path(path).suffix[1:].lower()
    if kind not in known:
        raise Error(f"{path}: the format follows the name, which may end in {', '.join('.' + k for k in sorted(known))}")
    without_date = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "ps": None, "eps": None}
    try:
        figure.savefig(path, dpi=600 if figure.get_figwidth() < 8 else 200, metadata=without_date.get(kind))
    except OSError as error:
        raise Error(f"{path} cannot be written: {error.strerror}") from None
    finally:
        plt.close(figure)
