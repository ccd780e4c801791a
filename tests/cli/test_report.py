"""The data of `ketsweep report` beside what NumPy says of the same file, and the page as a file among others."""
import base64
import json
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import unittest

import h5py
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.append(str(pathlib.Path(__file__).parent.parent / "crash"))
from program import CAMPAIGN, KETSWEEP, ProgramTest  # noqa: E402
from test_damaged import MUTATIONS, Original  # noqa: E402
from test_study import COHORT, TRIAL  # noqa: E402

SHARES = [0.05, 0.25, 0.5, 0.75, 0.95]
BANDS = ["p5", "p25", "p50", "p75", "p95"]

FUNCTION = """
title = "%s";
model = "test:%s";
design : { kind = "%s"; points = %d; seed = 3; };
parameters : ( { name = "x1"; }, { name = "x2"; }, { name = "x3"; } );
"""


def function(name="ishigami", design="random", points=1000, title="t"):
    return FUNCTION % (title, name, design, points)


def weighted_quantiles(values, weights):
    """The least value at or below which the share of the weight lies."""
    kept = ~numpy.isnan(values) & (weights > 0)
    order = numpy.argsort(values[kept], kind="stable")
    cumulative = numpy.cumsum(weights[kept][order])
    return [values[kept][order][min(numpy.searchsorted(cumulative, p * cumulative[-1] * (1 - 1e-12)), kept.sum() - 1)]
            for p in SHARES]


class ReportTest(ProgramTest):
    def campaign(self, name, text, *more):
        self.run_program("run", self.path(f"{name}.cfg", text), "-o", self.path(f"{name}.h5"), "-q",
                         "--max-failed-fraction", "1", *more)
        return self.path(f"{name}.h5")

    def report(self, file, *more):
        """The data of the page of a file, and the file's own."""
        page = self.path("page.html")
        self.run_program("report", file, "-o", page, "-q", *more)
        text = pathlib.Path(page).read_text(encoding="utf-8")
        found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
        self.assertEqual(len(found), 1)
        self.assertNotIn("<", found[0])
        return json.loads(found[0], parse_constant=lambda word: self.fail(f"{word} is no JSON"))

    def near(self, found, expected, relative=1e-5, absolute=0.0):
        """Equal but for digits; null where there is no number."""
        found = numpy.array(found, dtype=float)
        expected = numpy.where(numpy.isfinite(numpy.asarray(expected, dtype=float)), expected, numpy.nan)
        self.assertEqual(found.shape, expected.shape)
        numpy.testing.assert_allclose(found, expected, rtol=relative, atol=absolute)

    def check_columns(self, data, file):
        """parameters, endpoints and sample of the rows that are done."""
        with h5py.File(file) as f:
            n = data["progress"]["n_done"]
            inputs, endpoints, status = f["inputs"][:n], f["endpoints"][:n], f["status"][:n]
        for i, parameter in enumerate(data["parameters"]):
            column = inputs[:, i]
            self.near([parameter["low"], parameter["high"]], [column.min(), column.max()], 1e-11)
            self.near(parameter["quantiles"], numpy.quantile(column, SHARES), 2e-5)
        for i, endpoint in enumerate(data["endpoints"]):
            column = endpoints[:, i][numpy.isfinite(endpoints[:, i])]
            self.assertEqual((endpoint["n"], endpoint["n_missing"]), (len(column), n - len(column)))
            if len(column) == 0:
                self.assertNotIn("histogram", endpoint)
                continue
            scale = numpy.abs(column).max()
            self.near(endpoint["mean"], column.mean(), 1e-5, 1e-12 * scale)
            self.near(endpoint["sd"], column.std(), 1e-5, 1e-12 * scale)
            self.near(endpoint["quantiles"], numpy.quantile(column, SHARES), 2e-5, 1e-12 * scale)
            counts, edges = numpy.histogram(column, 40)
            self.assertEqual(endpoint["histogram"]["counts"], counts.tolist(), endpoint["name"])
            self.near(endpoint["histogram"]["edges"], edges, 1e-10, 1e-11 * scale)
            self.assertEqual(endpoint["is_share"], endpoint["unit"] == "0 or 1")
        return self.check_sample(data["sample"], inputs, endpoints, status)

    def check_sample(self, sample, inputs, endpoints, status):
        """Every row of the sample is one of the file, of its own part of it; returns the rows."""
        m = sample["n"]
        self.assertEqual(sample["n_of"], len(status))
        self.assertEqual(list(base64.b64decode(sample["status"])), [] if m == 0 else list(base64.b64decode(sample["status"]))[:m])
        found = []
        tables = [(sample[key], table) for key, table in (("inputs", inputs), ("endpoints", endpoints))]
        decoded = []
        for packed, table in tables:
            codes = numpy.frombuffer(base64.b64decode(packed["data"]), dtype="<u2").reshape(table.shape[1], m).T
            if m == 0:
                return []
            low, high = numpy.array(packed["low"], float), numpy.array(packed["high"], float)
            decoded.append((numpy.where(codes == 65535, numpy.nan, low + (high - low) * codes / 65534.0), high - low))
        codes = numpy.frombuffer(base64.b64decode(sample["status"]), dtype="u1")
        for i in range(m):
            first, last = i * len(status) // m, (i + 1) * len(status) // m
            fits = status[first:last] == codes[i]
            for (values, width), table in zip(decoded, (inputs, endpoints)):
                part = numpy.where(numpy.isfinite(table[first:last]), table[first:last], numpy.nan)
                close = numpy.abs(part - values[i]) <= 0.51 * width / 65534 + 1e-9 * numpy.abs(part)
                fits &= (close | (numpy.isnan(part) & numpy.isnan(values[i]))).all(axis=1)
            self.assertTrue(fits.any(), f"row {i} of the sample is none of {first} to {last}")
            found.append(first + int(numpy.argmax(fits)))
        return found


