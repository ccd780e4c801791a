"""What a user sees of every kind of wrong configuration: the exact lines on stderr, and exit status 2.

CASES: name -> (text of t.cfg, the lines without "t.cfg:", files beside it). A line that begins with a digit is placed
in t.cfg; others stand as they are.
"""
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ProgramTest  # noqa: E402

RANDOM = 'design : { kind = "random"; points = 8; };\n'
GRID = 'design : { kind = "grid"; };\n'
FILE = 'design : { kind = "file"; file = "p.csv"; };\n'
TOP_KEYS = "title, model, protocol, patient, design, parameters, correlation, output, population, arms, targets, selection, observation, uncertainty, trial, tailor, solver, run"


def vary(*entries, design=RANDOM):
    """A design over entries, from line 3 on, one per line."""
    return design + "parameters : (\n" + ",\n".join("{ " + entry + " }" for entry in entries) + "\n);\n"


def correlate(*pairs):
    entries = [f'name = "{name}";' for name in ("weight", "tnf_time", "il6_time")]
    return vary(*entries) + "correlation : (" + ",\n".join("{ " + pair + " }" for pair in pairs) + ");\n"


SYNTAX = {
    "syntax error": ("title = \"a\";\nprotocol : {\n  horizon == 3;\n};\n", ["3: syntax error; write entries as name = value; and groups as name : { ... };"]),
    "string without an end": ("title = \"a\";\n\nmodel = \"ketamine;\n",
                              ["3: syntax error: the string that begins here never ends; close it with \""]),
    "comment without an end": (
        "title = \"a\";\n/* model\n", ["2: syntax error: the comment that begins here never ends; close it with */"]),
    "key given twice": ("title = \"a\";\ntitle = \"b\";\n", ["2: this key is given already; leave out one of the two"]),
    "array of two types": ("output : { trajectories : {\n times = [0.5, 1]; }; };\n",
                           ["2: syntax error: an array holds one type; write 1.0 beside 0.5"]),
    "nesting": ("a = " + 20000 * "(" + 20000 * ")" + ";\n", ["1: syntax error: nested too deeply; a configuration needs no more than 32 levels"]),
    "integer beyond 64 bits": ("protocol : {\nhorizon = 99999999999999999999; };\n",
                               ["2: an integer that does not fit into 64 bits; write it as 1e20: 99999999999999999999"]),
    "include of a missing file": ("title = \"a\";\n@include \"sub/none.cfg\"\n",
                                  ["2: @include: cannot read sub/none.cfg: No such file or directory; name another file, as seen from t.cfg"]),
    "include of itself": ("@include \"t.cfg\"\n", ["1: @include: cannot read t.cfg: it includes itself; name another file, as seen from t.cfg"]),
    "include without quotes": ("@include t.cfg\n", ["1: @include takes the name of a file in quotes"]),
    "syntax error in an included file": ("title = \"a\";\n@include \"b.cfg\"\n", ["b.cfg:2: syntax error; write entries as name = value; and groups as name : { ... };"],
                                         {"b.cfg": "model = \"ketamine\";\n= 2;\n"}),
}

KEYS = {
    "unknown key": ('design : { kind = "random";\npionts = 8; };\nparameters = ( { name = "weight"; } );',
                    ['1: design: "points" is missing; give it (of all but grid; of file: its first rows (default: all); see show designs)', '2: design.pionts: unknown key; did you mean "points"?']),
    "unknown key like no other": ("solver : { colour = 1; };",
                                  ["1: solver.colour: unknown key; known are kind, rtol, max_steps"]),
    "unknown section": ("sampling : { };", [f"1: sampling: unknown key; known are {TOP_KEYS}"]),
    "key like no other": (
        "run : { colour = 3; };", ["1: run.colour: unknown key; known are commit_seconds, time_limit, "
                                   "watchdog_seconds, mpi_info, watch"]),
    "hint that says nothing": ('run : { mpi_info : { cb_nodes = ""; }; };',
                               ["1: run.mpi_info.cb_nodes: has 0 characters; 1 to 255 are allowed"]),
    "hint that is no word": ("run : { mpi_info : { cb_nodes = 1.5; }; };",
                             ["1: run.mpi_info.cb_nodes: expected an integer or a string, found the number 1.5"]),
    "unknown protocol key": ("protocol : { infusion_dosis = 1; };",
                             ['1: protocol.infusion_dosis: unknown key; did you mean "infusion_dose"?']),
    "unknown patient parameter": ("patient : {\n weigth = 70; };",
                                  ['2: patient.weigth: unknown parameter; did you mean "weight"?']),
    "parameter like no other": ("patient : { moonphase = 1; };",
                                ['1: patient.moonphase: unknown parameter; see "ketsweep show parameters"']),
    "protocol key of a patient": ("patient : { horizon = 1; };",
                                  ["1: patient.horizon: this is a key of the section protocol"]),
    "patient key of a protocol": ("protocol : { weight = 1; };",
                                  ["1: protocol.weight: this is a key of the section patient"]),
    "unknown model": (
        'model = "test:ishigmi";', ['1: model: unknown model "test:ishigmi"; did you mean "test:ishigami"?']),
    "protocol of a function": ('model = "test:ishigami";\nprotocol : { };\npatient : { };\n',
                               ['2: protocol: the model "test:ishigami" has no protocol; leave it out',
                                '3: patient: the model "test:ishigami" has no patient; leave it out']),
    "solver": ('solver : { kind = "euler"; };', ['1: solver.kind: unknown kind "euler"; known are rosenbrock, cvode']),
}

