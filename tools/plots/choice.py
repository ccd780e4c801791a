"""What a figure of a campaign is of: the names that are asked for or chosen, and the points that have them."""
import numpy

import ketsweep
from ketsweep import Error
from plots import style

PRIMARY = "madrs_change_24h"
MAIN = ("ST", "Shapley", "mu_star", "bound", "delta", "S1", "S")  # the index that counts: the first that there is
LEAST = 10  # points behind a number that is drawn


def names_of(path):
    """The names in a campaign's file, without its rows."""
    listed = ketsweep.open(path, names=[])
    if "endpoints" not in listed.attrs:
        raise Error(f"{path} holds a study; this figure is of a campaign (`ketsweep run`)")
    return listed.attrs


def choose(path, kind, names, wanted, default=None):
    """The wanted name; without a wish the default, else the first. An Error says what there is."""
    if not names:
        raise Error(f"{path} has no {kind}")
    if wanted is None:
        return default if default in names else names[0]
    if wanted not in names:
        raise Error(f'{path} has no {kind} "{wanted}"; it has {", ".join(names)}')
    return wanted


def most_influential(path, endpoint, parameters):
    """Parameters by the main index that the file has for the endpoint, else as they come."""
    try:
        table = ketsweep.indices(path)
    except Error:
        return parameters
    name = next((name for name in MAIN if name in table), None)
    if name is None or endpoint not in table.endpoint:
        return parameters
    sizes = numpy.nan_to_num(abs(table[name].sel(endpoint=endpoint).values))
    return [str(table.parameter.values[i]) for i in numpy.argsort(-sizes, kind="stable")]


def load(path, *names):
    """Those variables, of the points that have all of them, and what is said of the others."""
    names = list(dict.fromkeys(names))
    data = ketsweep.open(path, names=names)
    has_all = numpy.all([has_numbers(data[name]) for name in names], axis=0)
    if has_all.sum() < LEAST:
        raise Error(f"{path} has {has_all.sum()} complete simulations; {LEAST} are the fewest that are drawn")
    return data.isel(point=has_all), style.lost(data, {name: int((~has_numbers(data[name])).sum()) for name in names})


def has_numbers(variable):
    """Which points have numbers, at all times."""
    return numpy.isfinite(variable.values).all(axis=tuple(range(1, variable.ndim)))


def need_values(path, data, *names):
    """An axis is no axis with one value."""
    for name in names:
        if len(numpy.unique(data[name])) == 1:
            raise Error(f"{name} is {float(data[name][0]):g} in all simulations of {path}; a figure over it takes two values at least")