class Campaign(ReportTest):
    def test_a_small_campaign(self):
        file = self.campaign("small", CAMPAIGN)
        data = self.report(file)
        self.assertEqual((data["kind"], data["file"], data["title"]), ("campaign", "small.h5", "small"))
        self.assertEqual(self.check_columns(data, file), list(range(23)))
        with h5py.File(file) as f:
            self.assertEqual(data["config"], f.attrs["config"])
            self.assertEqual(data["model_version"], f.attrs["model_version"])
            for section, name in (("parameters", "parameter"), ("endpoints", "endpoint")):
                self.assertEqual([c["name"] for c in data[section]], list(f[name].asstr()))
                self.assertEqual([c["unit"] for c in data[section]], list(f[f"{name}_unit"].asstr()))
                self.assertEqual([c["description"] for c in data[section]], list(f[f"{name}_description"].asstr()))
            self.check_trajectories(data["trajectories"], f, range(23))
            run = f["provenance/runs"][0]
        self.assertTrue(data["made"] >= run["start_utc"].decode())
        progress = data["progress"]
        self.assertEqual((progress["n_points"], progress["n_done"], progress["complete"]), (23, 23, True))
        self.assertEqual(sum(status["n"] for status in progress["status"]), 23)
        self.assertEqual(progress["runs"][0]["points"], 23)
        self.assertEqual(progress["failures"], [])
        self.assertEqual(data["sensitivity"], [])
        words = {p["name"]: p["distribution"] for p in data["parameters"]}
        self.assertEqual(words["infusion_dose"], "uniform, 0.1 to 1")
        self.assertRegex(words["nmdar_density"], r"^lognormal, median 1, cv 0.1")

    def check_trajectories(self, found, file, rows):
        rows = list(rows)
        courses = file["trajectories"][()].astype(float)[rows]
        names = list(file["endpoint"].asstr())
        responds = file["endpoints"][()][rows][:, names.index("response_24h")]
        self.assertEqual(found["response"], "madrs at 24 h at most 0.5 of that at the start")
        self.near(found["time"], file["time"][()])
        groups = {"all": slice(None), "responders": responds == 1, "non_responders": responds == 0}
        for s, state in enumerate(found["states"]):
            self.assertEqual(state["name"], file["state"].asstr()[s])
            self.assertEqual(set(state["groups"]), set(groups))
            for name, chosen in groups.items():
                part = courses[chosen][:, :, s]
                self.assertEqual(state["groups"][name]["n"], len(part))
                for band, share in zip(BANDS, SHARES):
                    expected = numpy.nanquantile(part, share, axis=0) if len(part) else numpy.full(part.shape[1], numpy.nan)
                    self.near(state["groups"][name][band], expected)

    def test_protocol_in_time(self):
        data = self.report(self.campaign("small", CAMPAIGN))
        (protocol,) = data["protocols"]
        self.assertEqual((protocol["name"], protocol["horizon"]), ("", 48))
        self.assertEqual(protocol["varied"], ["infusion_dose", "infusion_count", "infusion_interval"])
        # what varies is drawn at its median: 0.55 mg/kg, 1 or 2 infusions 32 h apart
        first = protocol["infusions"][0]
        self.assertEqual(first, {"start": 0, "duration": 0.6667, "dose": 0.55, "unit": "mg/kg", "route": "iv", "drug": "ketamine"})
        self.assertEqual([i["start"] for i in protocol["infusions"]], [0, 32][:len(protocol["infusions"])])
        self.assertEqual(protocol["sessions"], [{"start": 24, "duration": 0.75}])
        self.assertEqual(protocol["endpoints_at"], [0, 2, 4, 24, 48])

    def test_explicit_protocol(self):
        text = """
        protocol : { dose_unit = "mg"; route = "intranasal"; horizon = 96.0; infusions = ( { time = 1.0; dose = 56.0; duration = 0.5; },
          { time = 72.5; dose = 0.0; duration = 0.25; } ); sessions = ( { time = 30.0; duration = 1.5; } ); };
        output : { endpoints = ["madrs_24h", "madrs@30h"]; };"""
        (protocol,) = self.report(self.campaign("explicit", text))["protocols"]
        self.assertEqual(protocol["infusions"], [
            {"start": 1, "duration": 0.5, "dose": 56, "unit": "mg", "route": "intranasal", "drug": "ketamine"},
            {"start": 72.5, "duration": 0.25, "dose": 0, "unit": "mg", "route": "intranasal", "drug": "placebo"}])
        self.assertEqual(protocol["sessions"], [{"start": 30, "duration": 1.5}])
        self.assertEqual((protocol["endpoints_at"], protocol["varied"]), ([24, 30], []))

    def test_protocol_of_a_file_of_points(self):
        self.path("points.csv", "infusion_dose,infusion_rate,weight\n" + "".join(f"{d},{2 * d},{60 + i}\n" for i, d in enumerate((0.2, 0.5, 0.9))))
        file = self.campaign("listed", 'design : { kind = "file"; file = "points.csv"; }; output : { endpoints = ["madrs_24h"]; };')
        data = self.report(file)
        self.assertEqual(data["protocols"][0]["varied"], ["infusion_dose", "infusion_rate"])
        self.assertEqual(data["protocols"][0]["infusions"][0]["unit"], "mg/kg")
        self.assertEqual({p["distribution"] for p in data["parameters"]}, {"rows of a file"})
        self.check_columns(data, file)

    def test_a_schedule_that_is_not_stored(self):
        self.path("events.csv", "ID,TIME,AMT,DUR\n" + "".join(f"{i},{i},0.5,0.6667\n" for i in (1, 2, 3)))
        file = self.campaign("events", 'protocol : { events = "events.csv"; horizon = 48.0; };'
                             'design : { kind = "random"; points = 3; }; parameters : ( { name = "weight"; } );'
                             'output : { endpoints = ["madrs_24h"]; };')
        data = self.report(file)
        self.assertEqual(data["protocols"], [])
        self.check_columns(data, file)

    def test_many_rows(self):
        """More than the sample holds; one in 20 fails, anywhere, so that no side is named."""
        file = self.campaign("many", function("scattered", points=30000))
        data = self.report(file)
        self.assertEqual((data["sample"]["n"], data["sample"]["n_of"]), (8192, 30000))
        rows = self.check_columns(data, file)
        self.assertEqual(len(set(rows)), 8192)
        self.assertNotEqual(len({row % 2 for row in rows}), 1)
        self.assertGreater(data["progress"]["n_failed"], 1000)
        self.assertEqual(data["progress"]["failures"], [])
        self.assertEqual(data["protocols"], [])
        self.assertEqual({p["grade"] for p in data["parameters"]}, {"-"})

    def test_where_failures_lie(self):
        """As `sensitivity` finds them; also in a campaign of listed points, or one that is under way."""
        file = self.campaign("corner", function("corner", "saltelli", 512))
        self.run_program("sensitivity", file, "-q")
        failures = self.report(file)["progress"]["failures"]
        self.assertEqual([(f["parameter"], f["side"]) for f in failures], [("x1", ">"), ("x3", ">")])
        with h5py.File(file) as f:
            group = f["sensitivity/sobol"]
            self.near([f["p_value"] for f in failures], group["failure_p_value"][()][[0, 2]])
            self.near([f["threshold"] for f in failures], group["failure_threshold"][()][[0, 2]])
            rows = f["inputs"][:1000]
        numpy.savetxt(self.path("rows.csv"), rows, delimiter=",", header="x1,x2,x3", comments="", fmt="%.17g")
        listed = self.campaign("listed", 'model = "test:corner"; design : { kind = "file"; file = "rows.csv"; };')
        self.assertEqual([f["parameter"] for f in self.report(listed)["progress"]["failures"]], ["x1", "x3"])
        self.cut(file, 1003)
        self.assertEqual([f["parameter"] for f in self.report(file)["progress"]["failures"]], ["x1", "x3"])

    @staticmethod
    def cut(file, n):
        """Makes a complete campaign one of which n rows are done."""
        with h5py.File(file, "r+") as f:
            log = f["rounds/log"]
            log[1:] = numpy.zeros(len(log) - 1, log.dtype)
            if n > 0:
                first = log[0]
                first[log.dtype.names[1]] = n
                log[0] = first
            else:
                log[0] = numpy.zeros(1, log.dtype)[0]
            f["rounds/in_use"][...] = n > 0
            f.attrs.modify("complete", numpy.int32(0))

    def test_unfinished(self):
        file = self.campaign("cut", CAMPAIGN)
        self.cut(file, 9)
        data = self.report(file)
        progress = data["progress"]
        self.assertEqual((progress["n_points"], progress["n_done"], progress["complete"]), (23, 9, False))
        self.assertEqual(sum(status["n"] for status in progress["status"]), 9)
        self.check_columns(data, file)
        with h5py.File(file) as f:
            self.check_trajectories(data["trajectories"], f, range(9))

    def test_nothing_done(self):
        file = self.campaign("none", CAMPAIGN)
        self.cut(file, 0)
        data = self.report(file)
        self.assertEqual((data["progress"]["n_done"], data["sample"]["n"]), (0, 0))
        self.assertNotIn("trajectories", data)
        self.assertEqual({(e["n"], e["n_missing"], e["mean"]) for e in data["endpoints"]}, {(0, 0, None)})
        self.assertEqual({(p["low"], p["high"]) for p in data["parameters"]}, {(None, None)})

    def test_nothing_varies(self):
        file = self.campaign("one", 'output : { endpoints = ["madrs_24h"]; };')
        data = self.report(file)
        self.assertEqual((data["parameters"], data["sample"]["inputs"]["data"]), ([], ""))
        self.assertEqual(data["endpoints"][0]["sd"], 0)

    def test_shard(self):
        text = function("corner", "lhs", 1001)
        self.campaign("whole", text, "--shard", "2/3")
        file = self.path("whole.2.h5")
        data = self.report(file)
        self.assertGreater(data["progress"]["n_failed"], 0)
        self.assertEqual(data["progress"]["failures"], [])  # not searched
        self.assertEqual({key: data["design"][key] for key in ("shard", "n_shards", "n_campaign_points")},
                         {"shard": 2, "n_shards": 3, "n_campaign_points": 1001})
        self.assertEqual(data["progress"]["n_points"], 334)
        self.check_columns(data, file)

    def test_responders_without_their_endpoint(self):
        """The stored score tells the same."""
        text = CAMPAIGN.replace('output : {', 'output : { endpoints = ["madrs_24h"];')
        own = self.report(self.campaign("score", text))["trajectories"]["states"]
        self.assertEqual(own, self.report(self.campaign("both", CAMPAIGN))["trajectories"]["states"])
        apart = self.report(self.campaign("apart", text.replace('["madrs", "bdnf"]', '["bdnf"]')))["trajectories"]
        self.assertEqual((set(apart["states"][0]["groups"]), "response" in apart), ({"all"}, False))

    def test_long_courses_are_thinned(self):
        text = CAMPAIGN.replace('states = ["madrs", "bdnf"]; every = 6.0', 'states = "all"; every = 0.1')
        file = self.campaign("long", text)
        found = self.report(file)["trajectories"]
        with h5py.File(file) as f:
            times, states = f["time"][()], len(f["state"])
            expected = f["trajectories"][()].astype(float)
        self.assertLessEqual(len(found["time"]) * states, 10000)
        self.assertEqual((found["time"][0], found["time"][-1], found["n"]), (0, 48, 23))
        shown = [int(numpy.argmin(numpy.abs(times - time))) for time in found["time"]]
        for s, state in enumerate(found["states"]):
            self.near(state["groups"]["all"]["p50"], numpy.median(expected[:, shown, s], axis=0), 1e-5, 1e-12)

    def test_same_bytes(self):
        file = self.campaign("same", CAMPAIGN)
        self.run_program("report", file)
        page = pathlib.Path(self.path("same.report.html")).read_bytes()
        (self.folder / "elsewhere").mkdir()
        shutil.copy(file, self.folder / "elsewhere" / "same.h5")
        self.run_program("report", "elsewhere/same.h5", "-o", "other.html")
        self.assertEqual((self.folder / "other.html").read_bytes(), page)

    def test_any_title(self):
        title = '</script><script>alert(1)</script> \\"quoted\\" \\\\ <!-- \u00e4\u20ac\U0001f600 \u2028 \\n line'
        expected = '</script><script>alert(1)</script> "quoted" \\ <!-- \u00e4\u20ac\U0001f600 \u2028 \n line'
        data = self.report(self.campaign("title", function(title=title)))
        self.assertEqual(data["title"], expected)
        self.assertIn("alert(1)", data["config"])

    def test_text_that_is_no_utf8(self):
        (self.folder / "bytes.cfg").write_bytes(function(title="TITLE").encode().replace(b"TITLE", b"caf\xe9 \xff"))
        self.run_program("run", "bytes.cfg", "-o", "bytes.h5", "-q")
        self.assertEqual(self.report(self.path("bytes.h5"))["title"], "caf\ufffd \ufffd")


