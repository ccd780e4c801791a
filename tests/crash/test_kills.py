"""Campaigns that are killed, signalled or timed out at random moments lose nothing that was committed, and end equal."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from crash import FUNCTION, KETSWEEP, MODEL, CrashTest, Job, contents, often, wait_until  # noqa: E402

KILLS = often(5, 50)


class Kills(CrashTest):
    """The end comes without a word."""

    def hit(self, victims):
        """`victims` names the processes to kill, of a job that may have ended or not begun yet."""
        self.reference(MODEL)
        for trial in range(KILLS):
            path = self.path(f"{trial}.h5")
            for _ in range(self.random.choice((1, 1, 2))):  # some are hit twice
                job = Job(self, self.random.choice((2, 3)), self.config, "-o", path, "-q")
                self.choose_moment(job, path)
                for pid in victims(job):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                job.wait()
            self.go_on(path, self.random.choice((None, None, 2, 3)))
        self.tell(self._testMethodName)

    def choose_moment(self, job, path):
        """While it starts, now and then; mostly while it writes."""
        if self.random.random() < 0.1:
            time.sleep(self.random.uniform(0.2, 0.8) * self.duration)
            return
        wait_until(lambda: pathlib.Path(path).exists() or job.process.poll() is not None, "it starts")
        time.sleep(self.random.uniform(0, 0.5) * self.duration)

    def test_all_ranks(self):
        self.hit(lambda job: list(job.ranks().values()))

    def test_one_worker(self):
        self.hit(lambda job: [pid for rank, pid in job.ranks().items() if rank == 1])

    def test_master(self):
        self.hit(lambda job: [pid for rank, pid in job.ranks().items() if rank == 0])

    def test_mpirun(self):
        self.hit(lambda job: (job.ranks(), [job.process.pid])[1])

    def test_alone(self):
        """Without mpirun."""
        self.reference(MODEL)
        for trial in range(KILLS):
            path = self.path(f"{trial}.h5")
            process = subprocess.Popen([KETSWEEP, "run", self.config, "-o", path, "-q"], cwd=self.folder)
            time.sleep(self.random.uniform(0.1, 1.1) * self.duration)
            process.kill()
            process.wait()
            self.go_on(path, 2)
        self.tell(self._testMethodName)


class Stops(CrashTest):
    """Signals and time: what is done is committed, the exit status says that there is more to do."""

    def stop(self, number, choose, may_be_cut):
        self.reference(MODEL)
        statuses, least = [], often(3, 50)
        while len(statuses) < least or not (may_be_cut or 3 in statuses or len(statuses) >= least + 20):
            path = self.path(f"{len(statuses)}.h5")
            job = Job(self, self.random.choice((1, 2, 3)), self.config, "-o", path, "-q")
            time.sleep(self.random.uniform(0.3, 0.9) * self.duration)
            if pathlib.Path(path).exists():  # before, a signal has its usual effect
                for pid in choose(job):
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
            status = job.wait()
            text = job.text()
            statuses.append(status)
            if not may_be_cut:
                self.assertIn(status, (0, 3), text)
            if status == 3:
                said = re.search(r"ketsweep: stopped by (\w+); (\d+) of 1500 points are in \S+ and safe: the same "
                                 "command goes on from there", text)
                self.assertIsNotNone(said, text)
                self.assertEqual(said[1], signal.Signals(number).name)
                self.assertEqual(self.read_by_all(path), int(said[2]))
            self.go_on(path, self.random.choice((None, 1, 2, 3)))
        self.tell(f"{self._testMethodName} ({statuses.count(3)} stopped in order)")
        if not may_be_cut:
            self.assertIn(3, statuses)

    def one_rank(self, job):
        """None where they have ended already: mpirun, which may be there still, is another matter."""
        return self.random.sample(list(job.ranks().values()), 1 if job.ranks() else 0)

    def test_usr1_to_mpirun(self):
        self.stop(signal.SIGUSR1, lambda job: [job.process.pid], False)

    def test_usr2_to_a_rank(self):
        self.stop(signal.SIGUSR2, self.one_rank, False)

    def test_term_to_a_rank(self):
        self.stop(signal.SIGTERM, self.one_rank, False)

    def test_term_to_mpirun(self):
        self.stop(signal.SIGTERM, lambda job: [job.process.pid], True)

    def test_time_limit(self):
        """Legs of a campaign, each cut by its time limit, on changing numbers of ranks."""
        self.reference(MODEL)
        for trial in range(often(2, 30)):
            path, n_before = self.path(f"{trial}.h5"), -1
            for leg in range(100):
                limit = self.random.uniform(0.4, 1.2)
                job = Job(self, self.random.choice((1, 2, 3)), self.config, "-o", path, "-q", "--set",
                          f"run.time_limit={limit}")
                status = job.wait()
                self.assertIn(status, (0, 3), job.text())
                if status == 0:
                    break
                self.assertIn("stopped by the time limit; ", job.text())
                n_rows = self.read_by_all(path)
                self.assertGreaterEqual(n_rows, max(n_before, 0))
                n_before = n_rows
            self.assertEqual(status, 0)
            self.go_on(path, None)
        self.tell(self._testMethodName)

    def test_end_of_the_slurm_job(self):
        self.reference(MODEL, "--set", "design.points=20000", "--set", "run.commit_seconds=1.0")
        path, status = self.path("a.h5"), 0
        for ahead in (4, 3, 2, 1, 0):  # fast machines are done before
            pathlib.Path(path).unlink(missing_ok=True)
            job = Job(self, 2, self.config, "-o", path, "-q", "--set", "design.points=20000", "--set",
                      "run.commit_seconds=1.0", SLURM_JOB_END_TIME=str(int(time.time()) + ahead))
            status = job.wait()
            if status != 0:
                break
        self.assertEqual(status, 3, job.text())
        self.assertIn("stopped by the time limit; ", job.text())
        self.go_on(path, 2, "--set", "design.points=20000", "--set", "run.commit_seconds=1.0")

    LONG = ('protocol : { horizon = 100000.0; infusion_count = 1000; infusion_interval = 96.0; }; design : { kind = "random"; '
            'points = 4; }; parameters : ( { name = "infusion_dose"; } ); output : { endpoints = ["madrs_24h"]; }; '
            'solver : { kind = "%s"; rtol = 1e-13; max_steps = 2000000000; };')

    def test_points_that_take_long_are_dropped(self):
        """Whichever rank is signalled, whatever the others are in."""
        for kind, victims in (("cvode", often((0, 2), (0, 1, 2))), ("rosenbrock", often((1,), (0, 1, 2)))):
            config = self.path(f"{kind}.cfg", self.LONG % kind)
            for victim in victims:
                path = self.path(f"{kind}-{victim}.h5")
                job = Job(self, 3, config, "-o", path, "-q")
                wait_until(lambda: pathlib.Path(path).exists() and len(job.ranks()) == 3, "it starts")
                time.sleep(1.5)
                start = time.monotonic()
                os.kill(job.ranks()[victim], signal.SIGUSR1)
                self.assertEqual(job.wait(), 3, job.text())
                print(f"# {kind}, signal to rank {victim}: ended after {time.monotonic() - start:.1f} s", flush=True)
                self.assertIn("stopped by SIGUSR1; 0 of 4 points", job.text())
                self.read_by_all(path)

    def test_second_signal_stops_at_once(self):
        config, path = self.path("a.cfg", self.LONG % "cvode"), self.path("a.h5")
        job = Job(self, 2, config, "-o", path, "-q")
        wait_until(lambda: pathlib.Path(path).exists() and len(job.ranks()) == 2, "it starts")
        time.sleep(1.5)
        os.kill(job.ranks()[1], signal.SIGUSR1)
        time.sleep(0.1)
        os.kill(job.ranks()[1], signal.SIGUSR1)  # launchers send twice
        time.sleep(0.8)
        self.assertIsNone(job.process.poll())
        os.kill(job.ranks()[1], signal.SIGUSR1)
        self.assertNotIn(job.wait(), (0, 3), job.text())
        self.read_by_all(path)


class Hung(CrashTest):
    """The watchdog names the rank that does nothing, and the points it was on."""

    def test_stopped_rank(self):
        self.reference(MODEL)
        for victim, where in ((1, r"; it was on points \d+ to \d+"), (0, "")):
            path = self.path(f"{victim}.h5")
            arguments = (self.config, "-o", path, "-q", "--set", "run.watchdog_seconds=2.0")
            job = Job(self, 3, *arguments, "--set", "design.points=100000", "--set", "run.commit_seconds=1000.0")
            wait_until(lambda: pathlib.Path(path).exists() and len(job.ranks()) == 3, "it starts")
            time.sleep(1.0)
            pid = job.ranks()[victim]
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: "has done nothing" in job.text(), "the watchdog says nothing")
            os.kill(pid, signal.SIGCONT)
            self.assertNotIn(job.wait(), (0, 3))
            self.assertRegex(job.text(), rf"ketsweep: error: rank {victim} on \S+ has done nothing for \d+ s "
                                         rf"\(run.watchdog_seconds\){where}")
            self.read_by_all(path)

    def test_in_a_commit(self):
        """Rounds are so short that a rank which stops stops in one, mostly."""
        self.reference(FUNCTION, "--set", "run.commit_seconds=0.001")
        path = self.path("a.h5")
        job = Job(self, 3, self.config, "-o", path, "-q", "--set", "run.watchdog_seconds=2.0", "--set",
                  "design.points=20000000", "--set", "run.commit_seconds=0.001")
        wait_until(lambda: pathlib.Path(path).exists() and len(job.ranks()) == 3, "it starts")
        time.sleep(1.0)
        pid = job.ranks()[1]
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: "run.watchdog_seconds" in job.text(), "the watchdog says nothing")
        os.kill(pid, signal.SIGCONT)
        self.assertNotIn(job.wait(), (0, 3))
        self.read_by_all(path)

    def test_busy_ranks_are_left_alone(self):
        self.reference(MODEL)
        for ranks in (1, 2, 5):
            path = self.path(f"{ranks}.h5")
            self.run_program("run", self.config, "-o", path, "--set", "run.watchdog_seconds=20.0", ranks=ranks)
            self.assertEqual(contents(path), self.expected)


class Crashes(CrashTest):
    """A point that crashes its process is found and given up; one that was only near is not."""

    CONFIG = 'model = "test:crash"; design : { kind = "file"; file = "points.csv"; };'

    def test_point_that_crashes(self):
        bad = (17, 18, 1500)
        rows = [f"{1.5 if i in bad else i / 4000}" for i in range(3000)]
        self.path("points.csv", "x1\n" + "\n".join(rows) + "\n")
        config, path = self.path("a.cfg", self.CONFIG), self.path("a.h5")
        crashes = 0
        for attempt in range(10):
            job = Job(self, 1 + attempt % 3, config, "-o", path)
            status = job.wait()
            if status == 0:
                break
            crashes += 1
            self.assertTrue(pathlib.Path(self.path("a.h5.crash")).exists())
            self.read_by_all(path)
        self.assertEqual(status, 0, job.text())
        self.assertIn(f"{len(bad)} crashed: the process died on this point", job.text())
        self.assertLessEqual(crashes, len(bad))
        with h5py.File(path) as file:
            status = file["status"][:]
            self.assertEqual([i for i in range(3000) if status[i] == 6], list(bad))
            self.assertEqual(int((status == 1).sum()), 3000 - len(bad))
            self.assertEqual(file["inputs"][17, 0], 1.5)
            self.assertNotEqual(file["endpoints"][17, 0], file["endpoints"][17, 0])
            self.assertEqual(file["endpoints"][16, 0], 16 / 4000)
        self.run_program("verify", path)
        self.assertFalse(pathlib.Path(self.path("a.h5.crash")).exists())

    def hang_config(self):
        """Of a campaign that finds a point in hand that hangs; alone it crashed once."""
        rows = [2.5 if i == 17 else i / 400 for i in range(300)]
        self.path("points.csv", "x1\n" + "\n".join(map(str, rows)) + "\n")
        self.path("a.h5.crash", "17 1 11\n")
        return self.path("a.cfg", self.CONFIG)

    def test_suspect_that_hangs(self):
        job = Job(self, 2, self.hang_config(), "-o", self.path("a.h5"), "--set", "run.watchdog_seconds=2.0")
        self.assertEqual(job.wait(), 0, job.text())
        self.assertIn("point 17 crashes or hangs whenever it is tried", job.text())
        with h5py.File(self.path("a.h5")) as file:
            self.assertEqual([i for i, status in enumerate(file["status"][:]) if status != 1], [17])

    def test_stopped_while_a_suspect_hangs(self):
        job = Job(self, 1, self.hang_config(), "-o", self.path("a.h5"))
        wait_until(lambda: "each is tried alone" in job.text(), "it tries the point")
        for pid in job.ranks().values():
            os.kill(pid, signal.SIGUSR1)
        self.assertEqual(job.wait(), 3, job.text())
        self.assertEqual(pathlib.Path(self.path("a.h5.crash")).read_text(), "17 1 11\n")

    def test_crash_for_another_reason(self):
        """A rank gets SIGSEGV from outside: its points are tried alone, and nothing is given up."""
        self.reference(MODEL)
        n_suspects = 0
        for trial in range(often(3, 20)):
            path = self.path(f"{trial}.h5")
            job = Job(self, 2, self.config, "-o", path, "-q")
            time.sleep(self.random.uniform(0.5, 0.9) * self.duration)
            for pid in self.random.sample(list(job.ranks().values()), 1 if job.ranks() else 0):
                os.kill(pid, signal.SIGSEGV)
            job.wait()
            n_suspects += pathlib.Path(path + ".crash").exists()
            self.go_on(path, self.random.choice((1, 2, 3)))
        self.tell(f"{self._testMethodName} ({n_suspects} with points in hand)")
        if n_suspects == 0 and often(False, True):  # three may all fall between two points
            self.fail("no crash had points in hand")


if __name__ == "__main__":
    unittest.main()