VALUES = {
    "string for a number": ('protocol : { infusion_dose = "abc"; };',
                            ['1: protocol.infusion_dose: expected a number, found the string "abc"']),
    "number for a string": ("title = 5;", ["1: title: expected a string, found the number 5"]),
    "list for a number": ("solver : { rtol = (1); };", ["1: solver.rtol: expected a number, found a list"]),
    "truth for a number": ("solver : { rtol = true; };", ["1: solver.rtol: expected a number, found true or false"]),
    "number for a group": ("solver = 1.5;", ["1: solver: expected a group { ... }, found the number 1.5"]),
    "number for the protocol": ("protocol = 1;", ["1: protocol: expected a group { ... }, found the number 1"]),
    "group for a list": ("parameters : { };\n" + RANDOM,
                         ["1: parameters: expected a list of groups ( {name; ...}, ... ), found a group"]),
    "number for a list": ("parameters = 3;\n" + RANDOM,
                          ["1: parameters: expected a list of groups ( {name; ...}, ... ), found the number 3"]),
    "infinite number": ("protocol : { horizon = 1e999; };",
                        ["1: protocol.horizon: the number is too large for a computer's arithmetic; it must be below 1.8e308"]),
    "negative dose": ("protocol : {\n infusion_dose = -0.5; };",
                      ["2: protocol.infusion_dose: -0.5 is not allowed; it must be >= 0"]),
    "zero rate": (
        "protocol : { infusion_rate = 0.0; };", ["1: protocol.infusion_rate: 0 is not allowed; it must be > 0"]),
    "broken count": ("protocol : { infusion_count = 2.5; };",
                     ["1: protocol.infusion_count: 2.5 is not allowed; it must be an integer in [0, 1000]"]),
    "fraction above 1": ("patient : { fraction_unbound = 1.5; };",
                         ["1: patient.fraction_unbound: 1.5 is not allowed; it must be in [0, 1]"]),
    "route": ('protocol : { route = "nasal"; };',
              ['1: protocol.route: unknown route "nasal"; known are iv, im, intranasal, sublingual, oral']),
    "unit": (
        'protocol : { dose_unit = "ounce"; };', ['1: protocol.dose_unit: unknown unit "ounce"; known are mg/kg, mg']),
    "unit without a dose": ('protocol : { dose_unit = "mg"; };',
                            ['1: protocol.dose_unit: the default infusion_dose is in mg/kg; with "mg" give infusion_dose']),
    "tolerance": ("solver : { rtol = 0.5; max_steps = 0; };",
                  ["1: solver.rtol: 0.5 is not allowed; it must be in [1e-13, 0.01]",
                   "1: solver.max_steps: 0 is not allowed; it must be an integer in [1, 2147483647]"]),
    "commit interval": (
        "run : { commit_seconds = 0; };", ["1: run.commit_seconds: 0 is not allowed; it must be > 0"]),
}