class Indices(ReportTest):
    TEXT = function("ishigami", "saltelli", 256).replace("seed = 3;", "seed = 3; second_order = true;")

    def check_method(self, found, group):
        self.assertEqual(found["method"], group.attrs["method"])
        for name in ("long_name", "interval", "condition"):
            self.assertEqual(found[name], group.attrs[name])
        self.assertEqual(found["n_bases"], group.attrs["n_bases"])
        for part, prefix in (("indices", ""), ("totals", ""), ("courses", "trajectories_"), ("generalised", "generalised_")):
            for index in found.get(part, []):
                self.check_index(index, group, prefix, part)
        shown = [index["name"] for part in ("indices", "totals") for index in found[part]]
        shown += [index["name"] for index in found.get("pairs", {}).get("indices", [])]
        stored = [name[:-4] for name in group if name.endswith("_low") and not name.startswith(("trajectories_", "generalised_"))]
        self.assertEqual(sorted(shown), sorted(stored))

    def check_index(self, index, group, prefix, part):
        dataset = group[prefix + index["name"]]
        self.assertEqual(index["long_name"], dataset.attrs["long_name"])
        for key, ending in (("values", ""), ("low", "_low"), ("high", "_high")):
            expected = group[prefix + index["name"] + ending][()]
            self.near(index[key], expected.transpose(1, 0, 2) if part == "courses" else expected, 1e-4, 1e-15)

    def test_methods_of_a_file(self):
        file = self.campaign("indices", self.TEXT)
        for method in ("sobol", "morris", "src", "regional", "delta"):
            self.run_program("sensitivity", file, "--method", method, "-q")
        found = self.report(file)["sensitivity"]
        self.assertEqual({m["method"] for m in found}, {"sobol", "morris", "src", "regional", "delta"})
        with h5py.File(file) as f:
            for method in found:
                self.check_method(method, f["sensitivity"][method["method"]])
            pairs = next(m for m in found if m["method"] == "sobol")["pairs"]
            group = f["sensitivity/sobol"]
            self.assertEqual(pairs["names"], list(group["pair"].asstr()))
            self.assertEqual(pairs["n_of"], 3)
            for index in pairs["indices"]:
                self.check_index(index, group, "", "pairs")

    def test_courses(self):
        text = CAMPAIGN.replace('kind = "sobol"; points = 23', 'kind = "saltelli"; points = 32')
        text = re.sub(r"correlation.*;\n", "", text)
        file = self.campaign("courses", text)
        self.run_program("sensitivity", file, "-q")
        (method,) = self.report(file)["sensitivity"]
        with h5py.File(file) as f:
            self.near(method["time"], f["time"][()])
            self.assertTrue(method["courses"] and method["generalised"])
            self.check_method(method, f["sensitivity/sobol"])

    def test_separate_file(self):
        file = self.campaign("apart", self.TEXT)
        self.run_program("sensitivity", file, "--separate", "-q")
        (method,) = self.report(file)["sensitivity"]
        with h5py.File(self.path("apart.sensitivity.h5")) as f:
            self.check_method(method, f["sensitivity/sobol"])
        # another method in the file itself
        self.run_program("sensitivity", file, "--method", "rbd-fast", "-q")
        self.assertEqual([method["method"] for method in self.report(file)["sensitivity"]], ["sobol", "rbd-fast"])
        # of another campaign
        self.campaign("apart", self.TEXT.replace("points = 256", "points = 128"), "--overwrite")
        self.assertEqual(self.report(file)["sensitivity"], [])


