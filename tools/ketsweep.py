"""ketsweep's files and campaigns as xarray Datasets, in a few functions.

    data = ketsweep.open("first.h5")                      # data["madrs_change_24h"], with units; cohorts and trials too
    data = ketsweep.run({"design": {...}, ...}, ranks=2)  # a campaign from a dict
    table = ketsweep.indices("sensitivity.h5")            # what `ketsweep sensitivity` has found
    problem, X, Y = ketsweep.salib("sensitivity.h5", "madrs_change_7d")

tools/README.md shows them at work. The program is the one that the variable KETSWEEP names, else build/release/ketsweep
beside this folder, else the one that was installed with it, else the one on PATH.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import warnings

import h5py
import numpy
import xarray

TABLES = (("inputs", "parameter"), ("endpoints", "endpoint"), ("trajectories", "state"))
FIRST_FAILURE = 3  # of status; 0: not run, 1: done, 2: done, but not depressed at the start
CURVES, HARMONICS = 8, 4  # of the design fast


class Error(Exception):
    """One sentence; the program's where it has spoken."""


# ---- files ------------------------------------------------------------------------------------------------------------

def open(path, failed="drop", names=None):  # noqa: A001
    """A campaign's file: a variable for each parameter and endpoint (point) and each state (point, time), with the attributes
    `units` and `long_name`, and `status` and `solver_steps`. A state that has the name of an endpoint is NAME_over_time.
    `point` is a point's number in the campaign. A file of `cohort` or `trial` is given as it is (src/store/README.md).

    failed  "drop" leaves out the points that failed or were not run, "mark" keeps them, as NaN
    names   the variables to read; default: all

    Attributes: those of the file; `parameters`, `endpoints`, `states`: their names; `n_failed`, `n_not_run`.
    """
    if failed not in ("drop", "mark"):
        raise Error(f'failed is "drop" or "mark", not "{failed}"')
    kind = next((name for name in ("status", "cohort", "trial") if name in members(path)), None)
    if kind is None:
        raise Error(f"{path} holds no points, cohort or trial of ketsweep")
    with _raw(path) as file:
        if kind == "status":
            return _open_campaign(file, failed, names)
        attributes = file.attrs
    with _raw(path, kind) as data:
        return data.load().assign_attrs(attributes)


def indices(path, method=None):
    """The indices of a method (default: the first that the file holds) by the names that they tell of."""
    methods = members(path, "sensitivity")
    if not methods:
        raise Error(f"{path} holds no indices; `ketsweep sensitivity {path}` computes them")
    if method is not None and method not in methods:
        raise Error(f'{path} has no indices of "{method}"; it has {", ".join(methods)}')
    with _raw(path) as file, _raw(path, f"sensitivity/{method or methods[0]}") as data:
        scales = {name: file[name].load() for name in data.dims if name in file.coords and name not in data.coords}
        return data.load().assign_coords(scales)


def members(path, group="/"):
    """What a group of a file of ketsweep holds."""
    try:
        with h5py.File(path, "r") as file:
            return list(file.get(group, [])) if file.attrs.get("format") == "ketsweep" else []
    except FileNotFoundError:
        raise Error(f"{path} does not exist") from None
    except OSError as error:
        raise Error(f"{path} cannot be read by HDF5: {str(error).splitlines()[0]}") from None


def _raw(path, group=None):
    return xarray.open_dataset(path, engine="h5netcdf", group=group)


