"""The same file from every compiler and instruction set, and from every variant of the C library's functions.

Each variant is built into build/bits-* and kept there. What this machine cannot build or run is skipped.
"""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import TOP, ProgramTest, contents  # noqa: E402

# Compiler, instruction set, optimisation. The program under test is what they are compared with.
VARIANTS = [
    ("gcc", "x86-64", "-O2"), ("gcc", "x86-64-v3", "-O3"), ("gcc", "x86-64-v4", "-O3"),
    ("clang", "x86-64", "-O3"), ("clang", "x86-64-v3", "-O2"), ("clang", "x86-64-v4", "-O3"),
]

# What the kernel calls the features of a level of the x86-64 psABI.
V3 = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}
V4 = V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
FEATURES = {"x86-64": set(), "x86-64-v3": V3, "x86-64-v4": V4}

# Every design, distribution, correlation and model; many points where they are cheap, as most bits are not at risk.
CAMPAIGNS = {
    "sobol": """
model = "test:gfunction";
design : { kind = "sobol"; points = 20000; seed = 3; };
parameters : (
  { name = "x1"; distribution = "normal"; mean = 0.4; sd = 0.3; low = -1.0; },
  { name = "x2"; distribution = "lognormal"; mean = 0.5; cv = 0.7; high = 4.0; },
  { name = "x3"; distribution = "logitnormal"; median = 0.3; sd = 1.1; },
  { name = "x4"; distribution = "beta"; alpha = 0.4; beta = 2.5; },
  { name = "x5"; distribution = "triangular"; low = 0.1; mode = 0.3; high = 0.9; },
  { name = "x6"; low = 1e-4; high = 1.0; scale = "log"; },
  { name = "x7"; distribution = "discrete"; values = [0.1, 0.7, 0.3]; probabilities = [0.2, 0.3, 0.5]; },
  { name = "x8"; }
);
correlation : (
  { a = "x1"; b = "x4"; rho = 0.6; },
  { a = "x2"; b = "x4"; rho = -0.3; },
  { a = "x3"; b = "x8"; rho = 0.9; }
);
""",
    "lhs": """
model = "test:ishigami";
design : { kind = "lhs"; points = 20000; seed = 4; };
parameters : ( { name = "x1"; low = -20.0; high = 20.0; },
               { name = "x2"; distribution = "normal"; mean = 0.0; sd = 2.0; },
               { name = "x3"; distribution = "beta"; alpha = 800.0; beta = 35000.0; low = -3.0; high = 3.0; } );
""",
    "random": """
model = "test:wide";
design : { kind = "random"; points = 5000; seed = 5; };
parameters : ( { name = "x1"; distribution = "lognormal"; median = 2.0; cv = 0.4; }, { name = "x2"; },
               { name = "x3"; distribution = "beta"; alpha = 3.0; beta = 1.5; }, { name = "x4"; } );
""",
    "grid": """
model = "test:wide";
design : { kind = "grid"; };
parameters : ( { name = "x1"; low = 1e-3; high = 70.0; levels = 100; scale = "log"; },
               { name = "x2"; low = 0.1; high = 0.9; levels = 49; }, { name = "x3"; values = [0.1, 0.25]; } );
""",
    "model": """
protocol : { infusion_duration = 0.6667; infusion_interval = 24.0; horizon = 48.0; session_count = 1; };
design : { kind = "sobol"; points = 40; seed = 5; };
parameters : (
  { name = "infusion_dose"; low = 0.1; high = 1.0; scale = "log"; },
  { name = "infusion_count"; low = 1; high = 2; },
  { name = "weight"; distribution = "normal"; sd = 12.0; },
  { name = "nmdar_density"; distribution = "lognormal"; cv = 0.1; },
  { name = "inflammation_baseline"; distribution = "lognormal"; median = 1.25; cv = 0.4; },
  { name = "depression_healthy"; distribution = "logitnormal"; sd = 0.2; },
  { name = "life_stress"; distribution = "beta"; alpha = 2.0; beta = 3.0; low = 0.1; high = 0.5; }
);
correlation : ( { a = "nmdar_density"; b = "life_stress"; rho = 0.5; } );
output : { trajectories : { states = ["madrs", "bdnf"]; every = 6.0; }; };
solver : { kind = "rosenbrock"; };
""",
}


def obstacle(compiler, level):
    """Why a variant cannot be built or run here, or None."""
    if platform.machine() != "x86_64":
        return "this processor is not an x86-64"
    if not shutil.which(compiler):
        return f"{compiler} is not installed"
    if subprocess.run([compiler, f"-march={level}", "-E", "-x", "c", os.devnull], capture_output=True).returncode:
        return f"this {compiler} does not know -march={level}"
    has = set(re.search(r"^flags\s*:(.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)[1].split())
    missing = FEATURES[level] - has
    return f"this processor lacks {' '.join(sorted(missing))}" if missing else None


class Campaigns(ProgramTest):
    """Two programs, or one in two environments, write the same campaigns."""

    references = {}

    def run_campaign(self, name, **options):
        config, out = self.path(f"{name}.cfg", CAMPAIGNS[name]), self.path("out.h5")
        self.run_program("run", config, "-q", "-o", out, "--overwrite", **options)
        return contents(out)

    def compare(self, **options):
        for name in CAMPAIGNS:
            if name not in self.references:
                self.references[name] = self.run_campaign(name)
            reference, found = self.references[name], self.run_campaign(name, **options)
            self.assertEqual(found.keys(), reference.keys())
            self.assertEqual([key for key in found if found[key] != reference[key]], [], f"differs: {name}")


class SameBits(Campaigns):
    """The program under test, and itself as other compilers make it and with other functions of the C library."""

    def check_build(self, compiler, level, optimisation):
        reason = obstacle(compiler, level)
        if reason:
            self.skipTest(reason)
        folder = f"bits-{compiler}-{level}"
        build = subprocess.run(["make", f"-j{min(os.cpu_count(), 4)}", f"VARIANT={folder}", f"CC={compiler}",
                                f"ARCH={level}", f"CFLAGS={optimisation}", "all"], cwd=TOP, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(build.returncode, 0, build.stdout)
        self.compare(program=str(TOP / "build" / folder / "ketsweep"))

    def test_c_library_without_fma(self):
        """glibc chooses its exp, log, pow and sin by the processor; here it must choose others."""
        self.compare(GLIBC_TUNABLES="glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX,-AVX512F")


for variant in VARIANTS:
    name = "test_" + "_".join(variant[:2]).replace("-", "_")
    setattr(SameBits, name, lambda self, variant=variant: self.check_build(*variant))


if __name__ == "__main__":
    unittest.main()
