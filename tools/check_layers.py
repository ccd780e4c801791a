#!/usr/bin/env python3
"""Checks that knowledge flows one way: which folder of src may include which, and who may know MPI.

Also refused: a private header (*_impl.h) included from another folder, an include without its folder, and
conditional compilation outside the files that exist for it. Prints each fault as FILE:LINE; exit status 1 if any.
"""
import pathlib
import re
import sys

MAY_SEE = {
    "base": "",
    "model": "base",
    "solver": "base",
    "farm": "base",
    "store": "base",
    "design": "base model",
    "therapy": "base model solver",
    "config": "base model solver design therapy",
    "analysis": "base model design store",
    "cohort": "base",
    "report": "base model solver store design therapy config analysis cohort",
    "app": "base model solver farm store design therapy config analysis cohort report",
}
KNOWS_MPI = ("base/agree.", "farm/", "store/", "app/")
HAS_CONDITIONS = ("base/lanes.h", "base/build_info.", "solver/sundials_impl.h")


def fault_of(path, line, guard):
    """What is wrong with one line of the file `path` (from src), or None."""
    folder = path.split("/")[0]
    quoted = re.match(r'\s*#\s*include\s*"([^"]*)"', line)
    if quoted:
        target, _, name = quoted[1].rpartition("/")
        if target != folder and target not in MAY_SEE.get(folder, "").split():
            return f"{folder} must not include {quoted[1]}"
        if name.endswith("_impl.h") and target != folder:
            return f"{quoted[1]} is private to {target}"
    if re.match(r"\s*#\s*include\s*<mpi\.h>", line) and not path.startswith(KNOWS_MPI):
        return "MPI is for " + ", ".join(KNOWS_MPI)
    if re.match(r"\s*#\s*(if|elif|else)", line) and not path.startswith(HAS_CONDITIONS) and line != guard:
        return "conditional compilation is for " + ", ".join(HAS_CONDITIONS)
    return None


def faults_of(path):
    guard = "#ifndef KS_" + re.sub(r"[^A-Z0-9]", "_", path.upper())
    if path.split("/")[0] not in MAY_SEE:
        yield 1, "this folder has no row in MAY_SEE"
    for number, line in enumerate((source / path).read_text().splitlines(), 1):
        fault = fault_of(path, line, guard)
        if fault:
            yield number, fault


source = pathlib.Path(__file__).resolve().parent.parent / "src"
files = sorted(p.relative_to(source).as_posix() for p in source.glob("*/*") if p.suffix in (".c", ".h", ".def"))
faults = [f"src/{path}:{number}: {fault}" for path in files for number, fault in faults_of(path)]
print(*faults, sep="\n", end="\n" if faults else "")
sys.exit(bool(faults) or not files)