class Place(ReportTest):
    """Where the page goes, and what it never replaces."""

    def setUp(self):
        super().setUp()
        self.file = self.campaign("study", function())

    def refuse(self, *arguments, status=2):
        answer = self.run_program("report", *arguments, status=status)
        self.assertEqual(answer.stdout, "")
        self.assertFalse(list(self.folder.glob("*.part-*")))
        return answer.stderr

    def test_beside_the_file(self):
        answer = self.run_program("report", "study.h5")
        self.assertRegex(answer.stderr, r"^study.report.html: 0\.\d MB written\n$")
        page = (self.folder / "study.report.html").read_text()
        self.assertTrue(page.lower().startswith("<!-- written by ketsweep report -->\n<!doctype html>"), page[:80])
        self.assertFalse(list(self.folder.glob("*.part-*")))
        (self.folder / "study.report.html").write_text(page[:200])
        self.run_program("report", "study.h5", "-q")  # made again
        self.assertEqual((self.folder / "study.report.html").read_text(), page)
        shutil.copy(self.file, self.path("plain"))
        self.run_program("report", "plain", "-q")
        self.assertTrue((self.folder / "plain.report.html").exists())

    def test_a_link_stays_one(self):
        self.run_program("report", "study.h5", "-o", "target.html", "-q")
        os.symlink("target.html", self.path("link.html"))
        self.run_program("report", "study.h5", "-o", "link.html", "-q")
        self.assertTrue(os.path.islink(self.path("link.html")))
        self.assertFalse(list(self.folder.glob("*.part-*")))

    def test_nothing_else_is_replaced(self):
        before = pathlib.Path(self.file).read_bytes()
        for name, text in (("notes.txt", "precious"), ("page.html", "<!doctype html>\n<title>mine</title>"), ("short", "<!-- written")):
            self.path(name, text)
            self.assertIn(f"{name} exists and is no page of ketsweep; remove it, or let -o name another file",
                          self.refuse("study.h5", "-o", name))
            self.assertEqual((self.folder / name).read_text(), text)
        self.assertIn("study.h5 exists and is no page", self.refuse("study.h5", "-o", "study.h5"))
        self.assertEqual(pathlib.Path(self.file).read_bytes(), before)
        self.assertIn("is not a regular file", self.refuse("study.h5", "-o", "."))
        self.assertIn("cannot write no/page.html: No such file", self.refuse("study.h5", "-o", "no/page.html"))
        self.assertIn("is not a regular file", self.refuse("study.h5", "-o", "/dev/full"))

    def test_files_that_cannot_be_shown(self):
        self.path("text.h5", "no HDF5")
        self.assertIn("text.h5 is not an HDF5 file", self.refuse("text.h5", status=1))
        self.assertIn("cannot open none.h5", self.refuse("none.h5", status=2))
        with h5py.File(self.path("foreign.h5"), "w") as f:
            f["x"] = 1
        self.assertIn("foreign.h5", self.refuse("foreign.h5", status=1))
        whole = pathlib.Path(self.file).read_bytes()
        (self.folder / "cut.h5").write_bytes(whole[:len(whole) // 2])
        self.assertIn("cut.h5", self.refuse("cut.h5", status=1))
        self.assertIn("report needs a FILE", self.refuse())
        self.assertFalse(list(self.folder.glob("*.html")))

    def test_a_damaged_analysis_is_refused(self):
        self.run_program("sensitivity", "study.h5", "-q", "--method", "src")
        with h5py.File(self.file, "r+") as f:
            group = f["sensitivity/src"]
            name = next(name for name in group if name.startswith("SRC") and name.endswith("_low"))
            del group[name]
            group[name] = numpy.zeros((1, 2))
        self.assertIn(f"{name} has 2 rows along axis 1 where 3 are expected", self.refuse("study.h5", status=1))


class Damaged(ReportTest):
    """Bytes of a good file changed at random: an error, or the same page; where rows or records were changed, a page."""

    N_MUTATIONS = 30

    def test_mutations(self):
        file = self.campaign("good", Indices.TEXT)
        self.run_program("sensitivity", file, "-q")
        original, good = Original(file, "good.cfg"), self.report(file)
        n_errors = 0
        for i in range(self.N_MUTATIONS):
            choice = random.Random(7000 + i)
            mutate = choice.choices([m for m, _ in MUTATIONS], [weight for _, weight in MUTATIONS])[0]
            kind, data = mutate(choice, original)
            pathlib.Path(file).write_bytes(data)
            with self.subTest(mutation=i, kind=kind):
                n_errors += self.check_one(file, kind, good)
        self.assertTrue(5 < n_errors < self.N_MUTATIONS)

    def check_one(self, file, kind, good):
        page = pathlib.Path(self.path("page.html"))
        page.unlink(missing_ok=True)
        answer = subprocess.run([KETSWEEP, "report", file, "-o", str(page), "-q"], capture_output=True, text=True, errors="replace",
                                timeout=400)
        self.assertIn(answer.returncode, (0, 1, 2), answer.stderr)
        self.assertNotIn("ketsweep: bug", answer.stderr)
        if answer.returncode != 0:
            self.assertRegex(answer.stderr, r"(?m)^ketsweep: error: .+")
            self.assertFalse(page.exists() or list(self.folder.glob("*.part-*")))
            return True
        text = page.read_text(encoding="utf-8")
        data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
        if kind in ("metadata", "log"):
            for key in ("sensitivity", "made"):  # nothing sums up what is said beside the numbers of an analysis, or of runs
                data.pop(key, None)
            data["progress"].pop("runs")
            data["progress"].pop("complete")  # a mark that a killed run may lack
            for key, value in data.items():
                expected = good[key]
                if key == "progress":
                    expected = {k: v for k, v in expected.items() if k not in ("runs", "complete")}
                self.assertEqual(value, expected, key)
        return False


class Study(ReportTest):
    """Cohorts and trials."""

    LOST = TRIAL.replace("visits = [24.0, 48.0]", "visits = [6.0, 24.0, 36.0, 48.0]").replace(
        "size = 20;", "size = 20; dropout = 0.6; responders_at = 7.0; rescue_ratio = 0.9; rescue_after = 30.0;").replace(
        'name = "placebo"; protocol : { infusion_dose = 0.0; };', 'name = "placebo"; protocol : { infusions = ( { time = 0.5; dose = 0.0; '
        'duration = 0.25; } ); session_count = 1; };').replace('control = "placebo"; }', 'control = "placebo"; protocol : { infusions = ( { time = '
        '0.0; dose = 0.4; duration = 0.5; }, { time = 1.0; dose = 0.2; duration = 0.5; } ); }; }')

    def setUp(self):
        super().setUp()
        self.run_program("cohort", self.path("cohort.cfg", COHORT), "-o", self.path("cohort.h5"), "-q")

    def treat(self, text):
        self.run_program("trial", self.path("trial.cfg", text), "-o", self.path("trial.h5"), "-q", "--overwrite")
        with h5py.File(self.path("trial.h5")) as f:
            group = {key: d.asstr()[:] if d.dtype.hasobject else d[()] for key, d in f["trial"].items()}
        return self.report(self.path("trial.h5")), group

    def test_cohort(self):
        data = self.report(self.path("cohort.h5"))
        with h5py.File(self.path("cohort.h5")) as f:
            c = {key: d.asstr()[:] if d.dtype.hasobject else d[()] for key, d in f["cohort"].items()}
            self.assertEqual(data["config"], f.attrs["config"])
        found = data["cohort"]
        self.assertEqual(data["kind"], "cohort")
        self.assertEqual((found["n_candidates"], found["n_plausible"]), (900, 900 - c["rejected"].sum()))
        self.assertEqual({r["reason"]: r["n"] for r in found["rejected"]},
                         {reason: n for reason, n in zip(c["rejected_for"], c["rejected"]) if n > 0})
        self.near(found["effective_n"], c["weight"].sum() ** 2 / (c["weight"] ** 2).sum())
        columns = {"madrs_latent": c["baseline"][:, 0], "madrs_observed": c["baseline"][:, 1],
                   **{name: c["inputs"][:, k] for k, name in enumerate(c["trait"])}}
        self.assertEqual([b["name"] for b in found["baseline"]], list(columns))
        for baseline in found["baseline"]:
            values = columns[baseline["name"]]
            mean = numpy.average(values, weights=c["weight"])
            self.near(baseline["mean"], mean)
            self.near(baseline["sd"], math.sqrt(numpy.average((values - mean) ** 2, weights=c["weight"])))
            self.near(baseline["quantiles"], weighted_quantiles(values, c["weight"]))
        self.assertEqual([t["id"] for t in found["targets"]], list(c["target_id"]))
        for k, target in enumerate(found["targets"]):
            self.assertEqual((target["target"], target["use"], target["selects"]),
                             (c["target"][k], c["target_use"][k], c["target_selects"][k] == "yes"))
            for key, dataset in (("value", "target_value"), ("n", "target_n"), ("before", "before"), ("after", "after"),
                                 ("p_value", "p_value"), ("effective_n", "effective_n")):
                self.near(target[key], c[dataset][k])

    def test_trial(self):
        data, group = self.treat(TRIAL)
        found = data["trial"]
        self.assertEqual(data["kind"], "trial")
        self.assertEqual([(a["name"], a["control"]) for a in found["arms"]], list(zip(group["arm"], group["control"])))
        self.near(found["visits"], group["visit"])
        self.assertEqual([s["name"] for s in found["statistics"]], list(group["statistic"]))
        for name in ("summary", "summary_low", "summary_high", "replicate_low", "replicate_high"):
            self.near(found[name], group[name])
        for k, target in enumerate(found["validation"]):
            self.assertEqual((target["id"], target["use"]), (group["target_id"][k], group["target_use"][k]))
            low, high = group["simulated_trial_low"][k], group["simulated_trial_high"][k]
            self.near([target["value"], target["simulated"], target["trial_low"], target["trial_high"]],
                      [group["target_value"][k], group["simulated"][k], low, high])
            self.assertEqual(target["inside"], bool(low <= group["target_value"][k] <= high))
        ketamine, placebo = data["protocols"]
        self.assertEqual([p["name"] for p in data["protocols"]], ["ketamine", "placebo"])
        self.assertEqual((ketamine["infusions"][0]["drug"], placebo["infusions"][0]["drug"]), ("ketamine", "placebo"))

    def test_scores_and_relapse(self):
        """With patients who are lost or given up, and relapse counted from a visit."""
        data, group = self.treat(self.LOST)
        found = data["trial"]
        weights = numpy.where((group["status"] == 1).all(axis=0), group["weight"], 0)
        ketamine, placebo = data["protocols"]  # schedules of their own, over the regular one of the whole
        self.assertEqual([(i["start"], i["dose"], i["duration"]) for i in ketamine["infusions"]], [(0, 0.4, 0.5), (1, 0.2, 0.5)])
        self.assertEqual([(i["start"], i["drug"]) for i in placebo["infusions"]], [(0.5, "placebo")])
        self.assertEqual((ketamine["sessions"], placebo["sessions"]), ([], [{"start": 24, "duration": 0.75}]))
        self.assertEqual([curve["arm"] for curve in found["survival"]], list(group["arm"]))
        n_lost = 0
        for a, arm in enumerate(found["arms"]):
            scores = numpy.column_stack([group["baseline"][a, :, 1], group["observed"][a]]).astype(float)
            self.assertEqual(arm["n"], (weights > 0).sum())
            self.assertEqual(arm["lost"], numpy.isnan(scores[weights > 0, -1]).sum())
            n_lost += arm["lost"]
            baseline = found["baseline"][0]["arms"][a]
            self.near(baseline["mean"], numpy.average(scores[:, 0], weights=weights))
            for v in range(scores.shape[1]):
                self.near([found["score"][a][band][v] for band in BANDS], weighted_quantiles(scores[:, v], weights))
            self.check_curve(found["survival"][a], scores, weights, group, a)
        self.assertGreater(n_lost, 20)
        self.assertGreater(found["survival"][0]["events"][-1] + found["survival"][1]["events"][-1], 0)

    def check_curve(self, curve, scores, weights, group, a):
        visits, start = group["visit"], 0  # relapse is counted from the visit at 6 h
        self.assertEqual(curve["from"], 6)
        responds = (scores[:, start + 1] <= 0.5 * scores[:, 0]) & (weights > 0)
        scores, w = scores[responds], weights[responds]
        self.assertEqual(curve["n"], len(scores))
        self.near(curve["time"], [0, *(visits[start + 1:] - visits[start])])
        survival, greenwood, is_in = 1.0, 0.0, numpy.ones(len(scores), bool)
        self.assertEqual((curve["survival"][0], curve["low"][0], curve["high"][0]), (1, 1, 1))
        for k in range(1, len(curve["time"])):
            now = scores[:, start + 1 + k]
            is_in &= ~numpy.isnan(now)  # seen, and without relapse until now
            relapses = is_in & (now > 0.5 * scores[:, 0])
            self.assertEqual((curve["at_risk"][k], curve["events"][k]), (is_in.sum(), relapses.sum()))
            if is_in.any():
                hazard = w[relapses].sum() / w[is_in].sum()
                survival *= 1 - hazard
                n = w[is_in].sum() ** 2 / (w[is_in] ** 2).sum()
                greenwood += hazard / (n * (1 - hazard)) if hazard < 1 else numpy.inf
            is_in &= ~relapses
            self.near(curve["survival"][k], survival, 1e-5, 1e-12)
            self.near(curve["survival"][k], group["summary"][a, start + k, list(group["statistic"]).index("relapse_free")], 1e-5, 1e-12)
            if 0 < survival < 1:
                width = 1.959963984540054 * math.sqrt(greenwood) / -math.log(survival)
                self.near([curve["low"][k], curve["high"][k]], [survival ** math.exp(width), survival ** math.exp(-width)])


if __name__ == "__main__":
    unittest.main()