def _open_campaign(file, failed, names):
    status = file.status.values
    rows = numpy.flatnonzero((status > 0) & (status < FIRST_FAILURE) | (failed == "mark"))
    variables, listed = {}, {}
    for table, axis in TABLES:
        listed[f"{axis}s"] = list(file[axis].values) if table in file else []
        array = file[table].load() if table in file and names is None else file.get(table)
        for i, name in enumerate(listed[f"{axis}s"]):
            key = f"{name}_over_time" if table == "trajectories" and name in listed["endpoints"] else name
            if names is not None and key not in names:
                continue
            values = array[..., i].values[rows]
            values[status[rows] == 0] = numpy.nan  # what stands there has no meaning
            variables[key] = array.dims[:-1], values, {"units": str(file[f"{axis}_unit"].values[i]),
                                                       "long_name": str(file[f"{axis}_description"].values[i])}
    for name in ("status", "solver_steps"):
        variables[name] = "point", file[name].values[rows], file[name].attrs
    missing = set(names or ()) - set(variables)
    if missing:
        known = ", ".join(listed["parameters"] + listed["endpoints"] + listed["states"])
        raise Error(f'there is no "{min(missing)}" in the file; it has {known}')
    coordinates = {"point": rows + int(file.attrs.get("first_point", 0))}
    if any("time" in dimensions for dimensions, *_ in variables.values()):
        coordinates["time"] = file.time.load()
    counts = {"n_failed": int((status >= FIRST_FAILURE).sum()), "n_not_run": int((status == 0).sum())}
    return xarray.Dataset(variables, coordinates, {**file.attrs, **listed, **counts})


# ---- campaigns ----------------------------------------------------------------------------------------------------------

def run(config, output=None, ranks=1, command="run", overwrite=False, launcher=("mpirun", "-n")):
    """Runs a configuration, a dict or the name of a file, and opens the result; paths in a dict are relative to the current
    folder. Without `output` no file is left. An unfinished file goes on, a finished one is opened; one of another
    configuration is an Error, unless `overwrite`. `command` may be "cohort" or "trial". Failed points are warned of."""
    with tempfile.TemporaryDirectory(prefix="ketsweep-") as folder:
        result = output or os.path.join(folder, "result.h5")
        more = (["--overwrite"] if overwrite else []) + (["--max-failed-fraction", "1"] if command == "run" else [])
        start = [*launcher, str(ranks)] if ranks > 1 else []
        if not isinstance(config, dict):
            call(command, config, "-o", result, "-q", *more, start=start)
        else:
            _call_with_dict(command, config, "-o", result, "-q", *more, start=start)
        data = open(result)
    if data.attrs.get("n_failed"):
        warnings.warn(f"{data.attrs['n_failed']} of {data.attrs['n_points']} points failed and are left out", stacklevel=2)
    return data


def _call_with_dict(command, config, *arguments, start):
    with tempfile.NamedTemporaryFile("w", dir=".", prefix="ketsweep-", suffix=".cfg") as stream:  # its paths begin here
        stream.write(text(config))
        stream.flush()
        name = os.path.basename(stream.name)
        try:
            call(command, name, *arguments, start=start)
        except Error as error:
            raise Error(re.sub(rf"{name}:\d+: ", "", str(error)).replace(name, "the dict")) from None


