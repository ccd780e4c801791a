#!/usr/bin/python3
"""check_layout.py FILE: asserts that a finished campaign's file has the documented layout.

Looks at it twice: through h5py, for names, types, shapes, scales and attributes; and through xarray, which must open
it without a warning and select endpoints by name, with their unit. Prints nothing when all is well.
"""
import sys
import warnings

import h5py
import numpy as np
import xarray

ROW_FIELDS = {  # name: (type, axes)
    "inputs": ("<f8", ("point", "parameter")),
    "endpoints": ("<f8", ("point", "endpoint")),
    "status": ("|i1", ("point",)),
    "solver_steps": ("<u4", ("point",)),
    "trajectories": ("<f4", ("point", "time", "state")),
}
ROUND = ("first_row", "n_rows", "checksum")
RUN = ("start_utc", "seconds", "ranks", "hosts", "version", "settings", "points", "points_per_second")
VERIFICATION = ("endpoint", "n_compared", "n_differ", "median_error", "largest_error", "largest_error_point",
                "fraction", "reference_rtol", "n_points", "n_status_differ")


def check_equal(what, found, expected):
    assert found == expected, f"{what}: expected {expected!r}, found {found!r}"


def is_text(dataset_or_attribute_type):
    info = h5py.check_string_dtype(dataset_or_attribute_type)
    return info is not None and info.encoding == "utf-8" and info.length is None


def check_attributes(file):
    check_equal("format", file.attrs["format"], "ketsweep")
    check_equal("format_version", file.attrs["format_version"], 1)
    check_equal("complete", file.attrs["complete"], 1)
    for name in ("title", "config", "design", "model_version"):
        assert isinstance(file.attrs[name], str), f"attribute {name} is not text"
    for name in ("seed", "n_points"):
        check_equal(f"type of attribute {name}", file.attrs[name].dtype, np.dtype("<u8"))
    assert file.attrs["n_points"] > 0


def check_axes(file, fields):
    for axis in sorted({axis for name in fields for axis in ROW_FIELDS[name][1]} - {"point", "time"}):
        names = file[axis]
        assert h5py.h5ds.is_scale(names.id), f"{axis} is no dimension scale"
        check_equal(f"name of scale {axis}", h5py.h5ds.get_scale_name(names.id).decode(), axis)
        for dataset in (names, file[axis + "_unit"], file[axis + "_description"]):
            assert is_text(dataset.dtype), f"{dataset.name} is not text"
            check_equal(f"shape of {dataset.name}", dataset.shape, names.shape)
        check_equal(f"scale of {axis}_unit", file[axis + "_unit"].dims[0][0], names)
        assert len(set(names.asstr()[:])) == len(names), f"{axis} has a name twice"
        assert all(file[axis + "_unit"].asstr()[:]), f"{axis} has an empty unit"
    if "trajectories" in fields:
        time = file["time"]
        check_equal("type of time", time.dtype, np.dtype("<f8"))
        check_equal("unit of time", time.attrs["units"], "h")
        assert np.all(np.diff(time[:]) > 0), "time does not ascend"
    assert file["point"].id.get_storage_size() == 0, "point occupies space"
    assert h5py.h5ds.is_scale(file["point"].id), "point is no dimension scale"


def check_rows(file, fields):
    n_points = int(file.attrs["n_points"])
    for name in fields:
        dtype, axes = ROW_FIELDS[name]
        dataset = file[name]
        check_equal(f"type of {name}", dataset.dtype, np.dtype(dtype))
        check_equal(f"rows of {name}", dataset.shape[0], n_points)
        assert dataset.chunks is None, f"{name} is not contiguous"
        assert isinstance(dataset.attrs["long_name"], str), f"{name} has no description"
        for i, axis in enumerate(axes):
            check_equal(f"scale of {name}, dimension {i}", dataset.dims[i][0], file[axis])
            check_equal(f"extent of {name}, dimension {i}", dataset.shape[i], file[axis].shape[0])
    names = list(file["status"].attrs["status_names"])
    check_equal("first status names", names[:3], ["not_run", "done", "not_depressed"])
    status = file["status"][:]
    assert status.min() > 0, "a point was not run"
    assert status.max() < len(names), "a status without a name"


def check_logs(file):
    log, n_rounds = file["rounds/log"], int(file["rounds/in_use"][()])
    check_equal("fields of /rounds/log", log.dtype.names, ROUND)
    check_equal("room in /rounds/log", log.shape, (65536,))
    rounds = log[:n_rounds]
    covered = sorted((int(r["first_row"]), int(r["n_rows"])) for r in rounds)
    next_row = 0
    for first, count in covered:
        check_equal("first row of a round", first, next_row)
        next_row = first + count
    check_equal("rows in all rounds", next_row, int(file.attrs["n_points"]))
    runs, n_runs = file["provenance/runs"], int(file["provenance/runs_in_use"][()])
    check_equal("fields of /provenance/runs", runs.dtype.names, RUN)
    check_equal("room in /provenance/runs", runs.shape, (4096,))
    assert n_runs >= 1, "no run is recorded"
    verification = file["provenance/verification"]
    check_equal("fields of /provenance/verification", verification.dtype.names, VERIFICATION)
    check_equal("rows of /provenance/verification", verification.shape, file["endpoint"].shape)
    assert verification.chunks is None and verification.id.get_offset() is not None, "its space is not allocated"
    assert isinstance(verification.attrs["long_name"], str)
    if verification[0]["n_points"] > 0:
        check_equal("its endpoints", verification["endpoint"].astype("U").tolist(), list(file["endpoint"].asstr()[:]))
    assert runs[0]["version"] and runs[0]["start_utc"] and runs[0]["ranks"] >= 1


def check_h5py(path):
    with h5py.File(path, "r") as file:
        fields = [name for name in ROW_FIELDS if name in file]
        assert {"endpoints", "status", "solver_steps"} <= set(fields)
        check_attributes(file)
        check_axes(file, fields)
        check_rows(file, fields)
        check_logs(file)


def check_xarray(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xarray.open_dataset(path, engine="h5netcdf") as data, h5py.File(path, "r") as file:
            n_points = int(file.attrs["n_points"])
            for i, name in enumerate(file["endpoint"].asstr()[:]):
                column = data.endpoints.sel(endpoint=name)
                unit = file["endpoint_unit"].asstr()[i]
                check_equal(f"dimensions of {name}", dict(column.sizes), {"point": n_points})
                check_equal(f"unit of {name}", data.endpoint_unit.sel(endpoint=name).item(), unit)
                check_equal(f"unit with {name}", column.endpoint_unit.item(), unit)
                np.testing.assert_array_equal(column.values, file["endpoints"][:, i])
            check_equal("type of status", data.status.dtype, np.dtype("i1"))
            check_equal("title", data.attrs["title"], file.attrs["title"])
            if "parameter" in file:
                check_equal("parameters", list(data.parameter.values), list(file["parameter"].asstr()[:]))
            if "time" in file:
                check_equal("type of time", data.time.dtype, np.dtype("f8"))
                first = data.trajectories.sel(state=data.state.values[0], time=data.time.values[0])
                check_equal("dimensions of a course", dict(first.sizes), {"point": n_points})
            unexpected = set(data.variables) - set(file)
            assert not unexpected, f"xarray sees {unexpected}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    check_h5py(sys.argv[1])
    check_xarray(sys.argv[1])


if __name__ == "__main__":
    main()
