"""What `check` says: a plan that a person understands, and what looks like a mistake, each with what to do about it."""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import TOP, ProgramTest  # noqa: E402

SOBOL = 'design : { kind = "sobol"; points = 256; };\n'


def vary(*entries, design=SOBOL):
    return design + "parameters : ( " + ", ".join("{ " + entry + " }" for entry in entries) + " );\n"


DOSE = vary('name = "infusion_dose"; low = 0.1; high = 1.0;')

# What looks wrong: name -> (text of t.cfg, words of its one warning; the same mended, which has none).
CASES = {
    "rate": (DOSE + "protocol : { infusion_duration = 0.1; };",
             "% of the points infuse faster than 1.5 mg/kg/h, up to 9.9",
             DOSE + "protocol : { infusion_duration = 0.6667; };"),
    "rate itself": (vary('name = "infusion_rate"; low = 0.5; high = 3.0;'), "a lower infusion_rate makes them clinical",
                    vary('name = "infusion_rate"; low = 0.5; high = 1.5;')),
    "rate of a schedule": ("protocol : { infusions = ( { time = 0; dose = 0.5; duration = 0.05; } ); };",
                           "the only point infuse faster than 1.5 mg/kg/h, up to 10:",
                           "protocol : { infusions = ( { time = 0; dose = 0.5; duration = 1.0; } ); };"),
    "rate in mg": ('protocol : { dose_unit = "mg"; infusion_dose = 100.0; infusion_duration = 0.5; };',
                   "faster than 1.5 mg/kg/h, up to 2.86:",
                   'protocol : { dose_unit = "mg"; infusion_dose = 100.0; infusion_duration = 1.0; };'),
    "rate of a grid's corner": ('design : { kind = "grid"; }; parameters : ( { name = "infusion_dose"; values = [0.5, 1.0]; }, '
                                '{ name = "infusion_duration"; values = [0.5, 0.75]; } );',
                                "25 % of the points infuse faster than 1.5 mg/kg/h, up to 2:",
                                'design : { kind = "grid"; }; parameters : ( { name = "infusion_dose"; values = [0.5, 1.0]; '
                                '}, { name = "infusion_duration"; values = [0.7, 0.75]; } );'),
    "no sessions": (vary('name = "infusion_dose";', 'name = "schema_unlearning";') + "patient : { baseline_madrs = 33.0; };",
                    "schema_unlearning varies and changes no output by more than 1 in 10,000: no session is held; set "
                    "protocol.session_count",
                    vary('name = "infusion_dose";', 'name = "schema_unlearning";') + "patient : { baseline_madrs = 33.0; };"
                    "protocol : { session_count = 4; };"),
    "delay of no session": (vary('name = "session_delay";'), "session_delay varies and changes no output",
                            vary('name = "session_delay";') + "protocol : { session_count = 2; };"),
    "route without absorption": (
        vary('name = "absorption_rate"; low = 1.0; high = 5.0;'), "the route iv has no absorption; set protocol.route",
        vary('name = "absorption_rate"; low = 1.0; high = 5.0;') + 'protocol : { route = "im"; };'),
    "interval of one infusion": (vary('name = "infusion_interval";'), "one infusion has no interval",
                                 vary('name = "infusion_interval";') + "protocol : { infusion_count = 2; };"),
    "mechanism that is off": (
        vary('name = "nfkb_ketamine_max"; low = 0.1; high = 0.8;') +
        "patient : { baseline_madrs = 33.0; mechanism_inflammation = 0.0; };",
        "switched off here: mechanism_inflammation",
        vary('name = "nfkb_ketamine_max"; low = 0.1; high = 0.8;') + "patient : { baseline_madrs = 33.0; };"),
    "one level": ('design : { kind = "grid"; }; parameters : ( { name = "infusion_dose"; values = [0.5]; } );',
                  "it has one value, 0.5",
                  'design : { kind = "grid"; }; parameters : ( { name = "infusion_dose"; values = [0.5, 1.0]; } );'),
    "endpoint that does not depend": (
        vary('name = "pressor_rate";') + 'patient : { baseline_madrs = 33.0; }; output : { endpoints = ["madrs_24h"]; };',
        "nothing of output depends on it under this protocol", vary('name = "pressor_rate";') +
        'patient : { baseline_madrs = 33.0; }; output : { endpoints = ["systolic_rise_peak"]; };'),
    "impossible protocols": (
        vary('name = "session_count"; low = 1; high = 12;') + "protocol : { horizon = 336.0; };",
        "of the points have a protocol that cannot be", vary('name = "session_count"; low = 1; high = 6;') +
        "protocol : { horizon = 336.0; };"),
    "traits without severity": (vary('name = "nmdar_density";'), "traits vary (nmdar_density)",
                                vary('name = "nmdar_density";') + "patient : { baseline_madrs = 33.0; };"),
    "patients who are well": (vary('name = "life_stress"; low = 0.0; high = 0.3;'), "are not depressed before treatment",
                              vary('name = "life_stress"; low = 0.25; high = 0.4;')),
    "decades": (vary('name = "glutamate_time";') + "patient : { baseline_madrs = 33.0; };", 'scale = "log"',
                vary('name = "glutamate_time"; scale = "log";') + "patient : { baseline_madrs = 33.0; };"),
    "no power of two": (DOSE.replace("256", "1000"), "design.points = 512 or 1024 instead of 1000",
                        DOSE.replace("256", "1024")),
    "few points": (DOSE.replace("256", "4"), "design.points = 4 is little for 1 parameters", DOSE.replace("256", "16")),
    "few base rows": (DOSE.replace('"sobol"', '"saltelli"').replace("256", "64"), "64 base rows are few",
                      DOSE.replace('"sobol"', '"saltelli"')),
    "few trajectories": (DOSE.replace('"sobol"', '"morris"').replace("256", "8"), "8 trajectories are few",
                         DOSE.replace('"sobol"', '"morris"').replace("256", "12")),
    "intranasal by weight": ('protocol : { route = "intranasal"; };', "intranasal doses are given in mg",
                             'protocol : { route = "intranasal"; dose_unit = "mg"; infusion_dose = 50.0; };'),
    "rare commits": (DOSE + "run : { commit_seconds = 86400.0; };", "a crash loses up to that much work",
                     DOSE + "run : { commit_seconds = 60.0; };"),
    "the reference solver": ('design : { kind = "random"; points = 3000; };' + DOSE.split("\n", 1)[1] +
                             'solver : { kind = "cvode"; };', "takes twenty times as long", DOSE +
                             'solver : { kind = "cvode"; };'),
    "time limit": (DOSE.replace("256", "1048576") + "run : { time_limit = 5.0; };", "run.time_limit = 5 s is short",
                   DOSE.replace("256", "1048576") + "run : { time_limit = 1e9; };"),
    "full disk": ('model = "test:ishigami"; design : { kind = "random"; points = 9007199254740992; };'
                  'parameters : ( { name = "x1"; } );', "free where", 'model = "test:ishigami"; design : { kind = "random"; '
                  'points = 100; }; parameters : ( { name = "x1"; } );'),
}


