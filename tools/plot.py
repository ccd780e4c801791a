#!/usr/bin/env python3
"""Draws figures for papers from the files of ketsweep.

    tools/plot.py KIND FILE... [-o fig.pdf]

surface         the mean of an endpoint over two parameters
dose-response   an endpoint over a parameter
trajectories    a state over time, by response; of a trial, scores by arm
tornado         the sensitivity indices of one endpoint
sensitivity     a page of indices: tornados, a map, courses over time
kaplan-meier    responders of a trial without relapse
validation      published numbers beside simulated ones, of one or more trials

Each has intervals, units, colours for the colour-blind and the width of a journal's column; `tools/plot.py KIND --help` names
its options. The format follows the name: pdf, svg, png, eps. Points that failed are left out, and the figure says so.
"""
import argparse
import pathlib
import sys

try:
    import ketsweep
    from plots import choice, drivers, points, studies, style
except ModuleNotFoundError as missing:
    print(f"plot.py: this Python ({sys.executable}) has no {missing.name}; on Debian and Ubuntu tools/setup.sh installs it for "
          "/usr/bin/python3, which can run this file", file=sys.stderr)
    sys.exit(2)


def draw_trajectories(path, arms=None, **options):
    """Of a campaign's points, or of a trial's arms."""
    if "observed" not in ketsweep.members(path, "trial"):
        if arms:
            raise ketsweep.Error(f"{path} holds no trial; --arm is of trials")
        return points.draw_trajectories(path, **options)
    unknown = [name for name in ("state", "by") if options.pop(name, None) is not None]
    if unknown:
        raise ketsweep.Error(f"{path} holds a trial; --{unknown[0]} is of campaigns")
    return studies.draw_scores(path, arms, **options)


# kind: what draws it, in words, its options
ENDPOINT = {"--endpoint": {"metavar": "NAME", "help": f"default: {choice.PRIMARY}, else the first"}}
ARM = {"--arm": {"dest": "arms", "metavar": "NAME", "action": "append", "help": "an arm; again for more (default: all)"}}
METHOD = {"--method": {"metavar": "NAME", "help": "default: the first that the file holds"}}
WIDTH = {"--width": {"metavar": "MM", "type": float, "help": f"{style.COLUMN}: one column, {style.PAGE}: two"}}
KINDS = {
    "surface": (points.draw_surface, "the mean of an endpoint over two parameters", {
        **ENDPOINT, "-x": {"metavar": "NAME", "help": "parameter (default: the most influential, else the first)"},
        "-y": {"metavar": "NAME", "help": "parameter (default: the next)"}, **WIDTH}),
    "dose-response": (points.draw_dose_response, "an endpoint over a parameter", {
        **ENDPOINT, "-x": {"metavar": "NAME", "help": "parameter (default: infusion_dose, else the most influential)"},
        "--by": {"metavar": "NAME", "help": "a line for each third of this parameter, or each answer of this endpoint"}, **WIDTH}),
    "trajectories": (draw_trajectories, "a state over time; of a trial, scores by arm", {
        "--state": {"metavar": "NAME", "help": "default: madrs, else the first"},
        "--by": {"metavar": "NAME", "help": "parameter or endpoint that parts the points (default: response)"}, **ARM, **WIDTH}),
    "tornado": (drivers.draw_tornado, "the sensitivity indices of one endpoint", {
        **ENDPOINT, **METHOD, "--top": {"metavar": "N", "type": int, "help": f"bars at most ({drivers.MOST_BARS})"}, **WIDTH}),
    "sensitivity": (drivers.draw_overview, "a page of indices", {
        "--endpoint": {"metavar": "NAME", "help": "one tornado instead of six"}, **METHOD}),
    "kaplan-meier": (studies.draw_kaplan_meier, "responders of a trial without relapse", {**ARM, **WIDTH}),
    "validation": (studies.draw_validation, "published numbers beside simulated ones", {**WIDTH}),
}
TAKES_FILES = ("validation",)


def read_arguments(arguments):
    parser = argparse.ArgumentParser(prog="tools/plot.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(required=True, metavar="KIND", dest="kind")
    for kind, (draw, words, options) in KINDS.items():
        of_kind = kinds.add_parser(kind, help=words, description=words)
        of_kind.add_argument("file", metavar="FILE", nargs="+" if kind in TAKES_FILES else None)
        of_kind.add_argument("-o", "--output", metavar="FIGURE", help=f"default: NAME-{kind}.pdf, here")
        for option, settings in options.items():
            of_kind.add_argument(option, default=argparse.SUPPRESS, **settings)
        of_kind.set_defaults(draw=draw)
    return vars(parser.parse_args(arguments))


def main(arguments=None):
    options = read_arguments(arguments)
    kind, file, output, draw = (options.pop(name) for name in ("kind", "file", "output", "draw"))
    first = file[0] if isinstance(file, list) else file
    try:
        if not 30 <= options.get("width", style.COLUMN) <= 1000:
            raise ketsweep.Error(f"--width is {options['width']:g}; 30 to 1,000 mm are possible")
        figure, notes = draw(file, **options)
        output = output or f"{pathlib.Path(first).stem}-{kind}.pdf"
        style.save(figure, output)
    except ketsweep.Error as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    print(f"{output}: {notes}" if notes else output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