PROTOCOLS = {
    "both twins": ("protocol : { infusion_duration = 1;\ninfusion_rate = 1; };",
                   ["2: protocol.infusion_rate: infusion_duration is given too; exactly one of the two is allowed"]),
    "both twins varied": (vary('name = "infusion_duration";', 'name = "infusion_rate";'),
                          ["4: parameters.[1]: infusion_rate and infusion_duration cannot both vary; one follows from "
                           "the other; vary one of the two"]),
    "both of severity": ("patient : { baseline_madrs = 30;\nlife_stress = 0.2; };",
                         ["2: patient.life_stress: baseline_madrs is given too, and life_stress is solved for it; exactly "
                          "one of the two is allowed"]),
    "both of severity varied": (vary('name = "baseline_madrs";', 'name = "life_stress";'),
                                ["4: parameters.[1]: baseline_madrs is given too, and life_stress is solved for it; "
                                 "exactly one of the two is allowed"]),
    "no such score": ("patient : { baseline_madrs = 60; };",
                      ["1: patient.baseline_madrs: 60 is not allowed; it must be in [0, 60)"]),
    "rate with no dose": ("protocol : { infusion_dose = 0; infusion_rate = 1; };",
                          ["1: protocol.infusion_rate: infusion_dose is or can reach 0, which takes no time at a rate; "
                           "give infusion_duration instead"]),
    "rate with a dose that reaches 0": (
        vary('name = "infusion_dose"; distribution = "normal"; sd = 0.1;') + "protocol : { infusion_rate = 1; };",
        ["5: protocol.infusion_rate: infusion_dose is or can reach 0, which takes no time at a rate; give "
         "infusion_duration instead"]),
    "last dose after the horizon": ("protocol : {\ninfusion_count = 6;\nhorizon = 400; };",
                                    ["2: protocol.infusion_count: the last of 6 infusions starts at 420 h (0 + 5 x 84), "
                                     "after the horizon of 400 h; make protocol.horizon longer, or them fewer or earlier"]),
    "only dose after the horizon": ("protocol : { infusion_start = 30.5; horizon = 24; };",
                                    ["1: protocol.infusion_start: the last of 1 infusions starts at 30.5 h (30.5 + 0 x "
                                     "84), after the horizon of 24 h; make protocol.horizon longer, or them fewer or earlier"]),
    "last session after the horizon": ("protocol : { session_count = 3; horizon = 100; };",
                                       ["1: protocol.session_count: the last of 3 sessions starts at 120 h (24 + 2 x "
                                        "48), after the horizon of 100 h; make protocol.horizon longer, or them fewer or earlier"]),
    "explicit times after the horizon": (
        "protocol : { horizon = 48; infusions = (\n{ time = 48; dose = 1; duration = 1; },\n"
        "{ time = 49; dose = 1; duration = 1; } );\nsessions = ( { time = 50; duration = 1; } ); };",
        ["3: protocol.infusions.[1]: the infusion at 49 h starts after the horizon of 48 h; make protocol.horizon longer",
         "4: protocol.sessions.[0]: the session at 50 h starts after the horizon of 48 h; make protocol.horizon longer"]),
    "explicit infusion": ("protocol : { infusions = ( { time = -1; duration = 0; rate = 2; } ); };",
                          ["1: protocol.infusions.[0].rate: unknown key; known are time, dose, duration, route",
                           '1: protocol.infusions.[0]: "dose" is missing; give it (0 is placebo dosing)',
                           "1: protocol.infusions.[0].time: -1 is not allowed; it must be >= 0",
                           "1: protocol.infusions.[0].duration: 0 is not allowed; it must be > 0"]),
    "regular beside explicit": (
        "protocol : { infusion_dose = 1; session_count = 1;\n"
        "infusions = ( { time = 0; dose = 1; duration = 1; } ); sessions = ( { time = 0; duration = 1; } ); };",
        ["1: protocol.infusion_dose: infusion_dose has no effect beside protocol.infusions; leave out one of the two",
         "1: protocol.session_count: session_count has no effect beside protocol.sessions; leave out one of the two"]),
    "start beside explicit": (
        "protocol : { infusions = ( { time = 0; dose = 1; duration = 1; } );\ninfusion_start = 24; };",
        ["2: protocol.infusion_start: infusion_start has no effect: infusions have their times, and no session "
         "follows it; leave it out"]),
    "two routes": (
        'protocol : { route = "iv";\ninfusions = ( { time = 0; dose = 1; duration = 1; route = "im"; } ); };',
        ["2: protocol.infusions: the infusions and protocol.route name different routes; all share one: leave out one of the two"]),
}

DESIGNS = {
    "zero points": ('design : { kind = "sobol"; points = 0; };\nparameters = ( { name = "weight"; } );',
                    ["1: design.points: 0 is not allowed; it must be an integer >= 1"]),
    "negative seed": ('design : { kind = "sobol"; points = 1; seed = -1; };\nparameters = ( { name = "weight"; } );',
                      ["1: design.seed: -1 is not allowed; it must be an integer >= 0"]),
    "no points": (
        'design : { kind = "lhs"; };\nparameters = ( { name = "weight"; } );', ['1: design: "points" is missing; give it (of all but grid; of file: its first rows (default: all); see show designs)']),
    "no kind": (
        'design : { points = 3; };\nparameters = ( { name = "weight"; } );', ['1: design: "kind" is missing; give it (grid lhs random sobol saltelli morris fast rbd-fast file)']),
    "kind of a later version": ('design : { kind = "optimal"; };\nparameters = ( { name = "weight"; } );',
                                ['1: design.kind: unknown kind "optimal"; known are grid, lhs, random, sobol, saltelli, '
                                'morris, fast, rbd-fast, file']),
    "points of a grid": (
        'design : { kind = "grid"; points = 3; };\nparameters = ( { name = "weight"; levels = 2; } );',
                         ["1: design.points: a grid takes none; its points are the product of levels"]),
    "grid beyond 2^63": (vary(*(f'name = "{name}"; levels = 1000;' for name in
                                ("weight", "tnf_time", "il6_time", "mood_time", "crh_time", "acth_time", "stress_time")),
                              design=GRID),
                         ["1: design: the product of levels exceeds 2^63 - 1 points; use fewer levels"]),
    "grid without levels": (vary('name = "weight";', design=GRID),
                            ["3: parameters.[0]: a grid needs levels = N or values = [...] of each parameter"]),
    "levels and values": (vary('name = "weight"; values = [70.0]; levels = 3;', design=GRID),
                          ["3: parameters.[0].levels: values are given too; one of the two is allowed"]),
    "levels that are no integers": (vary('name = "infusion_count"; low = 1; high = 6; levels = 3;', design=GRID),
                                    ["3: parameters.[0].levels: 3 levels from 1 to 6 give 3.5, which is not an integer; "
                                     "use values = [...]"]),
    "distribution in a grid": (vary('name = "weight"; levels = 3; distribution = "normal";', design=GRID),
                               ["3: parameters.[0].distribution: a grid takes levels, with low, high and scale, or "
                                "values"]),
    "levels elsewhere": (
        vary('name = "weight"; levels = 3;'), ["3: parameters.[0].levels: only a grid takes levels"]),
    "points beyond a Latin hypercube": (
        'design : { kind = "lhs"; points = 1125899906842625; };\nparameters = ( { name = "weight"; } );',
        ["1: design.points: a Latin hypercube has 2^50 points at most"]),
    "nothing varies": (RANDOM, ['1: design: nothing varies; a design needs the list "parameters"']),
    "empty list": (RANDOM + "parameters : ();\n", ["2: parameters: is empty; a design needs at least one entry"]),
    "parameters without a design": ('parameters : (\n{ name = "weigt"; } );\n',
                                    ['1: parameters: needs a design, such as design : { kind = "sobol"; points = '
                                     '1024; };',
                                     '2: parameters.[0].name: unknown parameter "weigt"; did you mean "weight"?']),
    "file elsewhere": (
        'design : { kind = "lhs"; points = 3; file = "p.csv"; };\nparameters = ( { name = "weight"; } );',
                       ['1: design.file: only a design of kind "file" takes it']),
}

