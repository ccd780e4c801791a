"""A byte that flips in a committed round is found by `verify`, with its rows, and `run --repair` makes it good."""
import pathlib
import re
import sys
import unittest

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from crash import MODEL, CrashTest, contents, often  # noqa: E402

FIELDS = ("inputs", "endpoints", "status", "solver_steps", "trajectories")


class Repairs(CrashTest):
    def setUp(self):
        super().setUp()
        self.reference(MODEL, "--set", "design.points=300", "--set", "run.commit_seconds=0.01")
        self.file = self.path("reference.h5")
        with h5py.File(self.file) as file:
            self.log = file["rounds/log"][: file["rounds/in_use"][()]]
            self.areas = [(file[name].id.get_offset(), file[name].id.get_storage_size()) for name in FIELDS]
            self.row_bytes = [size // 300 for _, size in self.areas]
            log = file["rounds/log"].id
            self.checksum_places = [log.get_offset() + 24 * i + 16 for i in range(len(self.log))]
        self.assertGreater(len(self.log), 3)

    def flip(self, place):
        with open(self.file, "r+b") as stream:
            stream.seek(place)
            byte = stream.read(1)[0]
            stream.seek(place)
            stream.write(bytes([byte ^ 1 << self.random.randrange(8)]))

    def round_of(self, row):
        return next(i for i, line in enumerate(self.log) if row < line["first_row"] + line["n_rows"])

    def find(self, rounds):
        """`verify` names the rows of these rounds and no others."""
        text = self.run_program("verify", self.file, status=1).stdout
        changed = [int(i) for i in re.findall(r"round (\d+): rows \d+ to \d+ CHANGED", text)]
        self.assertEqual(changed, sorted(rounds))
        for i in rounds:
            first, last = int(self.log[i]["first_row"]), int(self.log[i]["first_row"]) + int(self.log[i]["n_rows"]) - 1
            self.assertIn(f"round {i}: rows {first} to {last} CHANGED", text)

    def repair(self, rounds):
        n_rows = sum(int(self.log[i]["n_rows"]) for i in rounds)
        run = self.run_program("run", self.config, "-o", self.file, "--repair", "--set", "design.points=300",
                               ranks=self.random.choice((None, None, None, 2)))
        self.assertIn(f"{len(rounds)} of {len(self.log)} rounds had changed; their {n_rows} points were run again",
                      run.stderr)
        self.assertEqual(contents(self.file), self.expected)
        self.run_program("verify", self.file)
        with h5py.File(self.file) as file:
            self.assertEqual(file["rounds/log"][: len(self.log)].tobytes(), self.log.tobytes())

    def test_one_byte_at_a_time(self):
        total = sum(size for _, size in self.areas)
        for trial in range(often(12, 200)):
            self.counts[0] += 1
            at = self.random.randrange(total)
            if trial % 4 == 0:  # the small ones too
                at = self.areas[0][1] + self.areas[1][1] + self.random.randrange(300 * 5)
            for (offset, size), row_bytes in zip(self.areas, self.row_bytes):
                if at < size:
                    break
                at -= size
            bad = self.round_of(at // row_bytes)
            self.flip(offset + at)
            self.find([bad])
            self.counts[1] += 1
            self.repair([bad])
            self.counts[2] += 1
        self.tell(f"{self._testMethodName} (found, repaired)")

    def test_checksum_itself(self):
        bad = len(self.log) // 2
        self.flip(self.checksum_places[bad])
        self.find([bad])
        self.repair([bad])

    def test_several_rounds(self):
        bad = sorted(self.random.sample(range(len(self.log)), 3))
        for i in bad:
            self.flip(self.areas[1][0] + int(self.log[i]["first_row"]) * self.row_bytes[1])
        self.find(bad)
        for switch in ("--verify", "--verify-fraction=0.1"):  # the last round alone is checked without --verify
            if switch == "--verify" or bad[-1] == len(self.log) - 1:
                refusal = self.run_program("run", self.config, "-o", self.file, switch, "--set", "design.points=300",
                                           status=1)
                self.assertRegex(refusal.stderr, r"rows \d+ to \d+( and \d more rounds)? have changed since they were "
                                                 "written; --repair runs them again")
        self.repair(bad)

    def test_nothing_to_repair(self):
        before = contents(self.file, without=("provenance",))
        run = self.run_program("run", self.config, "-o", self.file, "--repair", "--set", "design.points=300")
        self.assertIn(f"0 of {len(self.log)} rounds had changed; their 0 points were run again", run.stderr)
        self.assertEqual(contents(self.file, without=("provenance",)), before)


if __name__ == "__main__":
    unittest.main()
