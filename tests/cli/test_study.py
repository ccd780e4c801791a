"""Cohorts and trials as a user runs them: the same for any ranks and after an interruption, true to their targets, and
honest about the published numbers."""
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import KETSWEEP, TOP, ProgramTest, contents  # noqa: E402

COMMON = """
protocol : { infusion_dose = 0.5; infusion_duration = 0.6667; horizon = 48.0; };
arms : (
  { name = "ketamine"; control = "placebo"; },
  { name = "placebo"; protocol : { infusion_dose = 0.0; }; }
);
observation : { madrs_sd = 2.5; visits = [24.0, 48.0]; };
output : { endpoints = ("madrs_baseline", "madrs_change_24h", "response_24h", "cadss_peak", "ketamine_cmax"); };
solver : { kind = "rosenbrock"; };
"""
POPULATION = """
population : {
  candidates = 900; patients = 150; seed = 7;
  covariates : (
    { name = "female"; probability = 0.65; },
    { name = "weight"; where = "not female"; distribution = "lognormal"; mean = 89.8; cv = 0.24; },
    { name = "weight"; where = "female"; distribution = "lognormal"; mean = 77.4; cv = 0.27; }
  );
  parameters : (
    { name = "ketamine_clearance"; distribution = "lognormal"; cv = 0.2; },
    { name = "life_stress"; distribution = "lognormal"; cv = 0.5; },
    { name = "mood_synapse"; distribution = "lognormal"; cv = 0.4; },
    { name = "mood_expectancy"; distribution = "lognormal"; cv = 0.6; }
  );
  accept : ( { endpoint = "madrs_baseline"; low = 20.0; high = 54.0; }, { parameter = "weight"; low = 45.0; high = 140.0; } );
};
"""
TARGETS = """
targets : (
  { id = "one"; arm = "ketamine"; endpoint = "madrs_baseline"; mean = 33.0; sd = 6.0; n = 47.0; use = "calibration"; },
  { id = "two"; arm = "ketamine"; endpoint = "response_24h"; mean = 0.55; n = 47.0; use = "calibration"; },
  { id = "three"; arm = "placebo"; endpoint = "madrs_change_24h"; mean = -8.5; n = 25.0; use = "calibration"; },
  { id = "four"; arm = "placebo"; endpoint = "response_24h"; mean = 0.9; n = 25.0; use = "validation"; }
);
"""
LOST = 2.5 ** 2 * 15 / 16  # variance of rater error that a mean over 16 raters lacks
COHORT = COMMON + POPULATION + TARGETS
TRIAL = COMMON + """
trial : { cohort = "cohort.h5"; replicates = 40; size = 20; };
uncertainty : { draws = 2; grades = "D"; cv = 0.05; };
targets : (
  { id = "one"; arm = "ketamine"; endpoint = "response_24h"; mean = 0.5; n = 47.0; use = "validation"; },
  { id = "one"; arm = "ketamine"; endpoint = "madrs_change_24h"; effect_size = -0.9; minus = "placebo"; n = 47.0; use = "validation"; }
);
"""