PARAMETERS = {
    "unknown parameter": (vary('name = "weigth";'),
                          ['3: parameters.[0].name: unknown parameter "weigth"; did you mean "weight"?']),
    "duplicate parameter": (vary('name = "weight";', 'name = "weight";'),
                            ['4: parameters.[1].name: "weight" varies already; leave out one of the two']),
    "no name": (vary("low = 1;"), ['3: parameters.[0]: "name" is missing; give it (the parameter or protocol entry that varies)']),
    "input of a function": ('model = "test:ishigami";\n' + vary('name = "x4";'),
                            ['4: parameters.[0].name: unknown parameter "x4"; did you mean "x1"?']),
    "low above high": (vary('name = "weight"; low = 80; high = 60;'),
                       ["3: parameters.[0].low: low = 80 is not below high = 60; it must be"]),
    "low equal to high": (vary('name = "weight"; low = 60; high = 60.0;'),
                          ["3: parameters.[0].low: low = 60 is not below high = 60; it must be"]),
    "low above the default high": (vary('name = "weight"; low = 300;'),
                                   ["3: parameters.[0].low: low = 300 is not below high = 200; it must be"]),
    "log scale from 0": (vary('name = "infusion_dose"; low = 0; high = 1; scale = "log";'),
                         ["3: parameters.[0].low: low = 0; a log scale needs low > 0"]),
    "log scale from 0 in a grid": (vary('name = "infusion_dose"; low = 0; levels = 3; scale = "log";', design=GRID),
                                   ["3: parameters.[0].low: low = 0; a log scale needs low > 0"]),
    "loguniform from 0": (vary('name = "life_stress"; distribution = "loguniform";'),
                          ["3: parameters.[0]: low = 0; a log scale needs low > 0"]),
    "outside hard limits": (vary('name = "weight"; low = -5; high = 60;'),
                            ["3: parameters.[0].low: -5 is not allowed; it must be > 0"]),
    "integer ends": (vary('name = "infusion_count"; low = 1.5; high = 6;'),
                     ["3: parameters.[0].low: 1.5 is not allowed; it must be an integer in [0, 1000]"]),
    "value outside hard limits": (vary('name = "weight"; values = [70, 0];'),
                                  ["3: parameters.[0].values.[1]: 0 is not allowed; it must be > 0"]),
    "scale": (vary('name = "weight"; scale = "logarithmic";'),
              ['3: parameters.[0].scale: unknown scale "logarithmic"; known are linear, log']),
    "distribution": (vary('name = "weight"; distribution = "gauss";'),
                     ['3: parameters.[0].distribution: unknown distribution "gauss"; known are uniform, loguniform, '
                      "normal, lognormal, logitnormal, triangular, beta, discrete"]),
    "key of another distribution": (vary('name = "weight"; distribution = "lognormal"; cv = 0.2; sd = 1;'),
                                    ["3: parameters.[0].sd: a lognormal distribution does not take it; it takes median "
                                     "or mean; cv"]),
    "no cv": (vary('name = "weight"; distribution = "lognormal";'), ['3: parameters.[0]: "cv" is missing; give it (of a lognormal: standard deviation / mean)']),
    "negative cv": (vary('name = "weight"; distribution = "lognormal"; cv = -0.2;'),
                    ["3: parameters.[0].cv: -0.2 is not allowed; it must be > 0"]),
    "median and mean": (vary('name = "weight"; distribution = "lognormal"; cv = 0.2; median = 70; mean = 75;'),
                        ["3: parameters.[0].mean: median is given too; one of the two is allowed"]),
    "median of a logit": (vary('name = "weight"; distribution = "logitnormal"; sd = 1;'),
                          ["3: parameters.[0]: 70 is not allowed; it must be in (0, 1)"]),
    "mode": (vary('name = "weight"; distribution = "triangular"; low = 80; high = 90;'),
             ["3: parameters.[0]: mode = 70 is not between low = 80 and high = 90; it must be"]),
    "probabilities": (vary('name = "weight"; values = [60, 70]; probabilities = [0.5, 0.6];',
                           'name = "tnf_time"; values = [1, 2]; probabilities = [1];',
                           'name = "il6_time"; values = [1, 2]; probabilities = [1.5, -0.5];'),
                      ["3: parameters.[0].probabilities: the sum is 1.1; it must be 1",
                       "4: parameters.[1].probabilities: 1 probabilities for 2 values; give one for each",
                       "5: parameters.[2].probabilities: a probability is negative; each must be >= 0"]),
    "no values": (vary('name = "weight"; values = [];'), ["3: parameters.[0].values: is empty; give at least one value"]),
    "route by numbers": (vary('name = "route"; low = 0; high = 1;'),
                         ['3: parameters.[0]: a route varies by names; give values = ["iv", "im"]']),
    "route by numbers without a distribution": (
        vary('name = "route"; distribution = "uniform";'),
        ['3: parameters.[0]: a route varies by names; give values = ["iv", "im"]']),
    "route by levels": (vary('name = "route"; levels = 3;', design=GRID),
                        ['3: parameters.[0]: a route varies by names; give values = ["iv", "im"]']),
    "route by a wrong name": (vary('name = "route"; values = ["iv", "in"];'),
                              ['3: parameters.[0].values.[1]: unknown route "in"; did you mean "iv"?']),
    "dose in mg by default": ('protocol : { dose_unit = "mg"; };\n' + vary('name = "infusion_dose";'),
                              ['4: parameters.[0]: the default range is in mg/kg; with dose_unit = "mg" give low and high']),
    "location in mg by default": (
        'protocol : { dose_unit = "mg"; infusion_duration = 1; };\n' +
        vary('name = "infusion_dose"; distribution = "normal"; sd = 5;'),
        ['4: parameters.[0]: the default mean is in mg/kg; with dose_unit = "mg" give mean']),
}

