"""Damaged files and files of others: every command ends with an error message or with right results.

A seeded sample of mutations of good result files; KETSWEEP_SOAK=1 makes it 1,000. Never a crash, a hang, or an answer
that differs from the good file's, but where rows themselves were changed: there `verify` must say so.
"""
import collections
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cli"))
from program import CAMPAIGN, KETSWEEP, TEST_FUNCTION, ProgramTest  # noqa: E402

READERS = ("status", "verify", "export", "sensitivity")  # those of them that this program has
N_MUTATIONS = 1000 if os.environ.get("KETSWEEP_SOAK") == "1" else 100
SEED = 20240501
TIME_LIMIT = 400  # seconds, of one command: longer than the program lets HDF5 work on a file
MARKED = re.compile(r"(the campaign is|;) (not )?complete")  # a mark that a killed run may lack

Answer = collections.namedtuple("Answer", "status stdout stderr")


class Original:
    """A good file: its bytes, and which of them are what."""

    def __init__(self, path, config):
        self.config = config
        self.bytes = pathlib.Path(path).read_bytes()
        with h5py.File(path) as file:
            extents = {}
            file.visititems(lambda name, thing: extents.update(self.extent_of(name, thing)))
            n_rounds, n_runs = int(file["rounds/in_use"][()]), int(file["provenance/runs_in_use"][()])
            self.is_complete = bool(file.attrs["complete"])
            n_rows = sum(int(row["n_rows"]) for row in file["rounds/log"][:n_rounds])
        n_points = extents["status"][1]
        self.rows = [(start, size * n_rows // n_points) for name, (start, size) in extents.items()
                     if name in ("inputs", "endpoints", "status", "solver_steps", "trajectories")]
        self.log = [(extents["rounds/log"][0], 24 * n_rounds), extents["rounds/in_use"]]
        self.records = [(extents["provenance/runs"][0], 892 * n_runs), extents["provenance/runs_in_use"]]
        self.metadata = self.gaps(extents.values())

    @staticmethod
    def extent_of(name, thing):
        is_rows = isinstance(thing, h5py.Dataset) and thing.id.get_offset() is not None and thing.dtype.kind != "O"
        return {name: (thing.id.get_offset(), thing.id.get_storage_size())} if is_rows else {}

    def gaps(self, extents):
        """What is no rows and not empty."""
        gaps, at = [], 0
        for start, size in sorted([*extents, (len(self.bytes), 0)]):
            # padding up to the next boundary is not worth a mutation
            used = len(self.bytes[at:start].rstrip(b"\0"))
            if used:
                gaps.append((at, used))
            at = start + size
        return gaps


def pick(choice, extents):
    """A byte of the extents, each byte as likely as another."""
    start, size = choice.choices(extents, [size for _, size in extents])[0]
    return start + choice.randrange(size)


# ---- mutations: (what kind it is, the bytes) --------------------------------------------------------------------------

def truncate(choice, original):
    return "metadata", original.bytes[:choice.choice((choice.randrange(len(original.bytes)), choice.randrange(8192)))]


def flip(extents_of, kind):
    def mutate(choice, original):
        data = bytearray(original.bytes)
        for _ in range(choice.choice((1, 1, 1, 2, 5))):
            data[pick(choice, extents_of(original))] ^= 1 << choice.randrange(8)
        return kind, bytes(data)
    return mutate


def overwrite(choice, original):
    """A run of bytes of the metadata: zeros, ones, noise, or a piece of the file's other metadata."""
    data, start = bytearray(original.bytes), pick(choice, original.metadata)
    size = choice.choice((2, 4, 8, 8, 16, 64, 512))
    other = pick(choice, original.metadata)
    filling = choice.choice((bytes(size), b"\xff" * size, choice.randbytes(size), original.bytes[other:other + size]))
    data[start:start + size] = filling
    return "metadata", bytes(data[:len(original.bytes)])


def lose_block(choice, original):
    """A 4 KiB block that never came to the disk."""
    data, start = bytearray(original.bytes), pick(choice, original.metadata) // 4096 * 4096
    data[start:start + 4096] = bytes(len(data[start:start + 4096]))
    return "block", bytes(data)


MUTATIONS = ((truncate, 10), (flip(lambda o: o.metadata, "metadata"), 50), (overwrite, 20), (lose_block, 5),
             (flip(lambda o: o.log, "log"), 10), (flip(lambda o: o.records, "records"), 3),
             (flip(lambda o: o.rows, "rows"), 10))


# ---- what other programs leave ----------------------------------------------------------------------------------------

class Foreign:
    """Each makes a file at the path that it is given."""

    @staticmethod
    def empty(path):
        path.write_bytes(b"")

    @staticmethod
    def text(path):
        path.write_text("time,madrs\n0,30\n" * 1000)

    @staticmethod
    def noise(path):
        path.write_bytes(random.Random(1).randbytes(100000))

    @staticmethod
    def signature_alone(path):
        path.write_bytes(b"\x89HDF\r\n\x1a\n")

    @staticmethod
    def signature_and_noise(path):
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + random.Random(2).randbytes(100000))

    @staticmethod
    def no_objects(path):
        h5py.File(path, "w").close()

    @staticmethod
    def newest_format(path):
        with h5py.File(path, "w", libver="latest") as file:
            file["a/b/c"] = numpy.arange(1000.0).reshape(10, 100)
            file.attrs["format"] = "netCDF"

    @staticmethod
    def behind_a_user_block(path):
        with h5py.File(path, "w", userblock_size=512) as file:
            file["status"] = numpy.zeros(10, "i1")

    @staticmethod
    def numbers_for_texts(path):
        with h5py.File(path, "w") as file:
            file.attrs["format"] = 7

    @staticmethod
    def many_texts(path):
        with h5py.File(path, "w") as file:
            file.attrs["format"] = ["ketsweep", "ketsweep"]

    @staticmethod
    def short_texts(path):
        with h5py.File(path, "w") as file:
            file.attrs["format"] = numpy.bytes_("ketsweep")

    @staticmethod
    def our_name_alone(path):
        with h5py.File(path, "w") as file:
            file.attrs["format"] = "ketsweep"

    @staticmethod
    def another_version(path):
        with h5py.File(path, "w") as file:
            file.attrs["format"] = "ketsweep"
            file.attrs["format_version"] = 10**9

    @staticmethod
    def _header(file, n_points):
        file.attrs.update({"format": "ketsweep", "format_version": 1, "title": "", "config": "", "design": "lhs",
                           "model_version": "0", "seed": 1, "n_points": n_points, "complete": 1,
                           "schema_checksum": 1})

    @staticmethod
    def endless_rows(path):
        with h5py.File(path, "w") as file:
            Foreign._header(file, 2**62)
            file.create_dataset("status", shape=(2**62,), dtype="i1", chunks=(1024,))
            file.create_dataset("solver_steps", shape=(2**62,), dtype="u4", chunks=(1024,))

    @staticmethod
    def endless_columns(path):
        with h5py.File(path, "w") as file:
            Foreign._header(file, 1)
            for name in ("endpoint", "endpoint_unit", "endpoint_description"):
                file.create_dataset(name, shape=(2**20,), dtype=h5py.string_dtype())
            file.create_dataset("status", shape=(1,), dtype="i1")
            file.create_dataset("endpoints", shape=(1, 2**20), dtype="f8")

    @staticmethod
    def links_elsewhere(path):
        with h5py.File(path, "w") as file:
            Foreign._header(file, 1)
            file["status"] = h5py.ExternalLink("/dev/zero", "/status")
            file["solver_steps"] = h5py.SoftLink("/solver_steps")
            file["time"] = h5py.ExternalLink(str(path), "/time")

    @staticmethod
    def rows_elsewhere(path):
        with h5py.File(path, "w") as file:
            Foreign._header(file, 4)
            file.create_dataset("status", shape=(4,), dtype="i1", external=[("/etc/passwd", 0, 4)])
            file.create_dataset("solver_steps", shape=(4,), dtype="u4", external=[("/etc/passwd", 0, 16)])

    @staticmethod
    def groups_for_datasets(path):
        with h5py.File(path, "w") as file:
            Foreign._header(file, 1)
            for name in ("parameter", "endpoint", "state", "time", "status", "rounds/log", "provenance/runs"):
                file.create_group(name)

    @staticmethod
    def other_types(path):
        with h5py.File(path, "w") as file:
            Foreign._header(file, 2)
            file["status"] = numpy.zeros(2, [("a", "i1"), ("b", "f8")])
            file["time"] = numpy.zeros(3, "S5")
            file["solver_steps"] = [b"1", b"2"]


