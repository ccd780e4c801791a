"""Disks that fill, refuse, limit, fail or lose the file: a clear error, what was committed stays, and it goes on later."""
import errno
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from crash import FUNCTION, KETSWEEP, MODEL, TOP, CrashTest, Job, contents, often, wait_until  # noqa: E402

# 14.5 MB of rows in many rounds.
CAMPAIGN = FUNCTION.replace("points = 200", "points = 25000") + "run : { commit_seconds = 0.02; };"


class Disk(CrashTest):
    def mount(self, size):
        """A disk of its own, for tests that may."""
        disk = self.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk],
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("cannot mount a disk here")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        return disk

    def stop_in_time(self, path, *arguments, ranks=2):
        """A file that is not finished, however fast the machine; returns how many rows."""
        limit, status = 0.5, 0
        while status == 0 and limit > 1e-3:
            pathlib.Path(path).unlink(missing_ok=True)
            job = Job(self, ranks, self.config, "-o", path, "-q", "--set", f"run.time_limit={limit}", *arguments)
            status = job.wait()
            limit /= 2
        self.assertEqual(status, 3, job.text())
        return self.read_by_all(path)

    def test_full_before_the_start(self):
        """Room is found wanting before the first point is computed, and the file appears once there is some."""
        self.reference(CAMPAIGN)
        disk = self.mount("64m")
        path = str(disk / "a.h5")
        (disk / "rest").write_bytes(bytes(50 << 20))
        for ranks in (None, 2):
            refusal = self.run_program("run", self.config, "-o", path, ranks=ranks, status=1)
            self.assertRegex(refusal.stderr, "the file needs 0.0\\d+ GB, and .* has 0.0\\d+ GB free")
        self.assertEqual(sorted(name.name for name in disk.iterdir()), ["rest"])
        (disk / "rest").unlink()
        self.run_program("run", self.config, "-o", path, ranks=2)
        self.assertEqual(contents(path), self.expected)

    def test_fills_up(self):
        """Of 64 MB somebody takes what the file has not reserved; a copy with holes fails, and goes on with room."""
        self.reference(MODEL, "--set", "design.points=3000")
        points = ("--set", "design.points=3000")
        disk = self.mount("64m")
        for trial in range(often(2, 20)):
            path, rest = str(disk / "a.h5"), disk / "rest"
            self.stop_in_time(path, *points)
            sparse = self.path("sparse.h5")
            shutil.move(path, sparse)
            subprocess.run(["cp", "--sparse=always", sparse, path], check=True)
            with open(rest, "wb") as stream:
                with self.assertRaises(OSError):
                    while True:
                        os.write(stream.fileno(), bytes(1 << 12))
            n_before = self.read_by_all(path)
            job = Job(self, self.random.choice((1, 2, 3)), self.config, "-o", path, *points)
            self.assertEqual(job.wait(), 1, job.text())
            self.assertRegex(job.text(), "ketsweep: error: (cannot reserve|no space for|cannot write|cannot create)")
            self.assertEqual(self.read_by_all(path), n_before)
            rest.unlink()
            self.run_program("run", self.config, "-o", path, *points, ranks=2)
            self.assertEqual(contents(path), self.expected)
            os.unlink(path)

    def test_limit_of_size(self):
        """ulimit -f, for a new file and one that is there."""
        self.reference(MODEL)
        path = self.path("a.h5")
        size = os.path.getsize(self.path("reference.h5"))

        def limited(limit):
            return subprocess.run([KETSWEEP, "run", self.config, "-o", path, "-q"], cwd=self.folder, text=True,
                                  stderr=subprocess.PIPE,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))

        for limit in (5 << 20, size - 1):  # Open MPI itself needs about 4 MB
            process = limited(limit)
            self.assertEqual(process.returncode, 1, process.stderr)
            self.assertRegex(process.stderr, "ketsweep: error: cannot reserve the 0.0\\d+ GB")
            self.assertFalse(pathlib.Path(path).exists())
        self.stop_in_time(path)
        before = pathlib.Path(path).read_bytes()
        for limit in (5 << 20, size - 1):
            process = limited(limit)
            self.assertEqual(process.returncode, 1, process.stderr)
            self.assertIn("(ulimit -f)", process.stderr)
            self.assertEqual(pathlib.Path(path).read_bytes(), before)
        self.assertEqual(limited(size).returncode, 0)
        self.assertEqual(contents(path), self.expected)

    def test_failing_writes(self):
        """From some write on, one rank's fail with the error of a full disk, a quota, a stale handle, a broken disk."""
        library = self.path("failing_disk.so")
        compiler = shutil.which("gcc") or shutil.which("cc")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, str(TOP / "tests/crash/failing_disk.c"), "-ldl"],
                       check=True)
        self.reference(CAMPAIGN)
        kinds = (errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.EIO)
        n_failed = 0
        for trial in range(often(6, 100)):
            path, kind = self.path(f"{trial}.h5"), kinds[trial % len(kinds)]
            ranks = self.random.choice((1, 2, 3))
            job = Job(self, ranks, self.config, "-o", path, "-q", LD_PRELOAD=library,
                      FAIL_ERRNO=str(kind), FAIL_RANK=str(self.random.randrange(ranks)),
                      FAIL_AFTER=str(self.random.randrange(40)))
            status = job.wait()
            self.assertIn(status, (0, 1), job.text())  # a rank may write less often than that
            if status == 1:
                n_failed += 1
                self.assertIn(f"ketsweep: error: cannot write to {path}: {os.strerror(kind)}", job.text())
            self.go_on(path, self.random.choice((None, 2, 3)))
        self.tell(f"{self._testMethodName} ({n_failed} failed)")
        self.assertGreater(n_failed, 0)

    def test_file_that_is_gone(self):
        """Deleted, or replaced by another, while the run writes it."""
        self.reference(CAMPAIGN, "--set", "design.points=400000")
        points = ("--set", "design.points=400000")
        for replaced, sentence in ((False, " is gone: No such file or directory"), (True, " is another file than the one ")):
            path = self.path("a.h5")
            job = Job(self, 2, self.config, "-o", path, "-q", *points)
            wait_until(lambda: pathlib.Path(path).exists() and " 0 rounds" not in self.run_program("status", path).stdout,
                       "it commits")
            if replaced:
                os.replace(self.path("again.h5"), path)
            else:
                os.unlink(path)
            self.assertEqual(job.wait(), 1, job.text())
            self.assertIn("ketsweep: error: " + path + sentence, job.text())
            self.run_program("run", self.config, "-o", path, "-q", *points)
            self.assertEqual(contents(path), self.expected)
            os.unlink(path)

    def test_read_only(self):
        self.reference(MODEL)
        disk = self.mount("64m")
        path = str(disk / "a.h5")
        self.stop_in_time(path)
        for arguments, sentence in (((path,), "Read-only file system"), ((str(disk / "new.h5"),), "Read-only file system")):
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            refusal = self.run_program("run", self.config, "-o", *arguments, ranks=2, status=(1, 2))
            self.assertIn(sentence, refusal.stderr)
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        self.run_program("run", self.config, "-o", path, ranks=2)
        self.assertEqual(contents(path), self.expected)


if __name__ == "__main__":
    unittest.main()