CORRELATIONS = {
    "not positive definite": (correlate('a = "weight"; b = "tnf_time"; rho = 0.9;',
                                        'a = "tnf_time"; b = "il6_time"; rho = 0.9;',
                                        'a = "weight"; b = "il6_time"; rho = -0.9;'),
                              ["7: correlation: the matrix of weight, tnf_time, il6_time is not positive definite; no "
                               "parameters are correlated so; use values of rho nearer to 0"]),
    "rho": (correlate('a = "weight"; b = "tnf_time"; rho = 1;'),
            ["7: correlation.[0].rho: 1 is not allowed; it must be between -1 and 1, both excluded"]),
    "not varied": (correlate('a = "weight"; b = "mood_time"; rho = 0.1;'),
                   ['7: correlation.[0].b: "mood_time" does not vary; add it to parameters, or leave the pair out']),
    "unknown": (correlate('a = "weight"; b = "tnf_tme"; rho = 0.1;'),
                ['7: correlation.[0].b: unknown parameter "tnf_tme"; did you mean "tnf_time"?']),
    "with itself": (correlate('a = "weight"; b = "weight"; rho = 0.1;'),
                    ["7: correlation.[0]: a and b are the same parameter; give two that vary"]),
    "given twice": (correlate('a = "weight"; b = "tnf_time"; rho = 0.1;', 'a = "tnf_time"; b = "weight"; rho = 0.1;'),
                    ["8: correlation.[1]: this pair is given already; leave out one of the two"]),
    "without a design": ('correlation = ( { a = "weight"; b = "tnf_time"; rho = 0.1; } );',
                         ['1: correlation: nothing varies; it needs a design and the list "parameters"']),
    "of a grid": (vary('name = "weight"; levels = 2;', design=GRID) + "correlation = ();\n",
                  ["5: correlation: the points of a grid are given; nothing can be correlated; leave it out"]),
}