# ---- the test ---------------------------------------------------------------------------------------------------------

class Damaged(ProgramTest):

    @classmethod
    def setUpClass(cls):
        known = subprocess.run([KETSWEEP, "help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        cls.readers = [name for name in READERS if re.search(rf"^  {name} ", known, re.MULTILINE)]

    def run_command(self, *arguments):
        process = subprocess.run([KETSWEEP, *map(str, arguments)], cwd=self.folder, timeout=TIME_LIMIT, text=True,
                                 errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        return Answer(process.returncode, process.stdout, process.stderr)

    def read_all(self, path):
        """The answers of all commands that only read, with the file's name taken out."""
        answers = {}
        for name in self.readers:
            answer = self.run_command(name, path)
            answers[name] = Answer(answer.status, answer.stdout.replace(str(path), "FILE"), answer.stderr)
        return answers

    def make_original(self, name, text, *settings):
        config, path = self.path(f"{name}.cfg", text), self.path(f"{name}.h5")
        self.run_program("run", config, "-o", path, "-q", "--set", "run.commit_seconds=0.01", *settings)
        return config, path

    def make_originals(self):
        """Complete with trajectories; complete and wide; and one whose last rounds never came."""
        model = self.make_original("model", CAMPAIGN)
        function = self.make_original("function", TEST_FUNCTION)
        broken = self.make_original("broken", CAMPAIGN)
        with h5py.File(broken[1], "r+") as file:
            file["rounds/in_use"][()] = file["rounds/in_use"][()] - 1
            file.attrs.modify("complete", numpy.int32(0))
        return [Original(path, config) for config, path in (model, function, broken)]

    def expect_sane(self, answer, allowed=(0, 1, 2, 3)):
        """It ended by itself; with a sentence where it is an error."""
        self.assertIn(answer.status, allowed, answer.stderr)
        self.assertNotIn("ketsweep: bug", answer.stderr)
        self.assertNotIn("Sanitizer", answer.stderr)
        if answer.status in (1, 2) and "CHANGED" not in answer.stdout:
            self.assertRegex(answer.stderr, r"(?m)^ketsweep: error: .+")

    def expect_same(self, name, answer, good):
        """An answer without an error is the one that the good file gives; the mark of completion apart."""
        if answer.status == 0:
            self.assertEqual(MARKED.sub("", answer.stdout), MARKED.sub("", good.stdout), name)

    def check_readers(self, kind, path, good):
        answers = self.read_all(path)
        for name, answer in answers.items():
            with self.subTest(command=name):
                self.expect_sane(answer)
                if kind in ("metadata", "log"):
                    self.expect_same(name, answer, good[name])
        if kind in ("rows", "log"):
            self.assertEqual(answers["verify"].status, 1, f"{kind}: {answers['verify'].stdout}")
        return answers

    def check_run(self, kind, original, path, good):
        """An error leaves the file as it is. Without one the file is good again, or its rows were never looked at."""
        before = path.read_bytes()
        answer = self.run_command("run", original.config, "-o", path, "-q")
        self.expect_sane(answer)
        if answer.status in (1, 2):
            self.assertTrue(path.read_bytes() == before, "a refused file was written to")
        elif kind == "metadata":
            self.assertEqual(self.run_command("export", path).stdout, good["whole"])

    def check_one(self, i, originals, goods):
        choice = random.Random(SEED + i)
        which = choice.randrange(len(originals))
        mutate = choice.choices([m for m, _ in MUTATIONS], [weight for _, weight in MUTATIONS])[0]
        kind, data = mutate(choice, originals[which])
        if data == originals[which].bytes:
            return "same"
        path = self.folder / f"mutation-{i}.h5"
        path.write_bytes(data)
        with self.subTest(mutation=i, kind=kind):
            answers = self.check_readers(kind, path, goods[which])
            self.check_run(kind, originals[which], path, goods[which])
            path.unlink()
            text = answers["status"].stderr
            return "crash" if "HDF5 crashes" in text else "loop" if "come to an end" in text else \
                "error" if answers["verify"].status else "right"

    def refuse_all(self, path, *words):
        config = self.path("a.cfg", TEST_FUNCTION)
        for arguments in (*((name, path) for name in self.readers), ("run", config, "-o", path, "-q")):
            with self.subTest(command=arguments[0], path=path.name):
                answer = self.run_command(*arguments)
                self.expect_sane(answer, (1, 2))
                self.assertEqual(answer.stdout, "")
                if arguments[0] != "run":
                    self.assertTrue(any(word in answer.stderr for word in words), answer.stderr)

    def test_what_is_no_file(self):
        (self.folder / "folder").mkdir()
        os.mkfifo(self.folder / "pipe")
        (self.folder / "loop").symlink_to("loop")
        (self.folder / "dangling").symlink_to("nowhere/at-all")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.folder / "socket"))
        for name, words in (("folder", "is a directory"), ("pipe", "is a pipe"), ("loop", "symbolic links"),
                            ("dangling", "No such file"), ("socket", "cannot open"), ("/dev/zero", "is a device"),
                            ("/dev/null", "is a device"), ("none", "No such file")):
            if name in ("dangling", "none"):  # which `run` may well create
                self.assertIn(words, self.run_command("status", self.folder / name).stderr)
            else:
                self.refuse_all(self.folder / name, words)

    def test_files_of_others(self):
        for name in sorted(vars(Foreign)):
            if name.startswith("_"):
                continue
            make = getattr(Foreign, name)
            path = self.folder / f"{name}.h5"
            make(path)
            before = path.read_bytes()
            self.refuse_all(path, "is empty", "is not an HDF5 file", "not one of ketsweep", "ketsweep", "HDF5")
            self.assertTrue(path.read_bytes() == before, name)

    def test_mutations(self):
        originals = self.make_originals()
        goods = []
        for original in originals:
            path = self.folder / "good.h5"
            path.write_bytes(original.bytes)
            answers = self.read_all(path)
            is_unfinished = "not complete" in answers["verify"].stdout  # which no analysis takes
            for name, answer in answers.items():
                self.assertEqual(answer.status, 2 if is_unfinished and name == "sensitivity" else 0, answer.stderr)
            goods.append(answers)
        # What a campaign of the same configuration comes to in the end.
        for good, whole in zip(goods, (0, 1, 0)):
            good["whole"] = goods[whole]["export"].stdout
        counts = collections.Counter(self.check_one(i, originals, goods) for i in range(N_MUTATIONS))
        print("#", dict(counts))


if __name__ == "__main__":
    unittest.main()
