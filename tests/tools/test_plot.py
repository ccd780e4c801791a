"""tools/plot.py: what each figure shows is what the file holds; units everywhere; formats; errors."""
import contextlib
import io
import os
import pathlib
import re
import shutil
import sys
import unittest
import warnings

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from samples import ISHIGAMI, SamplesTest, function, ketsweep  # noqa: E402
import plot  # noqa: E402
from plots import drivers, points, studies, style  # noqa: E402


class PlotTest(SamplesTest):

    def tearDown(self):
        style.plt.close("all")

    def main(self, *arguments, status=0):
        """Runs the command; returns what it prints, on stderr where it fails."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                found = plot.main([str(argument) for argument in arguments])
            except SystemExit as end:
                found = end.code
        self.assertEqual(found, status, f"{arguments}: {out.getvalue()}{err.getvalue()}")
        return err.getvalue() if status else out.getvalue()

    def columns(self, path):
        with h5py.File(path) as file:
            columns = {name: file[table][:][:, i] for table, axis in ketsweep.TABLES[:2]
                       for i, name in enumerate(file[axis].asstr()[:])}
            good = (file["status"][:] == 1) | (file["status"][:] == 2)
            return {"n_failed": int((~good).sum()), "good": good, **{name: column[good] for name, column in columns.items()}}

    def text_of(self, figure):
        return [text.get_text() for text in figure.findobj(style.plt.Text) if text.get_text()]

    def scattered(self):
        return self.make("scattered.h5", lambda path: ketsweep.run(function("test:scattered", kind="sobol", points=512), path))

    def model(self):
        """Of the full model: doses, a response for about half of the patients, and too many sessions for the horizon."""
        config = {"protocol": {"infusion_duration": 0.6667, "horizon": 96.0}, "design": {"kind": "sobol", "points": 192, "seed": 3},
                  "parameters": [{"name": "infusion_dose", "low": 0.1, "high": 1.0},
                                 {"name": "life_stress", "low": 0.15, "high": 0.45}, {"name": "session_count", "low": 0, "high": 3}],
                  "output": {"endpoints": ["madrs_change_24h", "response_24h"],
                             "trajectories": {"states": ["madrs"], "every": 24.0}}}
        return self.make("model.h5", lambda path: ketsweep.run(config, path))


class Surface(PlotTest):

    def test_cells_of_a_grid_are_means(self):
        config = function(kind="grid", parameters=[{"name": "x1", "values": [-1.0, 0.0, 2.0]}, {"name": "x2", "values": [0.5, 1.0]},
                                                   {"name": "x3", "values": [-2.0, 1.0]}])
        path = self.path("grid.h5")
        ketsweep.run(config, path)
        c = self.columns(path)
        # other parameters are averaged over; blank cells need fewer points than there are here
        figure, _ = points.draw_surface(path, x="x2", y="x1")
        mesh = figure.axes[0].collections[0]
        expected = [[c["y"][(c["x1"] == one) & (c["x2"] == two)].mean() for two in (0.5, 1.0)] for one in (-1, 0, 2)]
        numpy.testing.assert_allclose(numpy.asarray(mesh.get_array()).ravel(), numpy.ravel(expected))
        self.assertEqual([t.get_text() for t in figure.axes[0].get_xticklabels()], ["0.5", "1"])
        self.assertEqual([t.get_text() for t in figure.axes[0].get_yticklabels()], ["-1", "0", "2"])

    def test_local_lines_follow_a_plane(self):
        random = numpy.random.default_rng(1)
        a, b = random.uniform(2, 4, 4000), random.lognormal(0, 0.3, 4000)
        x, y, means = points.smooth(a, b, 3 * a - 5 * b + 1, points.trim(a), points.trim(b))
        plane = 3 * x[None, :] - 5 * y[:, None] + 1
        is_drawn = numpy.isfinite(means)
        self.assertGreater(is_drawn.mean(), 0.9)
        numpy.testing.assert_allclose(means[is_drawn], plane[is_drawn], atol=0.06)  # cells are 0.01 and 0.015 wide
        self.assertTrue(numpy.isnan(points.smooth(a[:30], b[:30], a[:30], (0, 9), (0, 9))[2]).any(), "blank where there is nothing")

    def test_the_two_of_most_influence(self):
        for names, expected in (({}, ("x1", "x2")), ({"x": "x3"}, ("x3", "x1")), ({"y": "x1"}, ("x2", "x1"))):
            figure, _ = points.draw_surface(self.saltelli(), **names)
            axes = figure.axes[0]
            self.assertEqual((axes.get_xlabel(), axes.get_ylabel()), tuple(f"{name} (no unit)" for name in expected))
        path = self.scattered()  # without indices the first
        self.assertEqual(points.draw_surface(path)[0].axes[0].get_xlabel(), "x1 (no unit)")

    def test_failed_points_are_told(self):
        n_failed = self.columns(self.scattered())["n_failed"]
        self.assertGreater(n_failed, 5)
        figure, notes = points.draw_surface(self.scattered())
        self.assertIn(f"{n_failed} of 512 simulations failed and are left out", notes)
        self.assertTrue(any(notes in text.replace("\n", " ") for text in self.text_of(figure)))

    def test_shares_stay_shares(self):
        figure, _ = points.draw_surface(self.model(), "response_24h")
        bar = figure.axes[1]
        self.assertEqual(bar.get_ylabel(), "share with response 24 h (of 1)")
        self.assertTrue(-1e-9 <= bar.get_ylim()[0] and bar.get_ylim()[1] <= 1 + 1e-9)


class DoseResponse(PlotTest):

    def test_medians_and_bands(self):
        c = self.columns(self.model())
        figure, notes = points.draw_dose_response(self.model())
        axes = figure.axes[0]
        self.assertEqual((axes.get_xlabel(), axes.get_ylabel()), ("infusion dose (mg/kg)", "MADRS change 24 h (points)"))
        order = numpy.argsort(c["infusion_dose"])
        line = axes.lines[0]
        self.assertEqual(len(order), 144)
        parts = numpy.array_split(order, 4)
        numpy.testing.assert_allclose(line.get_xdata(), [numpy.median(c["infusion_dose"][part]) for part in parts])
        numpy.testing.assert_allclose(line.get_ydata(), [numpy.median(c["madrs_change_24h"][part]) for part in parts])
        band = axes.collections[0].get_paths()[0].vertices
        for x, part in zip(line.get_xdata(), parts):
            ends = numpy.quantile(c["madrs_change_24h"][part], [0.1, 0.9])
            drawn = band[numpy.isclose(band[:, 0], x), 1]
            numpy.testing.assert_allclose([drawn.min(), drawn.max()], ends)

    def test_each_value_of_few_and_lines_by_another(self):
        c = self.columns(self.model())
        figure, _ = points.draw_dose_response(self.model(), x="session_count", by="infusion_dose")
        axes = figure.axes[0]
        lines = [container.lines[0] for container in axes.containers]
        edges = numpy.quantile(c["infusion_dose"], [0, 1 / 3, 2 / 3, 1])
        self.assertEqual(len(lines), 3)
        for line, low, high in zip(lines, edges, edges[1:]):
            is_in = (c["infusion_dose"] >= low) & (c["infusion_dose"] < high + (high == edges[-1]))
            expected = [numpy.median(c["madrs_change_24h"][is_in & (c["session_count"] == n)]) for n in line.get_xdata()]
            numpy.testing.assert_allclose(line.get_ydata(), expected)
        self.assertEqual(axes.get_legend().get_title().get_text(), "infusion dose (mg/kg)")

    def test_shares_have_wilsons_interval(self):
        c = self.columns(self.model())
        figure, _ = points.draw_dose_response(self.model(), "response_24h", x="session_count")
        line = figure.axes[0].containers[0].lines
        bars = line[2][0].get_segments()
        self.assertEqual(figure.axes[0].get_ylim(), (0, 1))
        for n_sessions, p, bar in zip(line[0].get_xdata(), line[0].get_ydata(), bars):
            y = c["response_24h"][(c["session_count"] == n_sessions) & numpy.isfinite(c["response_24h"])]
            self.assertAlmostEqual(p, y.mean())
            for end in bar[:, 1]:  # where the share is 1.96 standard errors from it
                self.assertAlmostEqual((p - end) ** 2, 1.96 ** 2 * end * (1 - end) / len(y))

    def test_interval_of_a_median_holds_it_as_often_as_it_says(self):
        random = numpy.random.default_rng(2)
        for n in (20, 101):
            ends = numpy.array([points.summarise(numpy.sort(random.normal(size=n)))[1:3] for _ in range(4000)])
            self.assertAlmostEqual(((ends[:, 0] <= 0) & (ends[:, 1] >= 0)).mean(), 0.95, delta=0.02)


class Trajectories(PlotTest):

    def test_medians_by_response(self):
        c = self.columns(self.model())
        with h5py.File(self.model()) as file:
            madrs = file["trajectories"][:, :, 0][c["good"]]
        figure, notes = points.draw_trajectories(self.model())
        axes = figure.axes[0]
        for line, answer in zip(axes.lines, (0, 1)):
            chosen = c["response_24h"] == answer
            numpy.testing.assert_allclose(line.get_ydata(), numpy.median(madrs[chosen], axis=0), rtol=1e-6)
            numpy.testing.assert_allclose(line.get_xdata(), [0, 1, 2, 3, 4])
            self.assertEqual(line.get_label(), f"{'yes' if answer else 'no'} ({chosen.sum()})")
        self.assertEqual(len(axes.collections), 4, "two bands each")
        missing = int(numpy.isnan(c["response_24h"]).sum())
        self.assertGreater(missing, 0)
        self.assertIn(f"{missing} have no value of response_24h", notes)
        self.assertEqual((axes.get_xlabel(), axes.get_ylabel()), ("time (d)", "MADRS (points)"))

    def test_short_courses_are_in_hours(self):
        figure, _ = points.draw_trajectories(self.campaign(), state="ketamine_auc")  # a state with the name of an endpoint
        self.assertEqual((figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()), ("time (h)", "ketamine AUC (mg h/L)"))

    def test_without_a_response_all_are_one(self):
        path = self.make("plain.h5", lambda path: ketsweep.run({
            "protocol": {"horizon": 24.0}, "design": {"kind": "sobol", "points": 16}, "parameters": [{"name": "weight"}],
            "output": {"endpoints": ["madrs_24h"], "trajectories": {"states": ["madrs"], "every": 12.0}}}, path))
        figure, notes = points.draw_trajectories(path)
        axes = figure.axes[0]
        numpy.testing.assert_allclose(axes.lines[0].get_ydata(), ketsweep.open(path).madrs.median("point"), rtol=1e-6)
        self.assertEqual((len(axes.lines), axes.get_legend(), notes[:15]), (1, None, "16 simulations;"))

    def test_scores_of_a_trial(self):
        figure, _ = plot.draw_trajectories(self.trial())
        with h5py.File(self.trial()) as file:
            t = {name: file["trial"][name][:] for name in ("summary", "visit", "baseline", "weight", "replicate_low", "status")}
        self.assertTrue((t["status"] == 1).all())
        lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
        self.assertEqual([line.get_label() for line in lines], ["ketamine", "placebo"])
        for a, line in enumerate(lines):
            numpy.testing.assert_allclose(line.get_xdata()[1:], t["visit"] / 24)
            numpy.testing.assert_allclose(line.get_ydata()[0], (t["weight"] * t["baseline"][a, :, 1]).sum() / t["weight"].sum(), rtol=1e-6)
            numpy.testing.assert_allclose(line.get_ydata()[1:], t["summary"][a, :, 0])
        dashed = [line for line in figure.axes[0].lines if line.get_linestyle() != "-"]
        numpy.testing.assert_allclose(dashed[0].get_ydata(), t["replicate_low"][0, :, 0])
        only, _ = plot.draw_trajectories(self.trial(), arms=["placebo"])
        self.assertEqual(len([line for line in only.axes[0].lines if line.get_linestyle() == "-"]), 1)


class Tornado(PlotTest):

    def test_bars_and_intervals(self):
        with h5py.File(self.saltelli()) as file:
            group = {name: values[:] for name, values in file["sensitivity/sobol"].items()}
        figure, _ = drivers.draw_tornado(self.saltelli())
        axes = figure.axes[0]
        order = numpy.argsort(-group["ST"][0])[::-1]
        for name, bars, lines in (("ST", axes.patches[:3], axes.lines[:3]), ("S1", axes.patches[3:6], axes.lines[4:7])):
            numpy.testing.assert_allclose([bar.get_width() for bar in bars], group[name][0][order])
            for line, i in zip(lines, order):
                numpy.testing.assert_allclose(line.get_xdata(), [group[f"{name}_low"][0, i], group[f"{name}_high"][0, i]])
        self.assertEqual([text.get_text().split(" ")[0] for text in axes.get_yticklabels()], [f"x{i + 1}" for i in order])
        self.assertEqual(axes.get_xlabel(), "ST and S1 (share of variance)")
        few, notes = drivers.draw_tornado(self.saltelli(), top=1)
        self.assertEqual(len(few.axes[0].patches), 2)
        self.assertIn("2 parameters with smaller indices are not shown", notes)

    def test_judged_ranges_are_hatched(self):
        path = self.path("graded.h5")
        shutil.copy(self.saltelli(), path)
        with h5py.File(path, "r+") as file:
            file["sensitivity/sobol/grade"][:] = ["S", "D", "-"]
        axes = drivers.draw_tornado(path)[0].axes[0]
        for text, bar in zip(axes.get_yticklabels(), axes.patches):
            self.assertEqual(bar.get_hatch() is not None, text.get_text() == "x2 (D)")
        self.assertEqual({text.get_text() for text in axes.get_yticklabels()}, {"x1 (S)", "x2 (D)", "x3"})

    def test_methods_without_shares(self):
        path = self.path("morris.h5")
        ketsweep.run(function(kind="morris", points=32), path)
        ketsweep.call("sensitivity", path)
        axes = drivers.draw_tornado(path)[0].axes[0]
        self.assertEqual((axes.get_xlabel(), len(axes.patches)), ("mu_star (no unit)", 3))

    def test_the_overview(self):
        path = self.path("overview.h5")
        config = {"protocol": {"horizon": 48.0}, "patient": {"baseline_madrs": 33.0}, "design": {"kind": "saltelli", "points": 32},
                  "parameters": [{"name": "infusion_dose"}, {"name": "ketamine_clearance"}],
                  "output": {"endpoints": ["madrs_change_24h", "madrs_end"], "trajectories": {"states": ["madrs", "bdnf"], "every": 12.0}}}
        ketsweep.run(config, path)
        ketsweep.call("sensitivity", path)
        table = ketsweep.indices(path)
        figure, _ = drivers.draw_overview(path)
        titles = [axes.get_title() for axes in figure.axes]
        self.assertEqual(titles, ["madrs_change_24h", "madrs_end", "madrs over time", "bdnf over time", "ST", ""])
        courses = {line.get_label(): line.get_ydata() for line in figure.axes[3].lines}
        for name, values in courses.items():
            numpy.testing.assert_array_equal(values, table.trajectories_ST.sel(state="bdnf", parameter=name))
        self.assertEqual(len(drivers.draw_overview(path, "madrs_end")[0].axes[0].patches), 2)

    def test_an_endpoint_that_does_not_vary(self):
        """It has no indices; the overview is of the others, and an error where there are none."""
        path = self.path("constant.h5")
        config = {"protocol": {"horizon": 48.0}, "design": {"kind": "morris", "points": 4},
                  "parameters": [{"name": "infusion_dose"}, {"name": "infusion_duration"}],
                  "output": {"endpoints": ["madrs_baseline", "madrs_24h"]}}
        ketsweep.run(config, path)
        ketsweep.call("sensitivity", path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figure, _ = drivers.draw_overview(path)
        self.assertEqual(figure.axes[2].get_title(), "mu_star, of each endpoint's largest")
        ketsweep.run({**config, "output": {"endpoints": ["madrs_baseline"]}, "design": {"kind": "saltelli", "points": 32}}, path,
                     overwrite=True)
        ketsweep.call("sensitivity", path)
        with self.assertRaisesRegex(ketsweep.Error, "nothing varies in .* that has an index"):
            drivers.draw_overview(path)


class KaplanMeier(PlotTest):

    def test_survival_is_what_the_trial_found(self):
        """Our estimate from the patients' scores beside the program's own."""
        with h5py.File(self.trial()) as file:
            t = {name: file["trial"][name][:] for name in ("observed", "baseline", "weight", "summary", "visit")}
            found = t["summary"][:, :, list(file["trial/statistic"].asstr()).index("relapse_free")]
        self.assertTrue(numpy.isnan(t["observed"]).any(), "nobody is lost")
        figure, notes = studies.draw_kaplan_meier(self.trial())
        axes, table = figure.axes
        curves = [line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 6]
        self.assertEqual([line.get_label() for line in curves], ["ketamine", "placebo"])
        for a, line in enumerate(curves):
            self.assertEqual((line.get_ydata()[0], line.get_drawstyle()), (1, "steps-post"))
            numpy.testing.assert_allclose(line.get_ydata()[1:], found[a, 1:], atol=1e-9)
            numpy.testing.assert_allclose(line.get_xdata(), (t["visit"] - 24) / 24)
        numbers = [text for text in table.texts]
        expected = [self.count_at_risk(t, a, v) for a in (0, 1) for v in range(6)]
        self.assertEqual([text.get_text() for text in numbers], [f"{n:.0f}" for n in expected])
        self.assertGreater(expected[0], expected[5])
        self.assertIn("Ticks: patients lost", notes)
        self.assertTrue(notes.endswith("95 % of trials of 20 patients an arm"))

    def count_at_risk(self, t, a, v):
        n = 0
        for scores, base, weight in zip(t["observed"][a], t["baseline"][a, :, 1], t["weight"] / t["weight"].sum() * len(t["weight"])):
            is_well = scores[0] <= base / 2 and all(score <= base / 2 for score in scores[1:v])
            n += weight if is_well and not numpy.isnan(scores[v]) else 0
        return n

    def test_those_who_are_lost_count_up_to_their_last_visit(self):
        observed = numpy.array([[5, 5, 5], [5, numpy.nan, numpy.nan], [5, 20, 5], [5, 5, 20], [30, 5, 5]], float)
        survival, at_risk, lost = studies.survive(observed, numpy.full(5, 30.0), numpy.array([1, 1, 1, 1, 7.0]), 0)
        numpy.testing.assert_allclose(survival, [1, 2 / 3, 1 / 3])
        numpy.testing.assert_allclose(at_risk, [4, 3, 2])
        numpy.testing.assert_allclose(lost, [1, 0])

    def test_responders_at_a_later_visit(self):
        path = self.path("later.h5")
        shutil.copy(self.trial(), path)
        with h5py.File(path, "r+") as file:
            file.attrs["config"] = re.sub(r"trial : \{", "trial : { responders_at = 170.0;", str(file.attrs["config"]))
        figure, _ = studies.draw_kaplan_meier(path)
        self.assertEqual(figure.axes[0].get_xlabel(), "time since response, from the visit at 168 h on (d)")
        self.assertEqual(figure.axes[0].lines[0].get_xdata()[1], (336 - 168) / 24)


class Validation(PlotTest):

    def test_numbers_and_intervals(self):
        with h5py.File(self.trial()) as file:
            t = {name: values[:] for name, values in file["trial"].items() if name.startswith(("target_", "simulated"))}
        figure, notes = studies.draw_validation([self.trial()])
        self.assertEqual([axes.get_xlabel() for axes in figure.axes], ["share of patients (of 1)", "effect size (standard deviations)"])
        for k, axes in enumerate(figure.axes):
            trials, constants, simulated, published, value = (line.get_xdata() for line in axes.lines)
            numpy.testing.assert_allclose(trials, [t["simulated_trial_low"][k], t["simulated_trial_high"][k]])
            numpy.testing.assert_allclose(constants, [t["simulated_low"][k], t["simulated_high"][k]])
            numpy.testing.assert_allclose((*simulated, *value), (t["simulated"][k], t["target_value"][k]))
            is_missed = not trials[0] <= t["target_value"][k] <= trials[1]
            self.assertEqual(axes.lines[2].get_color(), style.COLOURS[int(is_missed)])
            self.assertEqual(len(axes.texts), int(is_missed))
        self.assertEqual(figure.axes[1].get_yticklabels()[0].get_text(), "one: MADRS change 24 h, ketamine minus placebo, n = 47")

    def test_several_files_and_misses(self):
        path = self.path("missed.h5")
        shutil.copy(self.trial(), path)
        with h5py.File(path, "r+") as file:
            file["trial/target_value"][0] = 0.999
            file["trial/target_value_low"][0], file["trial/target_value_high"][0] = 0.99, 1.0
            file["trial/simulated_trial_low"][1] = file["trial/simulated_trial_high"][1] = numpy.nan
        figure, notes = studies.draw_validation([self.trial(), path])
        self.assertTrue(notes.startswith("4 rows of 2 trials; "))
        n_missed = int(re.search(r"(\d+) of 3 lie outside", notes)[1])  # of one row no interval is known
        self.assertEqual(sum(len(axes.texts) for axes in figure.axes), n_missed)
        self.assertGreaterEqual(n_missed, 1)
        self.assertEqual([len(axes.get_yticks()) for axes in figure.axes], [2, 2])


class Command(PlotTest):

    def setUp(self):
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def figures(self):
        return {"surface": self.model(), "dose-response": self.model(), "trajectories": self.model(), "tornado": self.saltelli(),
                "sensitivity": self.saltelli(), "kaplan-meier": self.trial(), "validation": self.trial()}

    def test_every_kind_in_every_format(self):
        beginnings = {"pdf": b"%PDF", "svg": b"<?xml", "png": b"\x89PNG", "eps": b"%!PS"}
        self.assertEqual(set(self.figures()), set(plot.KINDS))
        for (kind, path), (ending, beginning) in zip(self.figures().items(), [*beginnings.items(), *beginnings.items()]):
            figure = self.path(f"figure.{ending}")
            self.assertTrue(self.main(kind, path, "-o", figure).startswith(figure))
            self.assertTrue(pathlib.Path(figure).read_bytes().startswith(beginning), (kind, ending))

    def test_same_bytes(self):
        for ending in ("pdf", "svg"):
            texts = []
            for name in ("one", "two"):
                self.main("surface", self.saltelli(), "-o", self.path(f"{name}.{ending}"))
                texts.append(pathlib.Path(self.path(f"{name}.{ending}")).read_bytes())
            self.assertEqual(*texts)

    def test_units_on_every_axis(self):
        for kind, path in self.figures().items():
            figure, _ = plot.KINDS[kind][0]([path] if kind in plot.TAKES_FILES else path)
            labels = [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel()) if text]
            self.assertTrue(labels, kind)
            for text in labels:
                self.assertRegex(text, r"\(.+\)$", kind)

    def test_width(self):
        for width, pixels in ((89, 89 / 25.4), (183, 183 / 25.4)):
            figure, _ = points.draw_dose_response(self.model(), width=width)
            self.assertAlmostEqual(figure.get_figwidth(), pixels)

    def test_the_default_name(self):
        self.assertTrue(self.main("tornado", self.saltelli()).startswith("saltelli-tornado.pdf"))
        self.assertTrue((self.folder / "saltelli-tornado.pdf").exists())

    def test_errors_are_one_sentence(self):
        model, study, trial = self.model(), self.saltelli(), self.trial()
        one = self.make("one.h5", lambda path: ketsweep.run(function(kind="sobol", points=64, parameters=ISHIGAMI[:1]), path))
        few, twelve = (self.make(f"{n}.h5", lambda path: ketsweep.run(function(kind="sobol", points=n), path)) for n in (4, 12))
        still = self.make("still.h5", lambda path: ketsweep.run({
            "protocol": {"horizon": 24.0}, "design": {"kind": "random", "points": 12}, "output": {
                "endpoints": ["ketamine_cmax"], "trajectories": {"states": ["madrs"], "times": [0.0]}},
            "parameters": [{"name": "infusion_dose", "values": [0.5]}, {"name": "weight"}]}, path))
        cases = [
            (("surface", self.path("nobody.h5")), "nobody.h5 does not exist"),
            (("surface", self.path("text.h5", "text")), "text.h5 cannot be read by HDF5"),
            (("surface", trial), "holds a study; this figure is of a campaign (`ketsweep run`)"),
            (("kaplan-meier", model), "holds no trial; this figure is of what `ketsweep trial` writes"),
            (("validation", trial, model), "holds no trial"),
            (("surface", model, "--endpoint", "madrs"), 'has no endpoint "madrs"; it has madrs_change_24h, response_24h'),
            (("surface", model, "-x", "dose"), 'has no parameter "dose"; it has infusion_dose, life_stress, session_count'),
            (("surface", study, "-x", "x1", "-y", "x1"), 'x and y are both "x1"'),
            (("surface", one), "varies 1 parameter; a surface needs two"),
            (("dose-response", few), "has 4 complete simulations; 10 are the fewest that are drawn"),
            (("dose-response", model, "--by", "age"), 'has no parameter or endpoint "age"; it has infusion_dose, '),
            (("surface", twelve), "12 simulations are too few for a surface: at no place are 10 near"),
            (("dose-response", still), "infusion_dose is 0.5 in all simulations of"),
            (("surface", still), "infusion_dose is 0.5 in all simulations of"),
            (("trajectories", still), "holds one time of madrs; a course takes two"),
            (("trajectories", study), "holds no trajectories; output.trajectories of the configuration asks for them"),
            (("trajectories", model, "--state", "bdnf"), 'has no state "bdnf"; it has madrs'),
            (("trajectories", model, "--arm", "placebo"), "holds no trial; --arm is of trials"),
            (("trajectories", trial, "--state", "madrs"), "holds a trial; --state is of campaigns"),
            (("tornado", model), "holds no indices; `ketsweep sensitivity "),
            (("tornado", study, "--method", "morris"), 'has no indices of "morris"; it has sobol'),
            (("tornado", study, "--endpoint", "z"), 'has no endpoint "z"; it has y'),
            (("tornado", study, "--top", "0"), "--top is 0; 1 is the least"),
            (("sensitivity", study, "--endpoint", "z"), 'has no endpoint "z"; it has y'),
            (("kaplan-meier", trial, "--arm", "saline"), 'has no arm "saline"; it has ketamine, placebo'),
            (("surface", study, "-o", self.path("a.bmp")), "a.bmp: the format follows the name, which may end in .eps, "),
            (("surface", study, "-o", self.path("none/a.pdf")), "none/a.pdf cannot be written: No such file or directory"),
            (("surface", study, "--width", "3"), "--width is 3; 30 to 1,000 mm are possible"),
        ]
        for arguments, words in cases:
            with self.subTest(words):
                said = self.main(*arguments, status=2)
                self.assertTrue(said.startswith("plot.py: ") and said.count("\n") == 1, said)
                self.assertIn(words, said)
        for arguments in ((), ("pie", model), ("surface",)):
            self.assertIn("usage:", self.main(*arguments, status=2))

    def test_too_many_arms_are_not_drawn(self):
        data = ketsweep.open(self.trial()).isel(arm=[0] * 8)
        with self.assertRaisesRegex(ketsweep.Error, "has 8 arms and a figure 7 colours; --arm names one"):
            studies.choose_arms("many.h5", data, None)


if __name__ == "__main__":
    unittest.main()