OUTPUTS = {
    "unknown endpoint": ('output : { endpoints = [\n"madrs_24"]; };',
                         ['2: output.endpoints.[0]: unknown endpoint "madrs_24"; did you mean "madrs_24h"?']),
    "unknown output of a function": ('model = "test:wide"; output : { endpoints = ["y65"]; };',
                                     ['1: output.endpoints.[0]: unknown endpoint "y65"; did you mean "y6"?']),
    "endpoint given twice": ('output : { endpoints = ["madrs_24h", "madrs_24h"]; };',
                             ['1: output.endpoints.[1]: there is an endpoint "madrs_24h" already; choose another name, or leave it out']),
    "endpoint after the horizon": (
        'protocol : { horizon = 100; }; output : { endpoints = ["madrs_7d", "madrs@101h"]; };',
                                   ['1: output.endpoints.[0]: "madrs_7d" needs the state at 168 h, after the horizon of '
                                    "100 h; make protocol.horizon longer, or leave it out",
                                    '1: output.endpoints.[1]: "madrs@101h" needs the state at 101 h, after the horizon '
                                    "of 100 h; make protocol.horizon longer, or leave it out"]),
    "window without a course": (
        'output : { endpoints = ( { name = "e"; of = "madrs"; op = "max"; from = 672; } ); };',
        ['1: output.endpoints.[0]: "e" needs the course from 672 h, not before the horizon of 672 h; make protocol.horizon longer, or leave it out']),
    "quantity at no time": ('output : { endpoints = ["madrs@90min", "mards@3d"]; };',
                            ['1: output.endpoints.[0]: "90min" is no time; write hours or days, such as @360h or @15d',
                             '1: output.endpoints.[1]: unknown state or derived quantity "mards"; did you mean "madrs"?']),
    "operation": ('output : { endpoints = ( { name = "e"; of = "madrs"; op = "maximum"; } ); };',
                  ['1: output.endpoints.[0].op: unknown op "maximum"; known are value, change, ratio, at_most, '
                   "ratio_at_most, max, min, max_ratio, min_ratio, mean, auc, time_above, time_below, time_above_ratio, "
                   "time_below_ratio, first_crossing, crossed, first_at_most, ever_at_most, first_ratio_at_most, "
                   "ever_ratio_at_most, relapse, relapse_time"]),
    "arguments of an operation": ('output : { endpoints = ( { name = "e"; of = "madrs"; op = "auc"; at = 3; },\n'
                                  '{ name = "f"; of = "madrs"; op = "value"; },\n'
                                  '{ name = "g"; of = "madrs"; op = "time_above"; from = 5; to = 4; threshold = 1; } ); };',
                                  ["1: output.endpoints.[0].at: the operation auc does not take it",
                                   '2: output.endpoints.[1]: "at" is missing; give it (of an operation at one time; "end" is the horizon)',
                                   "3: output.endpoints.[2].to: 4 is not after from = 5; it must be later"]),
    "names of endpoints": ('output : { endpoints = ( { name = "a b"; of = "madrs"; op = "max"; },\n'
                           '{ name = "madrs_end"; of = "madrs"; op = "max"; } ); };',
                           ['1: output.endpoints.[0].name: "a b" is no name; it must be letters, digits and _, a letter '
                            "first",
                            '2: output.endpoints.[1].name: "madrs_end" is an endpoint of the model; choose another name']),
    "unknown state": ('output : { trajectories : { states = ["madrs", "bdfn"]; every = 1; }; };',
                      ['1: output.trajectories.states.[1]: unknown state or derived quantity "bdfn"; did you mean '
                       '"bdnf"?']),
    "times": ("output : { trajectories : { times = [0, -1, 5, 5, 700]; }; };",
              ["1: output.trajectories.times.[1]: -1 is not allowed; it must be >= 0",
               "1: output.trajectories.times.[3]: 5 is not after the time before it; it must be later: times ascend",
               "1: output.trajectories.times.[4]: 700 h is after the horizon of 672 h; make protocol.horizon longer, or leave it out"]),
    "no times": ("output : { trajectories : { }; };", ["1: output.trajectories: times or every is missing; give one, such as every = 24.0;"]),
    "two times": ("output : { trajectories : { every = 1; times = [0]; }; };",
                  ["1: output.trajectories.every: times are given too; exactly one of the two is allowed"]),
    "too many times": ("output : { trajectories : { every = 0.0001; }; };",
                       ["1: output.trajectories.every: gives 6720001 times up to the horizon; at most 1000000 are "
                        "allowed"]),
    "times without an end": (
        vary('name = "horizon"; distribution = "lognormal"; cv = 0.2; low = 24;') +
        'output : { endpoints = ["madrs_end"]; trajectories : { every = 24; }; };',
        ["5: output.trajectories.every: the distribution of the horizon has no upper end; give its high, or times"]),
    "trajectories of a function": ('model = "test:wide"; output : { trajectories : { every = 1; }; };',
                                   ['1: output.trajectories: the model "test:wide" has no courses; leave it out']),
}

TABLES = {
    "missing": (FILE, ["1: design.file: cannot read p.csv: No such file or directory; give its name as seen from this file"]),
    "empty": (FILE, ["p.csv:1: the file is empty; it needs a header and rows"], {"p.csv": ""}),
    "no rows": (FILE, ["p.csv:1: no row follows the header; give at least one"], {"p.csv": "infusion_count\n"}),
    "unknown column": (FILE, ['p.csv:1: column 2: unknown name "hight"; see "ketsweep show parameters"'],
                       {"p.csv": "weight,hight\n70,1\n"}),
    "column given twice": (
        FILE, ['p.csv:1: column 2: "weight" is column 1 already; leave out one of the two'], {"p.csv": "weight,weight\n70,70\n"}),
    "no number": (FILE, ['p.csv:3: column 2 (tnf_time): expected a number, found "1.x"'],
                  {"p.csv": "weight,tnf_time\n70,1\n80,1.x\n"}),
    "empty cell": (FILE, ['p.csv:2: column 2 (tnf_time): expected a number, found ""'],
                   {"p.csv": "weight,tnf_time\n70,\n"}),
    "ragged rows": (FILE, ["p.csv:3: 1 cells where the header has 2; give each row as many", "p.csv:4: 3 cells where the header has 2; give each row as many"],
                    {"p.csv": "weight,tnf_time\n70,1\n80\n80,1,2\n"}),
    "hard limits": (
        FILE, ["p.csv:3: column 1 (weight): -1 is not allowed; it must be > 0"], {"p.csv": "weight\n70\n-1\n"}),
    "route": (FILE, ['p.csv:2: column 1 (route): unknown route "nasal"; it must be iv, im, intranasal, sublingual or '
                     "oral or its code"], {"p.csv": "route\nnasal\n"}),
    "too few rows": ('design : { kind = "file"; file = "p.csv"; points = 3; };',
                     ["1: design.points: 3 points of a file with 1 rows; at most all of them are allowed"], {"p.csv": "weight\n70\n"}),
    "a list beside it": (FILE + 'parameters = ( { name = "weight"; } );',
                         ["2: parameters: the header of design.file names what varies; leave the list out"],
                         {"p.csv": "weight\n70\n"}),
    "no file": ('design : { kind = "file"; };', ['1: design: "file" is missing; give it (of kind "file": a CSV file, relative to this file, whose header names parameters)']),
    "schedule without its columns": ('protocol : { events = "s.csv"; };',
                                     ['s.csv:1: column 2: unknown name "DOSE"; known are ID, TIME, AMT, RATE, DUR, ADDL, '
                                      "II, ROUTE", "s.csv:1: column AMT is missing; the header needs TIME, AMT, and RATE or DUR",
                                      "s.csv:1: column RATE is missing, or instead of it DUR"], {"s.csv": "TIME,DOSE\n0,1\n"}),
    "schedule": ('protocol : { events = "s.csv"; };',
                 ["s.csv:2: a bolus is not modelled; RATE or DUR must be > 0",
                  "s.csv:3: RATE and DUR are both given; one of the two is allowed",
                  "s.csv:4: AMT is 0, which takes no time at a RATE; give DUR instead",
                  "s.csv:5: ADDL > 0 needs II > 0",
                  "s.csv:6: ID is larger than the number of points; it must be a point from 1 on, or 0 for everybody",
                  "s.csv:7: the infusion at 700 h starts after the horizon of 672 h; make protocol.horizon longer",
                  "s.csv:8: column 2 (TIME): -1 is not allowed; it must be >= 0"],
                 {"s.csv": "ID,TIME,AMT,RATE,DUR,ADDL,II\n0,0,1,0,0,0,0\n0,0,1,1,1,0,0\n0,0,0,1,0,0,0\n0,0,1,1,0,1,0\n"
                           "2,0,1,1,0,0,0\n0,100,1,1,0,3,200\n0,-1,1,1,0,0,0\n"}),
}

