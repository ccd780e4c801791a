"""Result files that the tests of tools share, made once for a test class."""
import pathlib
import sys
import tempfile
import unittest
import warnings

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tools"), str(TOP / "tests" / "cli")]
import ketsweep  # noqa: E402
from test_study import COHORT, TRIAL  # noqa: E402

warnings.filterwarnings("ignore", r"\d+ of \d+ points failed")  # which is wanted here

# The full model; every fourth point or so begins its infusion after the horizon, and fails.
CAMPAIGN = {
    "title": "dose and start",
    "protocol": {"infusion_duration": 0.6667, "horizon": 48.0},
    "patient": {"baseline_madrs": 33},
    "design": {"kind": "sobol", "points": 64, "seed": 5},
    "parameters": [{"name": "infusion_dose", "low": 0.1, "high": 1.0},
                   {"name": "weight", "low": 50.0, "high": 100.0},
                   {"name": "infusion_start", "low": 0.0, "high": 64.0}],
    "output": {"endpoints": ["ketamine_auc", "madrs_change_24h", "response_24h"],
               "trajectories": {"states": ["madrs", "ketamine_auc"], "times": [0, 2, 12, 24, 48.0]}},
}
ISHIGAMI = [{"name": "x1"}, {"name": "x2"}, {"name": "x3"}]


def function(model="test:ishigami", parameters=ISHIGAMI, **design):
    return {"model": model, "design": design, "parameters": parameters}


class SamplesTest(unittest.TestCase):
    """A class of tests with a folder in which a sample is made when it is first asked for."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="ks-tools-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    def path(self, name, text=None):
        if text is not None:
            (self.folder / name).write_text(text)
        return str(self.folder / name)

    def campaign(self):
        return self.make("campaign.h5", lambda path: ketsweep.run(CAMPAIGN, path))

    def saltelli(self):
        def write(path):
            ketsweep.run(function(kind="saltelli", points=64, second_order=True), path)
            ketsweep.call("sensitivity", path)
        return self.make("saltelli.h5", write)

    def trial(self):
        """150 weighted patients in two arms, seen six times; a fifth is lost each week."""
        def write(path):
            ketsweep.run(self.path("cohort.cfg", COHORT), self.path("cohort.h5"), command="cohort")
            text = TRIAL.replace('"cohort.h5"', f'"{self.path("cohort.h5")}"').replace(
                "size = 20;", "size = 20; dropout = 0.2;").replace("horizon = 48.0", "horizon = 672.0").replace(
                "visits = [24.0, 48.0]", "visits = [24.0, 72.0, 168.0, 336.0, 504.0, 672.0]").replace("draws = 2;", "draws = 20;")
            ketsweep.run(self.path("trial.cfg", text), path, command="trial")
        return self.make("trial.h5", write)

    def make(self, name, write):
        path = self.path(name)
        if not pathlib.Path(path).exists():
            write(path)
        return path
