"""tools/ketsweep.py: Datasets equal to what the file holds, campaigns from dicts, errors, and SALib's order."""
import os
import pathlib
import shutil
import sys
import unittest

import h5py
import numpy

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parent.parent / "science")]
import estimators  # noqa: E402
from samples import CAMPAIGN, ISHIGAMI, SamplesTest, function, ketsweep  # noqa: E402


class Files(SamplesTest):

    def test_variables_are_columns_of_the_file(self):
        data = ketsweep.open(self.campaign())
        with h5py.File(self.campaign()) as file:
            good = file["status"][:] == 1
            self.assertTrue(0 < (~good).sum() < len(good) / 2)
            for table, axis in ketsweep.TABLES:
                for i, name in enumerate(file[axis].asstr()[:]):
                    key = "ketamine_auc_over_time" if (axis, name) == ("state", "ketamine_auc") else name
                    numpy.testing.assert_array_equal(data[key].values, file[table][:][good][..., i], name)
                    self.assertEqual(data[key].units, file[f"{axis}_unit"].asstr()[i])
                    self.assertEqual(data[key].long_name, file[f"{axis}_description"].asstr()[i])
            numpy.testing.assert_array_equal(data.time, file["time"])
        numpy.testing.assert_array_equal(data.point, numpy.flatnonzero(good))
        self.assertEqual((data.infusion_dose.units, data.madrs.dims), ("mg/kg", ("point", "time")))
        self.assertEqual(data.attrs["n_failed"], (~good).sum())
        self.assertEqual(data.attrs["parameters"], ["infusion_dose", "weight", "infusion_start"])
        self.assertEqual(data.attrs["title"], "dose and start")

    def test_failed_points_can_be_kept(self):
        data = ketsweep.open(self.campaign(), failed="mark")
        self.assertEqual(len(data.point), 64)
        self.assertEqual(int((data.status > 2).sum()), data.attrs["n_failed"])
        self.assertTrue(numpy.isnan(data.madrs_change_24h[data.status > 2]).all())
        self.assertTrue(numpy.isfinite(data.infusion_dose).all())

    def test_points_that_were_not_run(self):
        path = self.path("partial.h5")
        shutil.copy(self.campaign(), path)
        with h5py.File(path, "r+") as file:
            file["status"][40:] = 0
            file["inputs"][40:] = 1e300
        data = ketsweep.open(path)
        self.assertTrue((data.point < 40).all() and data.attrs["n_not_run"] == 24)
        data = ketsweep.open(path, failed="mark", names=["weight"])
        self.assertTrue(numpy.isnan(data.weight[40:]).all() and numpy.isfinite(data.weight[:40]).all())

    def test_only_what_is_named_is_read(self):
        data = ketsweep.open(self.campaign(), names=["weight", "madrs_change_24h"])
        self.assertEqual(set(data.data_vars), {"weight", "madrs_change_24h", "status", "solver_steps"})
        self.assertNotIn("time", data.coords)
        numpy.testing.assert_array_equal(data.weight, ketsweep.open(self.campaign()).weight)

    def test_indices_have_names(self):
        table = ketsweep.indices(self.saltelli())
        with h5py.File(self.saltelli()) as file:
            self.assertEqual(float(table.ST.sel(endpoint="y", parameter="x2")), file["sensitivity/sobol/ST"][0, 1])
            self.assertEqual(float(table.S2.sel(endpoint="y", pair="x1:x3")), file["sensitivity/sobol/S2"][0, 1])

    def test_trials_and_cohorts(self):
        data, cohort = ketsweep.open(self.trial()), ketsweep.open(self.path("cohort.h5"))
        with h5py.File(self.trial()) as file:
            numpy.testing.assert_array_equal(data.observed.sel(arm="placebo", visit=72), file["trial/observed"][1, :, 1])
            numpy.testing.assert_array_equal(data.draw.dims, ("draw_number", "arm", "visit", "statistic"))
        self.assertEqual(data.attrs["format"], "ketsweep")
        self.assertAlmostEqual(float(cohort.weight.sum()), 1)
        numpy.testing.assert_array_equal(cohort.inputs.sel(trait="weight"), data.inputs.sel(trait="weight"))

    def test_files_that_are_none(self):
        with h5py.File(self.path("foreign.h5"), "w") as file:
            file["status"] = [1, 2]
        cases = {self.path("nobody.h5"): "does not exist", self.path("text.h5", "text"): "cannot be read by HDF5",
                 self.path("foreign.h5"): "holds no points, cohort or trial of ketsweep"}
        for path, words in cases.items():
            with self.assertRaisesRegex(ketsweep.Error, f"{path}.* {words}"):
                ketsweep.open(path)
        with self.assertRaisesRegex(ketsweep.Error, 'there is no "wait" in the file; it has infusion_dose, weight, '):
            ketsweep.open(self.campaign(), names=["wait"])
        with self.assertRaisesRegex(ketsweep.Error, 'failed is "drop" or "mark", not "keep"'):
            ketsweep.open(self.campaign(), failed="keep")
        with self.assertRaisesRegex(ketsweep.Error, "holds no indices; `ketsweep sensitivity .*` computes them"):
            ketsweep.indices(self.campaign())
        with self.assertRaisesRegex(ketsweep.Error, 'no indices of "morris"; it has sobol'):
            ketsweep.indices(self.saltelli(), "morris")


