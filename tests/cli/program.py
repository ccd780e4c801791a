"""What the command-line tests share: running the program, comparing result files."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import h5py
import numpy

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
KETSWEEP = os.environ.get("KETSWEEP", str(TOP / "build/release/ketsweep"))

# A small campaign of the full model: 23 points, correlated and integer parameters, trajectories.
CAMPAIGN = """
title = "small";
protocol : { infusion_duration = 0.6667; horizon = 48.0; session_count = 1; };
design : { kind = "sobol"; points = 23; seed = 5; };
parameters : (
  { name = "infusion_dose"; low = 0.1; high = 1.0; },
  { name = "infusion_count"; low = 1; high = 2; },
  { name = "infusion_interval"; low = 24.0; high = 40.0; },
  { name = "nmdar_density"; distribution = "lognormal"; cv = 0.1; },
  { name = "life_stress"; low = 0.1; high = 0.5; }
);
correlation : ( { a = "nmdar_density"; b = "life_stress"; rho = 0.5; } );
output : { trajectories : { states = ["madrs", "bdnf"]; every = 6.0; }; };
"""

TEST_FUNCTION = """
model = "test:wide";
design : { kind = "lhs"; points = 1000; seed = 2; };
parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; }, { name = "x4"; } );
"""


class ProgramTest(unittest.TestCase):
    """A test in a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ks-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def path(self, name, text=None):
        path = self.folder / name
        if text is not None:
            path.write_text(text)
        return str(path)

    def run_program(self, *arguments, ranks=None, status=0, program=KETSWEEP, **environment):
        """Runs ketsweep, or another build of it, alone or on ranks; asserts its exit status (one of a tuple); returns the
        process."""
        launcher = ["mpirun", "-n", str(ranks)] if ranks else []
        process = subprocess.run([*launcher, program, *map(str, arguments)], cwd=self.folder, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env={**os.environ, **environment})
        allowed = status if isinstance(status, tuple) else (status,)
        self.assertIn(process.returncode, allowed, f"{arguments}:\n{process.stdout}{process.stderr}")
        return process


def contents(path, without=("provenance", "rounds")):
    """Every attribute and dataset of a file: name -> (type, shape, bytes)."""
    found = {}

    def value_of(array):
        array = numpy.asarray(array)
        data = array.tolist() if array.dtype.hasobject else array.tobytes()
        return str(array.dtype), array.shape, repr(data)

    def visit(name, thing):
        if name.split("/")[0] in without:
            return
        for key in thing.attrs:
            if key not in ("DIMENSION_LIST", "REFERENCE_LIST"):  # references to other objects of the file
                found[f"{name}@{key}"] = value_of(thing.attrs[key])
        if isinstance(thing, h5py.Dataset):
            found[name] = value_of(thing[()])
            found[f"{name} scales"] = [[scale.name for scale in axis.values()] for axis in thing.dims]

    with h5py.File(path, "r") as file:
        visit("", file)
        file.visititems(visit)
    return found