class Cohort(ProgramTest):
    """`ketsweep cohort`."""

    def make(self, name, text=COHORT, *more, ranks=None, status=0):
        config = self.path(f"{name}.cfg", text)
        return self.run_program("cohort", config, "-o", self.path(f"{name}.h5"), *more, ranks=ranks, status=status)

    def test_same_file_for_any_ranks_and_lanes(self):
        self.make("reference")
        reference = contents(self.path("reference.h5"))
        self.assertIn("cohort/weight", reference)
        for ranks in (1, 2, 3, 5):
            self.make("other", COHORT, "--overwrite", "--set", "run.commit_seconds=0.1", ranks=ranks)
            self.assertEqual(contents(self.path("other.h5")), reference, f"{ranks} ranks")
        self.make("other", COHORT, "--overwrite", "--lanes", "1")
        self.assertEqual(contents(self.path("other.h5")), reference, "1 lane")
        self.assertFalse(list(self.folder.glob("*.candidates")))

    def test_an_interrupted_run_goes_on(self):
        self.make("reference")
        config = self.path("killed.cfg", COHORT)
        command = [KETSWEEP, "cohort", config, "-o", self.path("killed.h5"), "-q", "--lanes", "1", "--set",
                   "run.commit_seconds=0.02"]
        log = self.folder / "killed.h5.candidates"
        for n in range(3):  # each time when there is more than before
            size = log.stat().st_size if log.exists() else 0
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                if log.exists() and log.stat().st_size > size + 2000:
                    break
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.wait()
            if not log.exists():
                self.assertGreater(n, 0, "ended before it was killed once")
                break
            with open(log, "ab") as stream:
                stream.write(b"torn")
        answer = subprocess.run([word for word in command if word != "-q"], check=True, capture_output=True, text=True)
        self.assertIn("candidates are there already", answer.stderr)
        self.assertEqual(contents(self.path("killed.h5")), contents(self.path("reference.h5")))

    def test_a_stopped_run_goes_on(self):
        """By a signal to two ranks, by the time limit, and then to the end; no candidate counts twice."""
        many = ["--set", "population.candidates=6000"]
        self.make("reference", COHORT, *many)
        config, log = self.path("stopped.cfg", COHORT), self.folder / "stopped.h5.candidates"
        command = [KETSWEEP, "cohort", config, "-o", self.path("stopped.h5"), "-q", "--lanes", "1", *many, "--set",
                   "run.commit_seconds=0.05"]
        process = subprocess.Popen(["mpirun", "-n", "2", *command], stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline and not (log.exists() and log.stat().st_size > 2000):
            time.sleep(0.001)
        process.send_signal(signal.SIGUSR1)
        answer = process.communicate()[1]
        self.assertEqual(process.returncode, 3, answer)
        self.assertRegex(answer, r"stopped by SIGUSR1; \d+ of 6000 candidates are in .*stopped.h5.candidates and safe")
        size = log.stat().st_size
        limited = subprocess.run([*command, "--set", "run.time_limit=0.3"], capture_output=True, text=True)
        self.assertEqual(limited.returncode, 3, limited.stderr)
        self.assertIn("stopped by the time limit", limited.stderr)
        self.assertGreater(log.stat().st_size, size)
        self.assertFalse((self.folder / "stopped.h5").exists())
        leftover = self.path("stopped.h5.part-abcdef", "of a killed run")
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        self.assertEqual(contents(self.path("stopped.h5")), contents(self.path("reference.h5")))
        self.assertFalse(os.path.exists(leftover))

    def leave_log(self, name, *more):
        """Stops a run of 3,000 candidates; the arguments that go on with it."""
        many = [*more, "--set", "population.candidates=3000", "--set", "run.commit_seconds=0.05"]
        self.make(name, COHORT, *many, "--lanes", "1", "--set", "run.time_limit=0.3", status=3)
        return many

    def test_a_link_stays_one(self):
        target = pathlib.Path(self.path("target.h5", "old"))
        os.symlink("target.h5", self.path("link.h5"))
        leftover = self.path("target.h5.part-abcdef", "of a killed run")
        self.make("link", COHORT, "--overwrite")
        self.assertTrue(os.path.islink(self.path("link.h5")))
        self.assertIn("cohort/weight", contents(target))
        self.assertFalse(os.path.exists(leftover))

    def test_a_stopped_overwrite_goes_on(self):
        self.path("old.h5", "precious")
        many = self.leave_log("old", "--overwrite")
        self.assertEqual((self.folder / "old.h5").read_text(), "precious")
        self.assertIn("candidates are there already", self.make("old", COHORT, *many).stderr)
        self.make("reference", COHORT, *many)
        self.assertEqual(contents(self.path("old.h5")), contents(self.path("reference.h5")))

    def test_another_selection_takes_the_same_candidates(self):
        many = self.leave_log("other")
        log = (self.folder / "other.h5.candidates").read_bytes()
        other = 'title = "another";' + COHORT.replace("mean = 33.0; sd = 6.0", "mean = 32.0; sd = 7.0") + \
            'selection : { method = "none"; };'
        answer = self.make("other", other, *many, "--set", "population.patients=200")
        self.assertIn("candidates are there already", answer.stderr)
        self.make("reference", other, *many, "--set", "population.patients=200")
        self.assertEqual(contents(self.path("other.h5")), contents(self.path("reference.h5")))
        for old, new in (("low = 20.0", "low = 21.0"), ("madrs_sd = 2.5", "madrs_sd = 2.0"), ("infusion_dose = 0.5", "infusion_dose = 0.4"),
                         ('"placebo"; endpoint = "response_24h"', '"ketamine"; endpoint = "madrs_change_24h"')):
            self.assertIn(old, COHORT)
            (self.folder / "differs.h5.candidates").write_bytes(log)
            answer = self.make("differs", COHORT.replace(old, new), *many, status=2)
            self.assertIn("is of another study; --overwrite starts anew", answer.stderr, new)
        (self.folder / "torn.h5.candidates").write_bytes(log[:20])
        self.make("torn", COHORT)
        (self.folder / "empty.h5.candidates").write_bytes(b"")
        self.make("empty", COHORT)

    def test_a_study_is_no_campaign(self):
        answer = self.run_program("run", self.path("study.cfg", COHORT), "-o", self.path("study.h5"), status=2)
        self.assertIn("use `ketsweep cohort`", answer.stderr)
        self.assertFalse((self.folder / "study.h5").exists())

    def test_weights_reproduce_their_targets(self):
        self.make("cohort")
        with h5py.File(self.path("cohort.h5")) as file:
            c = {name: dataset[()] for name, dataset in file["cohort"].items()}
            measures = list(file["cohort/measure"].asstr()[:])
            selects = list(file["cohort/target_selects"].asstr()[:])
        w = c["weight"]
        self.assertEqual(len(w), 150)
        self.assertEqual(len(set(c["candidate"])), 150)
        self.assertAlmostEqual(w.sum(), 1, delta=1e-10)  # to the tolerance of the solver
        self.assertTrue((w > 0).all())

        def values(name):
            return c["values"][:, measures.index(name)]

        baseline = values("ketamine: madrs_baseline")
        mean = (w * baseline).sum()
        self.assertAlmostEqual(mean, 33, delta=1e-8)
        # values are means over 16 raters; one rater sees the rest of the error's variance too
        self.assertAlmostEqual(numpy.sqrt((w * (baseline - mean) ** 2).sum() + LOST), 6, delta=1e-8)
        self.assertAlmostEqual((w * values("ketamine: response_24h")).sum(), 0.55, delta=1e-8)
        self.assertAlmostEqual((w * values("placebo: madrs_change_24h")).sum(), -8.5, delta=1e-8)
        self.assertEqual(selects, ["yes"] * 4 + ["no"])
        validation = (w * values("placebo: response_24h")).sum()
        self.assertAlmostEqual(c["after"][4], validation, delta=1e-12)
        self.assertLess(validation, 0.6, "a validation target has selected patients")
        self.assertAlmostEqual(c["effective_n"][0], w.sum() ** 2 / (w ** 2).sum(), delta=1e-9)
        self.assertEqual(c["rejected"].sum() + self.plausible(), 900)
        self.assertTrue((c["baseline"][:, 0] >= 20).all() and (c["baseline"][:, 0] <= 54).all())
        traits = list(h5py.File(self.path("cohort.h5"))["cohort/trait"].asstr()[:])
        weight = c["inputs"][:, traits.index("weight")]
        self.assertTrue((weight >= 45).all() and (weight <= 140).all())

    def plausible(self):
        answer = self.make("again", COHORT, "--overwrite").stdout
        return int(re.search(r"of (\d+) plausible", answer).group(1))

    def test_rater_error_and_latent_scores(self):
        self.make("cohort", COHORT + "\n", "--set", 'selection.method="none"', "--set", "population.patients=0")
        with h5py.File(self.path("cohort.h5")) as file:
            latent, observed = file["cohort/baseline"][:].T
        error = observed - latent
        self.assertLess(abs(error.mean()), 4 * 2.5 / numpy.sqrt(len(error)))
        self.assertLess(abs(error.std() / 2.5 - 1), 4 / numpy.sqrt(2 * len(error)))

    def test_acceptance_by_density(self):
        text = COMMON + POPULATION + """
targets : ( { id = "one"; endpoint = "madrs_baseline"; mean = 32.0; sd = 5.0; n = 47.0; use = "calibration"; } );
selection : { method = "accept_reject"; };"""
        self.make("cohort", text, "--set", "population.candidates=4000", "--set", "population.patients=300")
        with h5py.File(self.path("cohort.h5")) as file:
            values, weight, p = file["cohort/values"][:, 0], file["cohort/weight"][:], file["cohort/p_value"][:]
        self.assertTrue(numpy.allclose(weight, 1 / 300))
        self.assertLess(abs(values.mean() - 32), 4 * 5 / numpy.sqrt(300))
        self.assertLess(abs(numpy.sqrt(values.var() + LOST) / 5 - 1), 4 / numpy.sqrt(600))
        self.assertGreater(p[0], 0.001)

    def test_targets_that_cannot_be_met_are_named(self):
        more = TARGETS.replace('{ id = "four"', '{ id = "contrary"; arm = "ketamine"; endpoint = "response_24h"; mean = 0.3; '
                               'use = "calibration"; },\n  { id = "four"')
        answer = self.make("cohort", COMMON + POPULATION + more, "-q", status=2)
        self.assertIn("these targets together: two mean 0.55, contrary mean 0.3", answer.stderr)
        self.assertNotIn("three", answer.stderr)
        self.assertFalse((self.folder / "cohort.h5").exists())

    def test_refusals(self):
        self.make("cohort")
        before = contents(self.path("cohort.h5"))
        self.assertIn("--overwrite replaces it", self.make("cohort", status=2).stderr)
        self.assertEqual(contents(self.path("cohort.h5")), before)
        (self.folder / "other.h5.candidates").write_bytes(b"something else")
        self.assertIn("is of another study", self.make("other", status=2).stderr)
        self.assertIn("need more candidates", self.make("few", COHORT, "--set", "population.patients=890", status=2).stderr)
        self.assertIn("a cohort needs the section population", self.make("none", COMMON, status=2).stderr)


class Trial(ProgramTest):
    """`ketsweep trial`."""

    def setUp(self):
        super().setUp()
        self.run_program("cohort", self.path("cohort.cfg", COHORT), "-o", self.path("cohort.h5"), "-q")

    def treat(self, name, text=TRIAL, *more, **options):
        return self.run_program("trial", self.path(f"{name}.cfg", text), "-o", self.path(f"{name}.h5"), *more, **options)

    def read(self, name):
        with h5py.File(self.path(f"{name}.h5")) as file:
            return {key: dataset.asstr()[:] if dataset.dtype.hasobject else dataset[()] for key, dataset in file["trial"].items()}

    def test_same_file_for_any_ranks(self):
        self.treat("reference")
        reference = contents(self.path("reference.h5"))
        for ranks in (1, 2, 3):
            self.treat("other", TRIAL, "--overwrite", ranks=ranks)
            self.assertEqual(contents(self.path("other.h5")), reference, f"{ranks} ranks")

    def test_statistics_follow_from_the_patients(self):
        self.treat("trial")
        t = self.read("trial")
        names = list(t["statistic"])
        w, base = t["weight"], t["baseline"][:, :, 1].astype(float)
        change = t["observed"][:, :, 0].astype(float) - base
        mean = change @ w
        sd = numpy.sqrt(((change - mean[:, None]) ** 2) @ w)
        response = (t["observed"][:, :, 0] <= 0.5 * base) @ w
        remission = (t["observed"][:, :, 0] <= 10) @ w
        s = {name: t["summary"][:, 0, names.index(name)] for name in names}
        numpy.testing.assert_allclose(s["change_mean"], mean, rtol=1e-5)
        numpy.testing.assert_allclose(s["change_sd"], sd, rtol=1e-5)
        numpy.testing.assert_allclose(s["response"], response, rtol=1e-9)
        numpy.testing.assert_allclose(s["remission"], remission, rtol=1e-9)
        self.assertAlmostEqual(s["difference"][0], mean[0] - mean[1], delta=1e-4)
        self.assertAlmostEqual(s["effect_size"][0], (mean[0] - mean[1]) / numpy.sqrt((sd ** 2).mean()), delta=1e-4)
        self.assertAlmostEqual(s["number_needed"][0], 1 / (response[0] - response[1]), delta=1e-6)
        self.assertTrue(numpy.isnan(s["difference"][1]))
        # common random numbers: the same patients, and the same raters at the baseline
        numpy.testing.assert_array_equal(t["baseline"][0], t["baseline"][1])
        self.assertGreater(t["endpoints"][0, :, list(t["endpoint"]).index("cadss_peak")].min(), 0)
        self.assertEqual(t["endpoints"][1, :, list(t["endpoint"]).index("cadss_peak")].max(), 0)
        self.assertEqual(list(t["row"].ravel()), list(range(2 * len(w))))
        self.assertTrue(numpy.isnan(t["summary_low"]).all(), "two draws give no interval")
        self.assertLess(t["replicate_low"][0, 0, names.index("response")], response[0])

    def test_replicates_have_the_spread_of_their_size(self):
        spread = {}
        for size in (20, 80):
            self.treat(f"size{size}", TRIAL, "--set", f"trial.size={size}", "--set", "trial.replicates=2000", "--set",
                       "uncertainty.draws=0")
            t = self.read(f"size{size}")
            response = t["replicate"][0, :, 0, list(t["statistic"]).index("response")]
            p = t["summary"][0, 0, list(t["statistic"]).index("response")]
            spread[size] = response.std()
            self.assertAlmostEqual(response.mean(), p, delta=4 * numpy.sqrt(p * (1 - p) / size / 2000))
            self.assertAlmostEqual(response.std() / numpy.sqrt(p * (1 - p) / size), 1, delta=4 / numpy.sqrt(4000))
        self.assertGreater(spread[20], 1.7 * spread[80])

    def test_more_patients_leave_the_uncertainty_of_constants(self):
        """25 draws on 60 and on 240 patients: the interval does not narrow by half."""
        widths = []
        for n in (60, 240):
            text = TRIAL.replace('cohort = "cohort.h5";', "").replace("draws = 2", "draws = 25") + POPULATION.replace(
                "patients = 150", f"patients = {n}")
            self.treat(f"n{n}", text, "--set", "trial.replicates=0")
            t = self.read(f"n{n}")
            k = list(t["statistic"]).index("change_mean")
            widths.append(t["summary_high"][0, 0, k] - t["summary_low"][0, 0, k])
        self.assertGreater(widths[1], 0.7 * widths[0])

    def test_dropout_and_rescue(self):
        lost = TRIAL.replace("size = 20;", "size = 20; dropout = 0.5;")
        self.treat("lost", lost)
        t = self.read("lost")
        names = list(t["statistic"])
        seen = t["summary"][0, :, names.index("seen")]
        expected = [0.5 ** (24 / 168), 0.5 ** (48 / 168)]
        for share, hope in zip(seen, expected):
            self.assertLess(abs(share - hope), 4 * numpy.sqrt(hope * (1 - hope) / 140))
        missing = numpy.isnan(t["observed"])
        self.assertFalse((missing[:, :, 0] & ~missing[:, :, 1]).any(), "somebody came back")
        self.assertTrue((missing[0] == missing[1]).all(), "arms lose the same patients")
        self.treat("rescued", TRIAL.replace("size = 20;", "size = 20; rescue_ratio = 0.8; rescue_after = 24.0;"))
        t = self.read("rescued")
        gone = numpy.isnan(t["observed"][:, :, 1])
        above = t["observed"][:, :, 0] > 0.8 * t["baseline"][:, :, 1]
        self.assertTrue((gone == above).all())
        self.assertGreater(gone[1].mean(), gone[0].mean())

    def test_patients_go_out_and_come_back(self):
        self.run_program("export", self.path("cohort.h5"), "--dataset", "cohort", "-o", self.path("patients.csv"))
        self.treat("direct", TRIAL, "-q")
        again = TRIAL.replace('cohort = "cohort.h5";', "") + 'population : { file = "patients.csv"; };'
        self.treat("again", again, "-q")
        a, b = self.read("direct"), self.read("again")
        for name in ("observed", "latent", "endpoints", "candidate", "summary", "replicate"):
            if a[name].dtype == float or a[name].dtype == numpy.float32:
                numpy.testing.assert_allclose(a[name], b[name], rtol=1e-9, err_msg=name)
            else:
                numpy.testing.assert_array_equal(a[name], b[name], name)
        text = self.run_program("export", self.path("direct.h5"), "--dataset", "trial").stdout
        units, *text = text.splitlines()
        self.assertTrue(units.startswith("# units: 1,name,1,1,1,1,points"), units)
        self.assertEqual(units.count(","), text[0].count(","))
        self.assertTrue(units.endswith(",ng/mL"), units)
        rows = list(csv.DictReader(text))
        self.assertEqual(len(rows), 2 * 150)
        self.assertEqual(rows[150]["arm"], "placebo")
        self.assertEqual(numpy.float32(rows[7]["observed_24h"]), a["observed"][0, 7, 0])

    def test_a_mechanism_is_switched_off(self):
        arms = '{ name = "placebo"; protocol : { infusion_dose = 0.0; }; }'
        self.assertIn(arms, TRIAL)
        text = TRIAL.replace(arms, arms + ', { name = "held"; control = "placebo"; patient : { mechanism_habenula = 0.0; }; literature = "known"; }')
        answer = self.treat("knockout", text).stdout
        self.assertRegex(answer, r"share of the effect of ketamine that is left")
        left = float(re.search(r"  held\n +24 h +([\d.]+)", answer).group(1))
        t = self.read("knockout")
        difference = t["summary"][:, 0, list(t["statistic"]).index("difference")]
        self.assertAlmostEqual(left, difference[2] / difference[0], delta=0.006)
        self.assertTrue(0.2 < left < 0.9)
        self.assertIn("known: known", answer)

    def test_tailoring_names_no_winner_that_it_cannot_tell(self):
        same = TRIAL.replace('{ name = "placebo"; protocol : { infusion_dose = 0.0; }; }',
                             '{ name = "placebo"; protocol : { infusion_dose = 0.0; }; }, { name = "twin"; }') + "tailor : { };"
        same = same.replace('"ketamine_cmax"', '"ketamine_auc"').replace("draws = 2", "draws = 20")
        answer = self.treat("tailor", same, "--set", "tailor.exposure_cost=0.0", "--set", "tailor.dissociation_cost=0.0").stdout
        everybody = answer[answer.index("everybody"):].split("\n  baseline")[0]
        self.assertIn("no difference can be told between 2 of 3 protocols", everybody)
        self.assertIn("twin", everybody)
        costly = self.treat("costly", same, "--set", "tailor.exposure_cost=100.0").stdout
        self.assertRegex(costly, r"everybody: placebo\n")
        few = self.treat("few", same.replace("draws = 20", "draws = 2"), "--set", "tailor.exposure_cost=100.0").stdout
        self.assertNotRegex(few, r"everybody: placebo\n")
        self.assertIn("nothing can be told apart", few)

    def test_refusals(self):
        none = TRIAL.replace('cohort = "cohort.h5";', "")
        self.assertIn("no patients", self.treat("none", none, status=2).stderr)
        both = TRIAL + POPULATION
        self.assertIn("is not allowed beside it", self.treat("both", both, status=2).stderr)
        wrong = TRIAL.replace("cohort.h5", "cohort.cfg")
        self.assertIn("is not an HDF5 file", self.treat("wrong", wrong, status=2).stderr)
        missing = TRIAL.replace("cohort.h5", "nobody.h5")
        self.assertIn("nobody.h5: No such file", self.treat("missing", missing, status=2).stderr)
        answer = self.run_program("export", self.path("cohort.h5"), "--dataset", "trial", status=2)
        self.assertIn("cohort.h5 holds no trial", answer.stderr)
        self.assertNotIn("src/", answer.stderr, "a trace")

    def test_tables_that_do_not_agree(self):
        """Each table in turn lacks a row, or is not there: one sentence, and no crash."""
        self.treat("trial")
        for group in ("cohort", "trial"):
            source = pathlib.Path(self.path(f"{group}.h5"))
            export = ["export", self.path("bad.h5"), "--dataset", group]
            asked = {"cohort": ("candidate", "weight", "trait", "trait_unit", "inputs", "baseline"),
                     "trial": ("arm", "weight", "visit", "endpoint", "endpoint_unit", "row", "observed", "endpoints")}[group]
            for name in asked:
                for rows in (1, 0):
                    shutil.copy(source, self.path("bad.h5"))
                    with h5py.File(self.path("bad.h5"), "a") as file:
                        data = file[group][name]
                        kept, kind = data[:-1], data.dtype
                        del file[group][name]
                        if rows:
                            file[group].create_dataset(name, data=kept, dtype=kind)
                    answer = self.run_program(*export, status=1)
                    self.assertRegex(answer.stderr, r"bad\.h5.*(rows along axis|no dataset)", name)
                    self.assertEqual(answer.stdout, "")
                    if group == "cohort" and name != "baseline":
                        self.assertIn("do not agree in size", self.treat("treated", TRIAL.replace("cohort.h5", "bad.h5"),
                                                                         ranks=2 if name == "trait" else None, status=1).stderr)

    def test_files_that_are_none(self):
        os.mkfifo(self.path("pipe.h5"))
        self.assertIn("is a pipe, not a file", self.run_program("export", self.path("pipe.h5"), "--dataset", "cohort", status=2).stderr)
        self.assertIn("is a pipe, not a file", self.treat("piped", TRIAL.replace("cohort.h5", "pipe.h5"), status=2).stderr)
        whole = pathlib.Path(self.path("cohort.h5")).read_bytes()
        for share in range(1, 8):
            pathlib.Path(self.path("cut.h5")).write_bytes(whole[:len(whole) * share // 8])
            answer = self.run_program("export", self.path("cut.h5"), "--dataset", "cohort", status=1)
            self.assertIn("damaged", answer.stderr)

    def test_a_trial_without_visits_or_endpoints_is_exported(self):
        text = re.sub(r"observation : .*|output : .*", "", TRIAL)
        text = text[:text.index("targets")] + 'output : { endpoints = ("cadss_peak"); };'
        self.treat("blind", text)
        answer = self.run_program("export", self.path("blind.h5"), "--dataset", "trial").stdout.splitlines()
        self.assertEqual(answer[1], "row,arm,patient,candidate,prevalence,status,baseline_latent,baseline_observed,cadss_peak")
        self.assertEqual(len(answer), 2 + 2 * 150)

    def test_a_stopped_trial_starts_anew(self):
        answer = self.treat("stopped", TRIAL, "--set", "uncertainty.draws=2000", "--set", "run.time_limit=0.5", status=1)
        self.assertRegex(answer.stderr, r"stopped by the time limit in draw \d+ of 2001; .* starts anew")
        self.assertFalse((self.folder / "stopped.h5").exists())

    def test_the_cohort_is_not_overwritten(self):
        before = contents(self.path("cohort.h5"))
        os.symlink("cohort.h5", self.path("link.h5"))
        for name in ("cohort", "link"):
            answer = self.treat(name, TRIAL.replace('"cohort.h5"', json.dumps(self.path("cohort.h5"))), "--overwrite", status=2)
            self.assertIn("is the cohort of the trial", answer.stderr)
        self.assertEqual(contents(self.path("cohort.h5")), before)


class Published(ProgramTest):
    """The published numbers of configs/trials: all there, and none used for what it must not be."""

    FOLDER = TOP / "configs" / "trials"
    NOT_A_NUMBER = {"superior_to_midazolam"}  # a verdict: whether two doses were better

    def setUp(self):
        super().setUp()
        with open(self.FOLDER / "trials.csv") as stream:
            self.rows = list(csv.DictReader(stream))
        self.population = (TOP / "configs" / "population-trd.cfg").read_text()

    def targets_of(self, name):
        """Each target of a configuration: its text."""
        text = (self.FOLDER / f"{name}.cfg").read_text()
        return re.findall(r"\{ (id = .*?) \}", text[text.index("targets"):], re.DOTALL)

    def test_every_number_has_its_target(self):
        self.assertGreater(len(self.rows), 35)
        for row in self.rows:
            if row["endpoint"] in self.NOT_A_NUMBER:
                continue
            value = float(row["value"])
            if row["endpoint"] == "relapsed":
                value = 1 - value  # the configuration asks who is still a responder
            targets = [t for t in self.targets_of(row["id"]) if f'use = "{row["use"]}"' in t]
            numbers = [float(n) for t in targets for n in
                       re.findall(r"(?:mean|difference|effect_size|median_relapse) = (-?[\d.]+)", t)]
            self.assertTrue(any(abs(n - value) < 1e-9 for n in numbers), f"{row['id']} {row['endpoint']} {value}")

    def test_uses_are_those_of_the_table(self):
        uses = {}
        for row in self.rows:
            uses.setdefault(row["id"], set()).add(row["use"])
        for name, use in uses.items():
            self.assertEqual(len(use), 1, name)
            for target in self.targets_of(name):
                self.assertIn(f'id = "{name}"', target)
                self.assertIn(f'use = "{next(iter(use))}"', target)

    def sources_of_parameters(self):
        parameters = json.loads(self.run_program("show", "parameters", "--json").stdout)
        yield from (row["source"] for row in parameters)
        yield from re.findall(r'source = "([^"]*)"', self.population)

    def test_no_source_of_a_parameter_validates(self):
        """By author and year, as sources are cited; a validating trial sets no parameter and selects no patient."""
        known = " ".join(self.sources_of_parameters())
        self.assertIn("Otto 2021", known)
        selecting = set(re.findall(r'id = "([^"]*)"', self.population))
        self.assertIn("murrough2013", selecting)
        for row in self.rows:
            if row["use"] != "validation":
                continue
            author = re.match(r"(\S+)(?: \D*)? (\d{4})", row["source"])
            if author:
                self.assertNotRegex(known, rf"\b{re.escape(author.group(1))}\b.{{0,20}}\b{author.group(2)}\b", row["source"])
            self.assertNotIn(row["id"], selecting)
        for text in re.findall(r"\{ (id = .*?) \}", self.population):
            self.assertIn('use = "calibration"', text)

    def test_every_configuration_loads(self):
        for path in [*self.FOLDER.glob("*.cfg"), TOP / "configs" / "tailor.cfg", TOP / "configs" / "population-trd.cfg"]:
            self.run_program("check", path, "--set", "output.file=\"x.h5\"")


if __name__ == "__main__":
    unittest.main()