MANY = {
    "many faults in one report": (
        'model = "ketamine";\nprotocol : {\n  infusion_dose = -1.0;\n  horizon = "long";\n  sesion_count = 3;\n};\n'
        'patient : { weight = 0.0; nmdr_density = 1.0; };\ndesign : { kind = "sobol"; points = 0; };\n'
        'parameters : (\n  { name = "life_stres"; },\n  { name = "tnf_time"; low = 3.0; high = 1.0; }\n);\n'
        'correlation : ( { a = "tnf_time"; b = "il6_time"; rho = 2.0; } );\n'
        'output : { endpoints = ["madrs_42h", "il6@3x"]; trajectories : { every = -1.0; }; };\nsolver : { rtol = 1.0; };\n',
        ["3: protocol.infusion_dose: -1 is not allowed; it must be >= 0",
         '4: protocol.horizon: expected a number, found the string "long"',
         '5: protocol.sesion_count: unknown key; did you mean "session_count"?',
         '7: patient.nmdr_density: unknown parameter; did you mean "nmdar_density"?',
         "7: patient.weight: 0 is not allowed; it must be > 0",
         "8: design.points: 0 is not allowed; it must be an integer >= 1",
         '10: parameters.[0].name: unknown parameter "life_stres"; did you mean "life_stress"?',
         "11: parameters.[1].low: low = 3 is not below high = 1; it must be",
         '13: correlation.[0].b: "il6_time" does not vary; add it to parameters, or leave the pair out',
         "13: correlation.[0].rho: 2 is not allowed; it must be between -1 and 1, both excluded",
         '14: output.endpoints.[0]: unknown endpoint "madrs_42h"; did you mean "madrs_4h"?',
         '14: output.endpoints.[1]: "3x" is no time; write hours or days, such as @360h or @15d',
         "14: output.trajectories.every: -1 is not allowed; it must be > 0",
         "15: solver.rtol: 1 is not allowed; it must be in [1e-13, 0.01]"]),
}


# What a message says beside what is wrong: what is allowed, what is meant, or what to do.
REMEDY = re.compile(r"did you mean|known are|; see |must be|: expected |needs |takes? |is allowed|are allowed|instead|at most|"
                    r"at least|is a key of|come in|with .+ give |[;:] (give|write|leave|choose|use|name|make|close|vary|add) ")