def call(*arguments, start=()):
    """Runs the program as a command line would, after `start` (as ("mpirun", "-n", "4")), and returns what it prints."""
    top = pathlib.Path(__file__).resolve().parent.parent
    own = [str(path) for path in (top / "build/release/ketsweep", top / "../../bin/ketsweep") if path.exists()]
    program = os.environ.get("KETSWEEP") or (own[0] if own else shutil.which("ketsweep"))
    if program is None:
        raise Error("ketsweep is neither built in build/release nor on PATH; the variable KETSWEEP can name it")
    process = subprocess.run([*start, program, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if process.returncode != 0:
        said = process.stderr.split("-" * 60)[0].strip()  # mpirun's own words come between lines
        raise Error(said or process.stderr.strip() or f"{arguments[0]} ended with status {process.returncode}")
    return process.stdout


def text(value):
    """A dict as libconfig's text: dicts are groups, lists are arrays, or lists where their entries are groups or of many types."""
    if isinstance(value, dict):
        return "".join(f"{key} = {_value(entry)};\n" for key, entry in value.items())
    raise Error(f"a configuration is a dict, not {value!r}")


def _value(value):
    if isinstance(value, (numpy.generic, numpy.ndarray)):
        value = value.tolist()
    if isinstance(value, dict):
        return "{ " + text(value).replace("\n", " ") + "}"
    if isinstance(value, (list, tuple)):
        if any(isinstance(entry, float) for entry in value):  # an array has one type
            value = [float(entry) if isinstance(entry, int) else entry for entry in value]
        inside = ", ".join(map(_value, value))
        is_array = len({type(entry) for entry in value}) < 2 and not isinstance(next(iter(value), 0), (dict, list, tuple))
        return f"[{inside}]" if is_array else f"( {inside} )"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (bool, int, float)) and value == value and abs(value) != float("inf"):
        return repr(value).lower() + ("L" if abs(value) >= 2 ** 31 and isinstance(value, int) else "")
    raise Error(f"{value!r} is no value of a configuration")


# ---- SALib --------------------------------------------------------------------------------------------------------------

def salib(path, endpoint, curve=0):
    """problem, X [rows][parameters], Y [rows]: the points in the order in which SALib's analyzers read them.

    saltelli  sobol.analyze(problem, Y, calc_second_order=...), as the design has it: A, AB_1 .. AB_p, [BA_1 .. BA_p], B
    morris    morris.analyze(problem, X, Y, num_levels=2**53): along trajectories. Our steps are half of the range whatever
              the number of levels; SALib's are num_levels / (2 (num_levels - 1)) of it
    fast      fast.analyze(problem, Y): one of the 8 curves that each parameter has; the mean over them is better
    others    rbd_fast, delta, pawn, rsa: any rows

    A base row or trajectory with a failed point is left out whole; a curve cannot be. `bounds` of the problem are the
    smallest and the largest value in X; these analyzers do not use them.
    """
    names = [str(name) for name in open(path, names=[]).attrs.get("parameters", [])]
    if not names:
        raise Error(f"{path} is no campaign that varies a parameter")
    data = open(path, failed="mark", names=[*names, endpoint])
    if "first_point" in data.attrs:
        raise Error(f"{path} is a shard; `ketsweep merge` joins shards into the file of the campaign")
    x, y = numpy.column_stack([data[name].values for name in names]), data[endpoint].values
    block = _rows_of_block(data.attrs, len(names))
    if data.attrs["design"] == "fast":
        n_samples = len(y) // (len(names) * CURVES)
        if (n_samples - 1) // (2 * HARMONICS) % 2 == 0:
            raise Error(f"SALib would look for another frequency in curves of {n_samples} samples; those of "
                        f"{16 * max(1, round(n_samples / 16))} serve (design.points = {128 * max(1, round(n_samples / 16))})")
        x, y = (numpy.split(z, CURVES)[curve] for z in (x, y))
    is_whole = numpy.isfinite(y).reshape(-1, block or len(y)).all(axis=1).repeat(block or len(y))
    if not is_whole.any():
        raise Error(f"every {'curve' if data.attrs['design'] == 'fast' else 'row'} of {endpoint} has a failed point; "
                    "`ketsweep sensitivity` can do with some")
    x, y = x[is_whole], y[is_whole]
    return {"num_vars": len(names), "names": names, "bounds": [[z.min(), z.max()] for z in x.T]}, x, y


def _rows_of_block(attributes, p):
    """The rows that SALib takes together; 0: all."""
    settings = re.search(r"^ *design : \{(.*)\};$", attributes["config"], re.MULTILINE)[1]
    if "radial" in settings:
        raise Error("SALib's morris reads trajectories, and this design is radial; `ketsweep sensitivity` reads it")
    if attributes["design"] == "saltelli":
        return 2 * p + 2 if "second_order = true" in settings else p + 2
    return {"morris": p + 1, "fast": 0}.get(attributes["design"], 1)
