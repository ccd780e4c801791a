#!/usr/bin/env python3
"""Checks the symbols of object files: check_names.py BUILD OBJECT...

An exported function is ks_<folder>_... or ks_<file>_... (in fields.c ks_field_... too), exported data ks_..., and a
function that is compiled once per lane count (x_lanes.w4.o) ends in _w4. No global can be changed but the error trace
and what signal handlers see. No function of the C library is used whose bits depend on the library and the processor.
Prints each fault; exit status 1 if any.
"""
import pathlib
import re
import subprocess
import sys

WRITABLE = {"base/error": {"trace", "abort_handler"}, "app/signals": {"state"}}
INEXACT = re.compile(r"(a?(sin|cos|tan)h?|atan2|sincos|exp(m1|2|10)?|log(1p|2|10)?|pow|cbrt|hypot|erfc?|[lt]?gamma"
                     r"|lgamma_r|[jy][01n])[fl]?")


def symbols_of(path):
    """Each defined symbol as (name, is exported, is function, section)."""
    table = subprocess.check_output(["nm", "--defined-only", "--format=sysv", path], text=True)
    for line in table.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[3] not in ("FILE", "SECTION"):
            yield fields[0], fields[2].isupper(), fields[3] == "FUNC", fields[6]


def inexact_calls_of(path):
    """The functions that a file calls and should not."""
    table = subprocess.check_output(["nm", "--undefined-only", "--format=posix", path], text=True)
    return [line.split()[0] for line in table.splitlines() if INEXACT.fullmatch(line.split()[0])]


def faults_of(path, build):
    source = path.relative_to(pathlib.Path(build) / "src")
    stem, _, width = source.stem.partition(".")
    file = stem.removesuffix("_lanes")
    prefixes = [f"ks_{word}" for word in (source.parent, file, file.removesuffix("s"))]
    for name, is_exported, is_function, section in symbols_of(path):
        if is_exported and is_function and (stem, name) != ("main", "main"):
            if not any(name == prefix or name.startswith(prefix + "_") for prefix in prefixes):
                yield f"{name}: an exported function of this file begins with {prefixes[0]}_ or {prefixes[1]}_"
            if width and not name.endswith("_" + width):
                yield f"{name}: an exported function of this file ends in _{width}"
        elif is_exported and not is_function and not name.startswith("ks_"):
            yield f"{name}: exported data begins with ks_"
        is_writable = re.match(r"\.t?(data|bss)\b(?!\.rel\.ro)|\*COM\*", section)
        if is_writable and name not in WRITABLE.get(f"{source.parent}/{stem}", ()):
            yield f"{name}: a mutable global"
    for name in inexact_calls_of(path):
        yield f"{name}: the C library's bits depend on the processor; base/elementary.h has functions that do not"


build, *objects = sys.argv[1:]
faults = [f"{path}: {fault}" for path in objects for fault in faults_of(pathlib.Path(path), build)]
print(*faults, sep="\n", end="\n" if faults else "")
sys.exit(bool(faults) or not objects)