class BadInput(ProgramTest):
    """Each message, whole, and exit status 2; nothing on stdout."""

    maxDiff = None

    def expect(self, lines, summary, *arguments):
        process = self.run_program(*arguments, status=2)
        errors = [line for line in process.stderr.splitlines() if not line.startswith("warning: ")]
        self.assertEqual(errors, [*lines, f"ketsweep: error: {summary}"])
        self.assertEqual(process.stdout, "")

    def expect_case(self, text, lines, files):
        for name, content in files.items():
            self.path(name, content)
        self.path("t.cfg", text)
        placed = [("t.cfg:" if line[0].isdigit() else "") + line for line in lines]
        self.expect(placed, f"{len(lines)} fault{'s' * (len(lines) > 1)} in t.cfg", "check", "t.cfg")

    def test_every_message_helps(self):
        """Each says what is allowed, what is meant or what to do."""
        lines = [line for _, cases in GROUPS for _, lines, *_ in cases.values() for line in lines]
        self.assertGreater(len(lines), 100)
        self.assertEqual([line for line in lines if not REMEDY.search(line)], [])

    def test_missing_file(self):
        self.expect([], "cannot read the configuration none.cfg: No such file or directory", "check", "none.cfg")

    def test_directory(self):
        (self.folder / "folder").mkdir()
        self.expect([], "cannot read the configuration folder: Is a directory", "check", "folder")

    def test_binary_file(self):
        (self.folder / "b.cfg").write_bytes(b"title = \"a\";\0")
        self.expect([], "cannot read the configuration b.cfg: it holds a NUL byte and is no text", "check", "b.cfg")

    def test_override(self):
        self.path("t.cfg", "")
        self.expect(["--set protocol.infusion_dose: -1 is not allowed; it must be >= 0",
                     "--set model: ketamine is no value; it must be as in the file, strings in quotes",
                     "--set title: no value; write --set KEY=VALUE"],
                    "3 faults in t.cfg", "check", "t.cfg", "--set", "protocol.infusion_dose=-1", "--set",
                    "model=ketamine", "--set", "title=")

    def test_limits(self):
        """What no campaign needs and what would take minutes is refused in one sentence."""
        groups = "a : { " * 40 + "}; " * 40
        levels = [f'name = "{name}"; levels = 1000000;' for name in
                  ("weight", "tnf_time", "il6_time", "mood_time", "crh_time", "acth_time", "stress_time", "bdnf_time",
                   "cortisol_time", "life_stress", "nmdar_density")]
        for text, sentence in (
                ("".join(f"a{i} = 1;\n" for i in range(200000)), "1001: more than 1000 settings in one group"),
                (groups, "1: groups lie more than 32 deep within each other"),
                ("title = " + "(" * 20000, "1: syntax error: nested too deeply; a configuration needs no more than 32 levels"),
                (vary(*levels, design=GRID), "parameters.[10].levels: with these there are more than 10000000 levels of "
                                             "all parameters together"),
                ("output : { endpoints = (" + ",".join(f'"madrs@{i / 100}h"' for i in range(10001)) + "); };",
                 "1: output.endpoints.[10000]: is one more than the 10000 endpoints that are allowed")):
            self.path("t.cfg", text)
            process = self.run_program("check", "t.cfg", status=2)
            self.assertIn(sentence + "\n", process.stderr)

    def test_many_faults(self):
        """The first 1,000 are named, the rest counted; a long word is cut."""
        for text, first in (
                ("protocol : { infusions = (" + ",".join(["{ x = 1; }"] * 200000) + "); };",
                 "t.cfg:1: protocol.infusions.[0].x: unknown key; known are time, dose, duration, route"),
                ("output : { trajectories : { every = 1.0; states = (" + ",".join(['"x"'] * 200000) + "); }; };",
                 't.cfg:1: output.trajectories.states.[0]: unknown state or derived quantity "x"; see "ketsweep show states"'),
                (vary(*["x = 1;"] * 100000), "t.cfg:3: parameters.[0].x: unknown key; known are ")):
            self.path("t.cfg", text)
            lines = self.run_program("check", "t.cfg", status=2).stderr.splitlines()
            self.assertEqual(len(lines), 1002)
            self.assertTrue(lines[0].startswith(first), lines[0])
            self.assertRegex(lines[1000], r"^and \d+ more faults$")
        self.path("t.cfg", 'design : { kind = "' + "x" * 1000000 + '"; };')
        line = self.run_program("check", "t.cfg", status=2).stderr.splitlines()[0]
        self.assertEqual((len(line), line[-6:]), (2000, "xxx..."))

    def test_many_files(self):
        for i in range(9):
            self.path(f"{i}.cfg", f'@include "{i + 1}.cfg"\n' * 50)
        self.path("9.cfg", "")
        process = self.run_program("check", "0.cfg", status=2)
        self.assertIn("more than 1000 files are included", process.stderr)

    def test_existing_output(self):
        self.path("t.cfg", 'model = "test:ishigami";\n' + vary('name = "x1";'))
        self.path("t.h5", "precious")
        self.expect([], "t.h5 is not an HDF5 file; it was left as it is (--overwrite replaces it, -o names another file)",
                    "run", "t.cfg", "-q")
        self.assertEqual((self.folder / "t.h5").read_text(), "precious")

    def test_unwritable_output(self):
        self.path("t.cfg", 'model = "test:ishigami";\noutput : { file = "none/t.h5"; };\n' + vary('name = "x1";'))
        self.expect([], "cannot create a file in none: No such file or directory", "run", "t.cfg", "-q")


def add_cases(group, cases):
    for title, (text, lines, *files) in cases.items():
        def test(self, text=text, lines=lines, files=files):
            self.expect_case(text, lines, files[0] if files else {})
        setattr(BadInput, f"test_{group}_{title.replace(' ', '_')}", test)


GROUPS = (("syntax", SYNTAX), ("keys", KEYS), ("values", VALUES), ("protocol", PROTOCOLS),
          ("design", DESIGNS), ("parameters", PARAMETERS), ("correlation", CORRELATIONS),
                     ("output", OUTPUTS), ("table", TABLES), ("all", MANY))
for group, cases in GROUPS:
    add_cases(group, cases)

if __name__ == "__main__":
    unittest.main()