class Check(ProgramTest):
    def warnings_of(self, text):
        process = self.run_program("check", self.path("t.cfg", text))
        self.assertNotIn("error", process.stderr)
        lines = process.stderr.splitlines()
        self.assertEqual([line for line in lines if not line.startswith("warning: ")], [])
        return lines

    def test_plan(self):
        """The one line of the plan agrees with the file that is then written."""
        config = self.path("t.cfg", DOSE + 'protocol : { horizon = 48.0; }; output : { file = "t.h5"; };')
        plan = self.run_program("check", config).stdout
        self.assertRegex(plan, r"(?m)^256 patients x 2 days; file [\d.]+ MB; on one core about [\d.]+ (s|min)$")
        self.run_program("run", config, "-q")
        size = float(re.search(r"file ([\d.]+) MB", plan).group(1))
        self.assertAlmostEqual(size, (self.folder / "t.h5").stat().st_size / 1e6, delta=0.1 * size)

    def test_plan_of_a_large_campaign(self):
        plan = self.run_program("check", TOP / "configs/sweep.cfg", "--set", "design.points=1048576").stdout
        self.assertRegex(plan, r"(?m)^1,048,576 patients x 28 days; about [\d.]+ core-(minutes|hours); file \d+ MB; on \d+ "
                               r"ranks about \d+ s$")
        ranks, seconds = (int(number) for number in re.search(r"on (\d+) ranks about (\d+) s", plan).groups())
        self.assertEqual((ranks & (ranks - 1), seconds <= 60), (0, True))

    def test_plan_of_a_function(self):
        plan = self.run_program("check", self.path("t.cfg", 'model = "test:ishigami"; ' + vary('name = "x1";'))).stdout
        self.assertRegex(plan, r"(?m)^256 points of test:ishigami; file ")
        self.assertNotIn("protocol", plan)

    def test_units(self):
        """No number of the plan stands without its unit, but for those that have none."""
        plan = self.run_program("check", self.path("t.cfg", vary('name = "infusion_dose";', 'name = "session_count";',
                                                                 'name = "weight";'))).stdout
        self.assertRegex(plan, r"(?m)^  infusion_dose .* 95 % \S+ mg/kg$")
        self.assertRegex(plan, r"(?m)^  weight .* 95 % \S+ kg$")
        self.assertRegex(plan, r"(?m)^  session_count .* 95 % \d+$")
        self.assertRegex(plan, r"(?m)^  infusions  1, dose varied, route iv, duration 40 min, at 0 h$")
        self.assertRegex(plan, r"(?m)^  sessions   varied, duration 45 min, every 48 h from 24 h after the first")

    def test_shipped_configurations(self):
        """They warn of nothing but rates that are swept on purpose, and of traits where severity is free."""
        for path in sorted((TOP / "configs").glob("*.cfg")):
            lines = self.run_program("check", path).stderr.splitlines()
            others = [line for line in lines if "infuse faster" not in line and "traits vary" not in line]
            if path.name != "reference.cfg":
                self.assertEqual(others, [])

    def test_run_counts_warnings(self):
        """In one line, once; not with --quiet."""
        config = self.path("t.cfg", vary('name = "infusion_dose";', design='design : { kind = "sobol"; points = 7; };') +
                           "protocol : { horizon = 24.0; infusion_duration = 0.1; };")
        first = self.run_program("run", config, "-o", "a.h5").stderr
        self.assertIn(f"{config}: 2 warnings; `ketsweep check {config}`, with the same --set, says what looks like a mistake\n", first)
        self.assertNotIn("faster than", first)
        self.assertNotIn("warning", self.run_program("run", config, "-o", "a.h5").stderr)
        self.assertEqual(self.run_program("run", config, "-o", "b.h5", "-q").stderr, "")
        crowd = self.run_program("run", config, "-o", "c.h5", "--set", "design.points=2", ranks=3).stderr
        self.assertIn(f"{config}: 3 ranks for 2 points: the others have nothing to do; start fewer\n", crowd)


def add_cases():
    for title, (text, words, mended) in CASES.items():
        def test(self, text=text, words=words, mended=mended):
            found = self.warnings_of(text)
            self.assertEqual([words in line for line in found], [True], found)
            self.assertEqual(self.warnings_of(mended), [])
        setattr(Check, f"test_{title.replace(' ', '_')}", test)


add_cases()

if __name__ == "__main__":
    unittest.main()
