"""Shards: `run --shard` and `merge` give the file of a single run; what does not belong together is refused."""
import pathlib
import shutil
import sys
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import CAMPAIGN, TEST_FUNCTION, ProgramTest, contents  # noqa: E402

FUNCTION = 'model = "test:wide"; parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; } );\n'
GRID = ('model = "test:wide"; design : { kind = "grid"; };\n'
        'parameters : ( { name = "x1"; low = 0.0; high = 1.0; levels = 5; }, { name = "x2"; values = [0.0, 0.5, 1.0]; } );')
FILE = 'model = "test:wide"; design : { kind = "file"; file = "points.csv"; };'

# Slow enough to be stopped within.
SLOW = CAMPAIGN.replace("points = 23", "points = 6000").replace("horizon = 48.0", "horizon = 672.0")


class Merges(ProgramTest):
    def make_shards(self, n, *arguments, name="a", ranks=(1, 2, 3)):
        for k in range(1, n + 1):
            self.run_program("run", self.config, "-o", self.path(f"{name}.h5"), "-q", "--shard", f"{k}/{n}",
                             "--max-failed-fraction", "1", *arguments, ranks=ranks[k % len(ranks)])
        return [self.path(f"{name}.{k}.h5") for k in range(1, n + 1)]

    def check_merge(self, text, counts, *arguments):
        self.config = self.path("a.cfg", text)
        for left in self.folder.glob("*.h5"):
            left.unlink()
        self.run_program("run", self.config, "-o", self.path("single.h5"), "-q", "--max-failed-fraction", "1",
                         *arguments, ranks=2)
        expected = contents(self.path("single.h5"))
        for n in counts:
            for left in self.folder.glob("a.*.h5"):
                left.unlink()
            shards = self.make_shards(n, *arguments)
            merged = self.path(f"merged{n}.h5")
            self.run_program("merge", "-o", merged, *reversed(shards))
            self.assertEqual(contents(merged), expected)
            self.assertEqual(pathlib.Path(merged).stat().st_size, pathlib.Path(self.path("single.h5")).stat().st_size)
            self.assertIn(f"{n} of {n} round{'s' if n > 1 else ''} good; the campaign is complete", self.run_program("verify", merged).stdout)
            with h5py.File(merged) as file:
                self.assertEqual(int(file["provenance/runs_in_use"][()]), n)
        return expected

    def test_model_with_trajectories(self):
        self.check_merge(CAMPAIGN, (1, 3, 4))
        before = pathlib.Path(self.path("merged3.h5")).read_bytes()
        again = self.run_program("run", self.config, "-o", self.path("merged3.h5"))
        self.assertIn("complete already, all 23 points are there", again.stderr)
        self.assertEqual(pathlib.Path(self.path("merged3.h5")).read_bytes(), before)

    def test_every_point_a_shard(self):
        self.check_merge(CAMPAIGN.replace("points = 23", "points = 7"), (7,))

    def test_designs(self):
        numpy.savetxt(self.path("points.csv"), numpy.random.default_rng(3).random((11, 2)), delimiter=",",
                      header="x1,x2", comments="")
        designs = {kind: FUNCTION + f'design : {{ kind = "{kind}"; points = {points}; seed = 4; }};'
                   for kind, points in (("sobol", 50), ("random", 37), ("lhs", 40), ("saltelli", 32), ("morris", 9),
                                        ("fast", 520))}
        for kind, text in {**designs, "grid": GRID, "file": FILE}.items():
            with self.subTest(kind):
                self.check_merge(text, (1, 3, 4) if kind in ("saltelli", "file") else (3,))

    def test_analysis_of_a_merged_study(self):
        """Indices are those of a single run; of a shard alone there are none."""
        self.check_merge(FUNCTION + 'design : { kind = "saltelli"; points = 64; seed = 4; };', (3,))
        tables = [self.run_program("sensitivity", self.path(name), "--json").stdout.replace(name, "")
                  for name in ("single.h5", "merged3.h5")]
        self.assertIn("ST", tables[0])
        self.assertEqual(tables[0], tables[1])
        refusal = self.run_program("sensitivity", self.path("a.2.h5"), status=2)
        self.assertIn("a.2.h5 is shard 2 of 3 of a campaign; `ketsweep merge` joins them", refusal.stderr)

    def test_a_shard_says_what_it_is(self):
        self.config = self.path("a.cfg", TEST_FUNCTION)
        self.make_shards(3)
        self.assertIn("shard 2 of 3: points 334 to 666 of 1000\n", self.run_program("status", self.path("a.2.h5")).stdout)
        lines = self.run_program("export", self.path("a.2.h5")).stdout.splitlines()
        self.assertEqual((lines[2].split(",")[0], lines[-1].split(",")[0]), ("334", "666"))
        with h5py.File(self.path("a.2.h5")) as file:
            self.assertEqual([int(file.attrs[name]) for name in ("shard", "n_shards", "first_point", "n_points",
                                                                 "n_campaign_points")], [2, 3, 334, 333, 1000])

    def test_a_shard_goes_on(self):
        expected = self.check_merge(SLOW, ())
        limit = ("--set", "run.commit_seconds=0.05", "--set", "run.time_limit=0.1", "--lanes", "1")
        stopped = self.run_program("run", self.config, "-o", self.path("a.h5"), "--shard", "1/2", *limit, status=3)
        self.assertIn("points are in " + self.path("a.1.h5"), stopped.stderr)
        refusal = self.run_program("run", self.config, "-o", self.path("a.h5"), "--shard", "1/3", status=2)
        self.assertEqual(refusal.returncode, 2)  # the same name, another share
        self.assertIn("shard: stored 1/2, present 1/3", refusal.stderr)
        self.run_program("run", self.config, "-o", self.path("a.h5"), "-q", "--shard", "2/2", ranks=2)
        merge = ("merge", "-o", self.path("b.h5"), self.path("a.1.h5"), self.path("a.2.h5"))
        self.assertIn("a.1.h5 is not finished", self.run_program(*merge, status=2).stderr)
        self.assertFalse(pathlib.Path(self.path("b.h5")).exists())
        self.run_program("run", self.config, "-o", self.path("a.h5"), "-q", "--shard", "1/2", ranks=2)
        self.run_program(*merge)
        self.assertEqual(contents(self.path("b.h5")), expected)

    def test_refuses_what_does_not_belong_together(self):
        self.config = self.path("a.cfg", TEST_FUNCTION)
        self.run_program("run", self.config, "-o", self.path("single.h5"), "-q")
        a = self.make_shards(4)
        b = self.make_shards(3, name="b")
        c = self.make_shards(4, "--set", "design.seed=3", name="c")
        copy, hurt = self.path("copy.h5", ""), self.path("hurt.h5", "")
        shutil.copy(a[1], copy)
        shutil.copy(a[1], hurt)
        with h5py.File(hurt) as file:
            place = file["endpoints"].id.get_offset() + 8 * 5
        with open(hurt, "r+b") as stream:
            stream.seek(place)
            stream.write(b"\x17")
        self.path("text", "no file of ours")
        cases = {(a[0], a[3]): (2, "2 of 4 shards are not among the files: 2, 3"),
                 (a[0], a[1], a[2]): (2, "1 of 4 shards is not among the files: 4"),
                 (a[0], a[1], copy, a[2], a[3]): (2, f"{a[1]} and {copy} are both shard 2 of 4"),
                 (a[0], b[1]): (2, f"{b[1]} is shard 2 of 3, but {a[0]} is one of 4"),
                 (a[0], a[1], c[2], a[3]): (2, f"{c[2]} belongs to another campaign than {a[0]} (design.seed: "
                                               "stored 3, present 2)"),
                 (a[0], self.path("single.h5")): (2, "single.h5 is no shard but the file of a whole campaign"),
                 (a[0], hurt, a[2], a[3]): (1, f"{hurt}: rows 0 to 249 have changed since they were written"),
                 (a[0], self.path("text")): (1, "text"),
                 (a[0], self.path("nothing.h5")): (2, "nothing.h5"),
                 (): (2, "merge needs a SHARD...")}
        before = {path: pathlib.Path(path).read_bytes() for path in (*a, *b, *c)}
        for shards, (status, sentence) in cases.items():
            refusal = self.run_program("merge", "-o", self.path("m.h5"), *shards, status=status)
            self.assertIn(sentence, refusal.stderr)
            self.assertRegex(refusal.stderr, r"^ketsweep: error: [^\n]*\n(    (at|by) [^\n]*\n)*$")
            self.assertEqual(list(self.folder.glob("m.h5*")), [])
        self.assertIn("merge needs -o FILE", self.run_program("merge", *a, status=2).stderr)
        refusal = self.run_program("merge", "--overwrite", "-o", a[0], *a, status=2)
        self.assertIn(f"{a[0]} is a shard; -o names another file", refusal.stderr)
        self.run_program("merge", "-o", self.path("m.h5"), *a)
        self.assertIn("m.h5 exists", self.run_program("merge", "-o", self.path("m.h5"), *a, status=2).stderr)
        self.run_program("merge", "-q", "--overwrite", "-o", self.path("m.h5"), *a)
        self.assertEqual(contents(self.path("m.h5")), contents(self.path("single.h5")))
        self.assertEqual({path: pathlib.Path(path).read_bytes() for path in before}, before)

    def test_a_changed_shard_is_repaired(self):
        self.config = self.path("a.cfg", TEST_FUNCTION)
        shards = self.make_shards(2)
        with h5py.File(shards[1], "r+") as file:
            file["endpoints"][7, 0] += 1.0
        self.run_program("merge", "-o", self.path("m.h5"), *shards, status=1)
        self.run_program("run", self.config, "-o", self.path("a.h5"), "-q", "--shard", "2/2", "--repair")
        self.run_program("merge", "-o", self.path("m.h5"), *shards)

    def test_refuses_impossible_shards(self):
        config = self.path("a.cfg", CAMPAIGN)
        study = self.path("b.cfg", FUNCTION + 'design : { kind = "saltelli"; points = 256; stop : { half_width = 0.1; }; };')
        cases = {("--shard", "1/24"): "the campaign has 23 points, so there can be 23 shards at most",
                 ("--shard", "0/2"): "--shard takes K/N", ("--shard", "3/2"): "--shard takes K/N",
                 ("--shard", "1"): "--shard takes K/N", ("--shard", "1/2x"): "--shard takes K/N",
                 ("--shard", "-1/2"): "--shard takes K/N", ("--shard", " 1/2"): "--shard takes K/N",
                 ("--shard", "1/2", "--extend"): "--extend is for whole campaigns",
                 ("--shard", "1/2", "--verify-fraction", "0.5"): "--verify-fraction is for whole campaigns"}
        for arguments, sentence in cases.items():
            refusal = self.run_program("run", config, "-o", self.path("a.h5"), *arguments, ranks=2, status=2)
            self.assertIn(sentence, refusal.stderr)
        refusal = self.run_program("run", study, "-o", self.path("a.h5"), "--shard", "1/2", status=2)
        self.assertIn("design.stop looks at all points of a study", refusal.stderr)
        self.assertEqual(list(self.folder.glob("*.h5*")), [])


if __name__ == "__main__":
    unittest.main()