class Campaigns(SamplesTest):

    def setUp(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def test_a_dict_is_a_configuration(self):
        config = {"model": "test:ishigami", "title": 'a "b" \\ c\nd', "design": {"kind": "grid"}, "parameters": [
            {"name": "x1", "low": numpy.float64(-1), "high": 1, "levels": numpy.int64(3)},
            {"name": "x2", "values": (1, 2.5)}], "output": {"endpoints": ["y"]}}
        before = set(os.listdir())
        data = ketsweep.run(config)
        self.assertEqual(set(os.listdir()), before, "files are left")
        self.assertEqual(data.attrs["title"], config["title"])
        numpy.testing.assert_array_equal(data.x1, [-1, -1, 0, 0, 1, 1])
        self.assertEqual(set(data.x2.values), {1, 2.5})
        x = data.x1.values, data.x2.values, 0
        numpy.testing.assert_allclose(data.y, numpy.sin(x[0]) + 7 * numpy.sin(x[1]) ** 2, rtol=1e-12)

    def test_text_of_values(self):
        self.assertEqual(ketsweep.text({"a": {"b": True, "c": [1, 2.0], "d": [{"e": "x"}], "f": 3_000_000_000, "g": 1e-9}}),
                         'a = { b = true; c = [1.0, 2.0]; d = ( { e = "x"; } ); f = 3000000000L; g = 1e-09; };\n')
        self.assertEqual(ketsweep.text({"a": ["x", {"name": "y"}], "b": []}), 'a = ( "x", { name = "y"; } );\nb = [];\n')
        for value in (None, float("nan"), {1, 2}):
            with self.assertRaisesRegex(ketsweep.Error, "is no value of a configuration"):
                ketsweep.text({"a": value})

    def test_ranks_and_a_file_that_stays(self):
        config = function(kind="sobol", points=64)
        data = ketsweep.run(config, "kept.h5", ranks=2)
        self.assertTrue(data.equals(ketsweep.run(config)))
        self.assertTrue(data.equals(ketsweep.run(config, "kept.h5")), "a finished file is opened")
        with self.assertRaisesRegex(ketsweep.Error, "another campaign than the dict(.|\n)*design.points: stored 64, present 32"):
            ketsweep.run(function(kind="sobol", points=32), "kept.h5")
        self.assertEqual(len(ketsweep.run(function(kind="sobol", points=32), "kept.h5", overwrite=True).point), 32)

    def test_paths_are_relative_to_the_folder(self):
        self.path("points.csv", "x1,x2\n0.5,1\n")
        data = ketsweep.run({"model": "test:ishigami", "design": {"kind": "file", "file": "points.csv"}})
        self.assertEqual(data.x1.values, [0.5])

    def test_rows_go_out_and_come_back(self):
        """What a Dataset holds is, as a CSV file, a design that gives the same endpoints."""
        data = ketsweep.run({**CAMPAIGN, "output": {"endpoints": ["madrs_24h", {"name": "peak", "of": "ketamine_venous", "op": "max"}]}})
        data[data.attrs["parameters"]].to_dataframe().to_csv("rows.csv", index=False)
        again = {key: value for key, value in CAMPAIGN.items() if key != "parameters"}
        back = ketsweep.run({**again, "design": {"kind": "file", "file": "rows.csv"}, "output": {"endpoints": ["madrs_24h"]}})
        numpy.testing.assert_array_equal(back.madrs_24h, data.madrs_24h)
        self.assertEqual(data.peak.units, "mg/L")

    def test_a_cohort_and_a_trial_from_dicts(self):
        study = {"protocol": {"infusion_dose": 0.5, "infusion_duration": 0.6667, "horizon": 24.0},
                 "arms": [{"name": "ketamine"}, {"name": "placebo", "protocol": {"infusion_dose": 0.0}}],
                 "output": {"endpoints": ["madrs_change_24h"]}}
        cohort = ketsweep.run({**study, "population": {"candidates": 100, "patients": 20, "seed": 1, "parameters": [
            {"name": "baseline_madrs", "distribution": "normal", "mean": 34.0, "sd": 5.0, "low": 22.0, "high": 50.0}]}},
            "cohort.h5", ranks=2, command="cohort")
        self.assertEqual(cohort.sizes["patient"], 20)
        trial = ketsweep.run({**study, "trial": {"cohort": "cohort.h5", "control": "placebo", "replicates": 0}}, command="trial")
        self.assertEqual(list(trial.arm.values), ["ketamine", "placebo"])
        numpy.testing.assert_array_equal(trial.candidate, cohort.candidate)

    def test_errors_are_the_programs(self):
        wrong = function(kind="sobol", points=8, parameters=[{"name": "x9"}])
        for ranks in (1, 2):
            with self.assertRaises(ketsweep.Error) as caught:
                ketsweep.run(wrong, ranks=ranks)
            self.assertEqual(str(caught.exception).splitlines(),
                             ['parameters.[0].name: unknown parameter "x9"; did you mean "x1"?', "ketsweep: error: 1 fault in the dict"])
        with self.assertRaisesRegex(ketsweep.Error, "a configuration is a dict, not 3"):
            ketsweep.text(3)
        with self.assertRaisesRegex(ketsweep.Error, "nobody.cfg"):
            ketsweep.run("nobody.cfg")

    def test_failed_points_are_told(self):
        with self.assertWarnsRegex(UserWarning, r"^\d+ of 64 points failed and are left out$"):
            ketsweep.run(CAMPAIGN)


class Salib(SamplesTest):
    """The published estimators, as SALib has them, give from its order what `ketsweep sensitivity` gives."""

    def study(self, name, **design):
        path = self.path(f"{name}.h5")
        ketsweep.run(function(**design), path)
        ketsweep.call("sensitivity", path)
        return path, ketsweep.indices(path).isel(endpoint=0)

    def test_saltelli(self):
        for second, estimator in ((False, estimators.sobol), (True, estimators.sobol2)):
            path, table = self.study(f"saltelli{second}", kind="saltelli", points=64, second_order=second)
            problem, x, y = ketsweep.salib(path, "y")
            expected = [*table.ST.values, *table.S1.values, *(table.S2.values if second else ())]
            numpy.testing.assert_allclose(estimator(x, y), expected, rtol=1e-9)
        self.assertEqual((problem["num_vars"], problem["names"]), (3, ["x1", "x2", "x3"]))
        numpy.testing.assert_array_equal(problem["bounds"], numpy.column_stack([x.min(0), x.max(0)]))
        a, ab, ba, b = x[0::8], x[2::8], x[5::8], x[7::8]  # AB_2 and BA_2
        numpy.testing.assert_array_equal(ab[:, [0, 1, 2]], numpy.column_stack([a[:, 0], b[:, 1], a[:, 2]]))
        numpy.testing.assert_array_equal(ba[:, [0, 1, 2]], numpy.column_stack([b[:, 0], a[:, 1], b[:, 2]]))

    def test_morris(self):
        path, table = self.study("morris", kind="morris", points=16)
        _, x, y = ketsweep.salib(path, "y")
        expected = [*table.mu_star.values, *table.mu.values, *table.sigma.values]
        numpy.testing.assert_allclose(estimators.morris((x / numpy.pi + 1) / 2, y), expected, rtol=1e-9, atol=1e-12)
        moved = numpy.diff(x.reshape(-1, 4, 3), axis=1)
        self.assertTrue(((moved != 0).sum(axis=2) == 1).all())
        numpy.testing.assert_allclose(abs(moved[moved != 0]), numpy.pi, rtol=1e-12, err_msg="half of the range")
        radial, _ = self.study("radial", kind="morris", scheme="radial", points=32)
        with self.assertRaisesRegex(ketsweep.Error, "trajectories, and this design is radial"):
            ketsweep.salib(radial, "y")

    def test_fast(self):
        path, table = self.study("fast", kind="fast", points=2176)
        curves = [ketsweep.salib(path, "y", curve)[1:] for curve in range(8)]
        powers = [numpy.tile(numpy.var(y.reshape(3, -1), axis=1), 2) for _, y in curves]  # shares of them are averaged
        shares = numpy.average([estimators.fast(*curve) for curve in curves], axis=0, weights=powers)
        numpy.testing.assert_allclose(shares, [*table.ST.values, *table.S1.values], atol=1e-4)
        even, _ = self.study("even", kind="fast", points=1160)
        with self.assertRaisesRegex(ketsweep.Error, r"curves of 145 samples; those of 144 serve \(design.points = 1152\)"):
            ketsweep.salib(even, "y")
        self.assertEqual((1152 // 8 - 1) // 8 % 2, 1)

    def test_given_data(self):
        path, table = self.study("rbd", kind="rbd-fast", points=512)
        _, x, y = ketsweep.salib(path, "y")
        numpy.testing.assert_allclose(estimators.rbd_fast(x, y), table.S1.values, rtol=1e-9)

    def test_blocks_with_failures_go_whole(self):
        path = self.path("scattered.h5")
        ketsweep.run(function("test:scattered", ISHIGAMI, kind="saltelli", points=64), path)
        whole = ketsweep.open(path, failed="mark")
        _, x, y = ketsweep.salib(path, "y")
        kept = numpy.isfinite(whole.y.values.reshape(-1, 5)).all(axis=1)
        self.assertTrue(0 < kept.sum() < 64)
        numpy.testing.assert_array_equal(y.reshape(-1, 5), whole.y.values.reshape(-1, 5)[kept])
        ketsweep.run(function("test:scattered", ISHIGAMI, kind="fast", points=1152), path, overwrite=True)
        with self.assertRaisesRegex(ketsweep.Error, "every curve of y has a failed point; `ketsweep sensitivity`"):
            ketsweep.salib(path, "y")

    def test_a_shard_is_not_the_study(self):
        config = self.path("shards.cfg", ketsweep.text(function(kind="saltelli", points=64)))
        ketsweep.call("run", config, "-o", self.path("shards.h5"), "--shard", "1/3", "-q")
        with self.assertRaisesRegex(ketsweep.Error, "is a shard; `ketsweep merge` joins"):
            ketsweep.salib(self.path("shards.1.h5"), "y")

    def test_nothing_varies(self):
        path = self.path("one.h5")
        ketsweep.run({"protocol": {"horizon": 48.0}, "output": {"endpoints": ["madrs_24h"]}}, path)
        with self.assertRaisesRegex(ketsweep.Error, "is no campaign that varies a parameter"):
            ketsweep.salib(path, "madrs_24h")


if __name__ == "__main__":
    unittest.main()
