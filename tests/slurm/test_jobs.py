"""Jobs of a real Slurm, whose nodes are simulated on this machine: they end, go on, wait for each other, and fail as said."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cli"))
from program import KETSWEEP, TOP, ProgramTest, contents  # noqa: E402

CAMPAIGN = """
title = "job";
protocol : { infusion_duration = 0.6667; horizon = 672.0; };
design : { kind = "sobol"; points = 12000; seed = 5; };
parameters : ( { name = "infusion_dose"; low = 0.1; high = 1.0; },
               { name = "nmdar_density"; distribution = "lognormal"; cv = 0.1; } );
patient : { baseline_madrs = 33.0; };
solver : { kind = "rosenbrock"; rtol = 1e-8; };
output : { file = "a.h5"; };
run : { commit_seconds = 0.5; };
"""
SMALL = ("--set", "design.points=200")
STUDY = CAMPAIGN.replace('kind = "sobol"; points = 12000', 'kind = "saltelli"; points = 64')

ARMS = """
protocol : { infusion_duration = 0.6667; horizon = 48.0; };
arms : ( { name = "ketamine"; control = "placebo"; }, { name = "placebo"; protocol : { infusion_dose = 0.0; }; } );
"""
COHORT = ARMS + """
population : {
  candidates = 200; patients = 50; seed = 7;
  parameters : ( { name = "ketamine_clearance"; distribution = "lognormal"; cv = 0.2; } );
};
output : { file = "p.h5"; };
"""
TRIAL = ARMS + """
trial : { cohort = "p.h5"; replicates = 10; size = 20; };
output : { file = "t.h5"; };
"""

folder, reason = None, None


def setUpModule():
    global folder, reason
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ks-slurm-", dir="/tmp"))
    started = subprocess.run([TOP / "tools/slurm_up.sh", folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    if started.returncode == 77:
        reason = "no Slurm could be started: " + started.stdout.strip().splitlines()[-1]
    elif started.returncode != 0:
        raise AssertionError(started.stdout)


def tearDownModule():
    subprocess.run([TOP / "tools/slurm_down.sh", folder], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)


class Jobs(ProgramTest):
    def setUp(self):
        if reason:
            self.skipTest(reason)
        super().setUp()
        self.work = self.folder / "two words"  # any directory will do
        self.work.mkdir()
        # nodes share no memory files; what Slurm's ranks need of Open MPI is in PMIx
        self.environment = {key: value for key, value in os.environ.items()
                            if key not in ("TMPDIR", "OMPI_MCA_btl_vader_backing_directory")}
        self.environment.update(SLURM_CONF=str(folder / "slurm.conf"), KETSWEEP=KETSWEEP)
        (self.work / "a.cfg").write_text(CAMPAIGN)
        self.addCleanup(self.slurm, "scancel", "--user=root")

    def slurm(self, *command, status=0, **environment):
        process = subprocess.run([str(word) for word in command], cwd=self.work, text=True, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env={**self.environment, **environment})
        self.assertEqual(process.returncode, status, f"{command}:\n{process.stdout}{process.stderr}")
        return process.stdout

    def submit(self, script, *arguments, options=(), **environment):
        """Returns the job's number."""
        fitting = ("--parsable", "--ntasks=3", "--mem-per-cpu=100M", "--time=10")
        return self.slurm("sbatch", *fitting, *options, TOP / "jobs" / script, *arguments, **environment).strip()

    def ask(self, job, key):
        text = self.slurm("scontrol", "show", "job", job)
        return re.findall(rf"\b{key}=(\S*)", text)

    def await_state(self, job, wanted, seconds=100):
        deadline = time.monotonic() + seconds
        ends = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}
        while True:
            states = set(self.ask(job, "JobState"))
            if states == {wanted}:
                return
            if states <= ends or time.monotonic() > deadline:
                self.fail(f"job {job} is {states}, not {wanted}:\n{self.logs()}")
            time.sleep(0.2)

    def await_rows(self, name, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with h5py.File(self.work / name) as file:
                    if file["rounds/in_use"][()] > 0:
                        return
            except OSError:
                pass
            time.sleep(0.05)
        self.fail(f"{name} gets no rows:\n{self.logs()}")

    def logs(self):
        return "".join(f"{path.name}:\n{path.read_text(errors='replace')}" for path in sorted(self.work.glob("*.log")))

    def expect(self, *arguments, config="a.cfg"):
        """What a run without Slurm writes."""
        self.run_program("run", self.work / config, "-o", self.path("expected.h5"), "-q", *arguments, ranks=2)
        return contents(self.path("expected.h5"))

    def test_completes(self):
        """Three tasks on nodes of two, by srun and by mpirun."""
        expected = self.expect(*SMALL)
        self.await_state(self.submit("sweep.sbatch", "a.cfg", *SMALL), "COMPLETED")
        self.assertEqual(contents(self.work / "a.h5"), expected)
        with h5py.File(self.work / "a.h5") as file:
            run = file["provenance/runs"][0]
            self.assertEqual((int(run["ranks"]), len(run["hosts"].split(b","))), (3, 2))
        home = self.work / "home"
        shutil.copytree(TOP / "jobs", home / "jobs")
        text = (home / "jobs/environment.sh").read_text()
        self.assertIn("launch=(srun", text)
        (home / "jobs/environment.sh").write_text(re.sub(r"(?m)^launch=.*", "launch=(mpirun)", text))
        job = self.submit("sweep.sbatch", "a.cfg", "-o", "b.h5", *SMALL, KETSWEEP_HOME=str(home))
        self.await_state(job, "COMPLETED")
        self.assertEqual(contents(self.work / "b.h5"), expected)
        with h5py.File(self.work / "b.h5") as file:
            self.assertEqual(int(file["provenance/runs"][0]["ranks"]), 3)

    def test_time_limit_requeues_until_complete(self):
        """The first job is slow and cannot end in its minute; what comes after it is not."""
        slow = self.work / "slow"
        slow.write_text(f'#!/bin/sh\nif [ "$1" = run ] && [ -z "$SLURM_RESTART_COUNT" ]; then set -- "$@" --lanes 1; fi\n'
                        f'exec {KETSWEEP} "$@"\n')
        slow.chmod(0o755)
        job = self.submit("sweep.sbatch", "a.cfg", options=("--ntasks=1", "--time=1", "--signal=B:USR1@40"),
                          KETSWEEP=str(slow))
        expected = self.expect()
        self.await_rows("a.h5")
        deadline = time.monotonic() + 100
        while self.ask(job, "Restarts") != ["1"]:
            self.assertLess(time.monotonic(), deadline, self.logs())
            time.sleep(0.5)
        self.assertIn("stopped by SIGUSR1", self.logs())
        with h5py.File(self.work / "a.h5") as file:
            self.assertEqual(int(file.attrs["complete"]), 0)
        self.slurm("scontrol", "update", f"JobId={job}", "NumTasks=6", "TimeLimit=10", "StartTime=now")
        self.await_state(job, "COMPLETED")
        self.assertEqual(contents(self.work / "a.h5"), expected)
        self.assertIn("goes back into the queue", self.logs())

    def test_cancelled_job_goes_on(self):
        expected = self.expect()
        job = self.submit("sweep.sbatch", "a.cfg", "--lanes", "1")
        self.await_rows("a.h5")
        self.slurm("scancel", job)
        self.await_state(job, "CANCELLED")
        with h5py.File(self.work / "a.h5") as file:
            self.assertEqual(int(file.attrs["complete"]), 0)
        # a cancelled job's last processes may live for some seconds more
        job = self.submit("sweep.sbatch", "a.cfg", options=("--begin=now+5",))
        self.await_state(job, "COMPLETED")
        self.assertEqual(contents(self.work / "a.h5"), expected)

    def test_array_merges(self):
        expected = self.expect(*SMALL)
        array = self.submit("array.sbatch", "a.cfg", *SMALL, options=("--array=1-4", "--ntasks=2"))
        self.await_state(array, "COMPLETED")
        self.await_state(self.dependent(), "COMPLETED")
        self.assertEqual(contents(self.work / "a.h5"), expected)
        self.assertEqual(len(list(self.work.glob("a.[1-4].h5"))), 4)
        part = self.submit("array.sbatch", "a.cfg", *SMALL, options=("--array=3",))
        self.await_state(part, "FAILED")
        self.assertIn("KETSWEEP_SHARDS=N says how many shards there are", self.logs())

    def dependent(self):
        """The last job that another one has submitted; its log says which."""
        return max(re.findall(r"^Submitted batch job (\d+)$", self.logs(), re.MULTILINE), key=int)

    def test_analysis_waits_for_its_study(self):
        (self.work / "s.cfg").write_text(STUDY)
        job = self.submit("sensitivity.sbatch", "s.cfg")
        self.await_state(job, "COMPLETED")
        self.await_state(self.dependent(), "COMPLETED")
        with h5py.File(self.work / "a.h5") as file:
            self.assertIn("ST", file["sensitivity/sobol"])

    def test_trials_wait_for_their_cohort(self):
        if not re.search(r"^  cohort ", self.slurm(KETSWEEP, "help"), re.MULTILINE):
            self.skipTest("this ketsweep has no command cohort")
        (self.work / "p.cfg").write_text(COHORT)
        (self.work / "t.cfg").write_text(TRIAL)
        self.await_state(self.submit("cohort.sbatch", "p.cfg", "t.cfg"), "COMPLETED")
        self.await_state(self.dependent(), "COMPLETED")
        self.assertTrue((self.work / "p.h5").exists() and (self.work / "t.h5").exists())

    def test_failed_configuration(self):
        """The job fails, its log says why, and what waits for it goes away."""
        (self.work / "b.cfg").write_text(CAMPAIGN.replace("seed = 5", "sead = 5"))
        job = self.submit("sweep.sbatch", "b.cfg")
        self.await_state(job, "FAILED")
        self.assertEqual(self.ask(job, "ExitCode"), ["2:0"])
        self.assertIn("b.cfg:4: design.sead: unknown key", self.logs())
        job = self.submit("sensitivity.sbatch", "a.cfg", "--lanes", "3")
        self.await_state(job, "FAILED")
        self.await_state(self.dependent(), "CANCELLED")

    def test_submit_and_status(self):
        expected = self.expect(*SMALL)
        dry = self.slurm(KETSWEEP, "submit", "a.cfg", *SMALL, "--dry-run", "--time", "1:00:00", "--nodes", "2")
        self.assertIn("not submitted; `sbatch a.sbatch` does it", dry)
        self.assertEqual(self.slurm("squeue", "--noheader"), "")
        script = (self.work / "a.sbatch").read_text()
        for line in ("#SBATCH --nodes=2", "#SBATCH --ntasks=2", "#SBATCH --time=01:00:00"):
            self.assertIn(line + "\n", script)
        said = self.slurm(KETSWEEP, "submit", "a.cfg", *SMALL, "--set", "title=\"it's\"", "-o", "b c.h5")
        job = re.search(r"^job (\d+); to follow it:\n  ketsweep status \1\n  tail -f b c-\1.log$", said, re.MULTILINE)[1]
        self.await_state(job, "COMPLETED")
        found = contents(self.work / "b c.h5")
        self.assertEqual({key: found[key] for key in found if key in ("endpoints", "status", "inputs")},
                         {key: expected[key] for key in expected if key in ("endpoints", "status", "inputs")})
        status = self.slurm(KETSWEEP, "status", job)
        self.assertRegex(status, rf"^job {job}: COMPLETED, \d+ tasks on node\S*, queued again 0 times, exit code 0:0\n")
        self.assertIn("b c.h5: it's\n200 of 200 points (100 %)", status)
        self.assertIn(f"b c-{job}.log\n", status)
        self.slurm(KETSWEEP, "status", "999999", status=2)
        for wrong in (("--time", "soon"), ("--time", "0"), ("--nodes", "two"), ("--partition", "nowhere")):
            self.slurm(KETSWEEP, "submit", "a.cfg", *SMALL, *wrong, status=2)

    def test_second_job_is_refused(self):
        first = self.submit("sweep.sbatch", "a.cfg", "--lanes", "1")
        self.await_rows("a.h5")
        second = self.submit("sweep.sbatch", "a.cfg")
        self.await_state(second, "FAILED")
        self.assertEqual(self.ask(first, "JobState"), ["RUNNING"])
        self.assertRegex(self.logs(), r"ketsweep: error: another run writes a\.h5: process \d+ on node\d")


class Scripts(unittest.TestCase):
    scripts = sorted([*TOP.glob("jobs/*.sh"), *TOP.glob("jobs/*.sbatch"), *TOP.glob("tools/slurm_*.sh")])

    def test_syntax(self):
        self.assertGreaterEqual(len(self.scripts), 8)
        for script in self.scripts:
            subprocess.run(["bash", "-n", script], check=True)

    def test_shellcheck(self):
        if not shutil.which("shellcheck"):
            self.skipTest("shellcheck is not here")
        found = subprocess.run(["shellcheck", "-x", *self.scripts], cwd=TOP, stdout=subprocess.PIPE, text=True)
        self.assertEqual((found.returncode, found.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
