"""src/model/README.md says what the program computes: its equations are read and evaluated, and compared with the model's
rates; its tables name the constants that each equation reads, with their grades; its diagrams show every state."""
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from documents import TOP, Document  # noqa: E402
from equations import Equations, plain  # noqa: E402

KETSWEEP = pathlib.Path(os.environ.get("KETSWEEP", TOP / "build/release/ketsweep"))
DOCUMENT = Document("src/model/README.md")
N_CASES = 40
INPUT_PARAMETERS = "protocol"  # the group that makes the inputs


def show(topic):
    answer = subprocess.run([KETSWEEP, "show", topic, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return {row["name"]: row for row in json.loads(answer.stdout)}


PARAMETERS, STATES = show("parameters"), show("states")


def section(first, last):
    """The document from one heading to another, and its blocks of equations."""
    lines = DOCUMENT.text.splitlines()
    begin, end = lines.index(first), lines.index(last) if last else len(lines)
    return "\n".join(lines[begin:end]), [block.text for block in DOCUMENT.blocks
                                         if block.language == "" and begin < block.line <= end]


def modules():
    """Heading -> its text, of each part of the equations."""
    text, _ = section("## Equations", "## Pre-treatment equilibrium")
    return {part.split("\n")[0]: part for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]}


class Model:
    """The program's values of random cases, and the same from the document's equations."""

    def __init__(self):
        process = subprocess.run([KETSWEEP.parent / "tests/docs/model_values"], input="", stdout=subprocess.PIPE, text=True,
                                 check=True)
        names = [line.split() for line in process.stdout.splitlines()]
        self.parameters, self.inputs, self.states, self.derived = names
        _, blocks = section("## Conventions", "## Pre-treatment equilibrium")
        self.equations = Equations(blocks)
        _, blocks = section("## Pre-treatment equilibrium", "## Endpoints")
        self.before = Equations(blocks)

    def draw(self, seed, is_treated):
        """A case far from any equilibrium, so that no term drops out."""
        draw = random.Random(seed)
        parameters = {name: draw.uniform(PARAMETERS[name]["low"], PARAMETERS[name]["high"]) for name in self.parameters}
        inputs = {name: draw.uniform(0.2, 2.0) for name in self.inputs}
        sizes = {name: 0.9 if STATES[name]["unit"] == "1" else 2.0 for name in self.states}
        start, now = ({name: draw.uniform(0.05, sizes[name]) for name in self.states} for _ in range(2))
        return is_treated, parameters, inputs, start if is_treated else now, now

    def compute(self, cases):
        lines = [" ".join(repr(float(number)) for number in
                          [treated, *(value for part in parts for value in part.values())])
                 for treated, *parts in cases]
        process = subprocess.run([KETSWEEP.parent / "tests/docs/model_values"], input="\n".join(lines) + "\n",
                                 stdout=subprocess.PIPE, text=True, check=True)
        rows = [[float(word) for word in line.split()] for line in process.stdout.splitlines()[4:]]
        return [dict(zip([f"{name}_prime" for name in self.states] + self.derived, row)) for row in rows]

    def read(self, is_treated, parameters, inputs, start, now):
        """The same by the document's equations."""
        known = {**parameters, **inputs, **now}
        if not is_treated:
            known.update({f"{name}_at_0": now[name] for name in now})
        else:
            at_start = {**parameters, **start}
            known.update({f"{name}_at_0": start[name] for name in start})
            known["W_at_0"] = self.equations.value("W", at_start)
        if not is_treated:
            known["W_at_0"] = self.equations.value("W", dict(known))
            for left in self.before.right:
                known[left] = self.before.value(left, dict(known))
            known["external_stress"] = parameters["life_stress"]
            known["life_stress"] = known["life_stress_star"]
        return {name: self.equations.value(name, known)
                for name in [f"{state}_prime" for state in self.states] + self.derived}


class EquationsAreTheProgram(unittest.TestCase):
    def assert_agreement(self, is_treated):
        model = Model()
        cases = [model.draw(seed, is_treated) for seed in range(N_CASES)]
        for case, found in zip(cases, model.compute(cases)):
            for name, expected in model.read(*case).items():
                self.assertAlmostEqual(1.0, (found[name] + 1e-9) / (expected + 1e-9), delta=1e-9,
                                       msg=f"{name}: the program has {found[name]}, the document {expected}")

    def test_under_treatment(self):
        self.assert_agreement(True)

    def test_before_treatment(self):
        self.assert_agreement(False)

    def test_a_wrong_equation_is_found(self):
        model = Model()
        case = model.draw(0, True)
        text = next(block for block in section("## Equations", "## Endpoints")[1] if "trkb' " in block)
        wrong = Equations([text.replace("(1 + trkb_half) bdnf / (trkb_half", "(1 + trkb_half) bdnf / (2 trkb_half")])
        model.equations.right["trkb_prime"] = wrong.right["trkb_prime"]
        found, read = model.compute([case])[0], model.read(*case)
        self.assertEqual({"trkb_prime"}, {name for name in read if abs(read[name] - found[name]) > 1e-9 * abs(found[name])})


class TablesAndDiagrams(unittest.TestCase):
    """Of the document, against `ketsweep show`."""

    def setUp(self):
        self.equations = Equations(section("## Conventions", "## Pre-treatment equilibrium")[1])
        self.rows = re.findall(r"^\| (`[^|]+`) \| ([^|]*) \| ([^|]+) \|$", section("## Equations", "## Endpoints")[0], re.MULTILINE)

    def test_every_equation_has_its_constants_with_their_grades(self):
        told = {}
        for names, cells, form in self.rows:
            names = [plain(name) for name in re.findall(r"`([^`]+)`", names)]
            constants = {constant: grade for grade, words in re.findall(r"([SMD]2?|-): ([^;]+)", cells)
                         for constant in re.findall(r"`(\w+)`", words)}
            used = set().union(*(self.equations.names(name) for name in names)) & set(PARAMETERS)
            self.assertEqual({name: PARAMETERS[name]["grade"] for name in used}, constants, names)
            self.assertRegex(form, r"[(, ](S|S2|M|D|-)\)", f"the form of {names} has no grade")
            told.update(dict.fromkeys(names))
        needed = {left for left in self.equations.right if self.equations.names(left) & set(PARAMETERS)}
        self.assertEqual(set(), needed - set(told), "equations without a row")

    def test_every_state_and_every_quantity_has_an_equation(self):
        for name, row in STATES.items():
            with self.subTest(name):
                self.assertIn(name if row["module"] == "derived" else f"{name}_prime", self.equations.right)

    def test_every_parameter_is_there(self):
        told = set(re.findall(r"`(?:patient\.)?(\w+)`", DOCUMENT.text))
        self.assertEqual([], [name for name in PARAMETERS if name not in told])
        read = set().union(*(self.equations.names(left) for left in self.equations.right))
        inputs = {name for name, row in PARAMETERS.items() if row["group"] == INPUT_PARAMETERS}
        self.assertEqual({"baseline_madrs", "depressed_above"}, set(PARAMETERS) - read - inputs, "in no equation")

    def test_every_name_in_an_equation_is_known(self):
        known = set(PARAMETERS) | set(STATES) | set(self.equations.right)
        for left in self.equations.right:
            self.assertEqual(set(), self.equations.names(left) - known - {"infusion_central", "infusion_depot", "session",
                                                                          "dosing"}, left)

    def test_each_module_has_a_diagram_with_its_states(self):
        shown = set()
        for heading, part in modules().items():
            blocks = Document("src/model/README.md", part).blocks
            diagram = "".join(block.text for block in blocks if block.language == "text")
            equations = Equations(block.text for block in blocks if block.language == "")
            for name in STATES:
                if f"{name}_prime" in equations.right:
                    shown.add(name)
                    self.assertRegex(diagram, rf"\b{name}\b", f"the diagram of {heading}")
        self.assertEqual({name for name, row in STATES.items() if row["module"] != "derived"}, shown)

    def test_each_module_says_what_is_assumed_and_what_speaks_against_it(self):
        for heading, part in modules().items():
            if heading != "Derived quantities":
                with self.subTest(heading):
                    self.assertRegex(part, r"\*Assumed\*: \w")
                    self.assertRegex(part, r"\*Against it\*: [^.]+\d{4}|\*Against it\*: (.|\n)+\d{4}")

    def test_papers_behind_the_constants_are_named(self):
        named = {paper for row in PARAMETERS.values() for paper in re.findall(r"[A-Z]\w+ \d{4}", row["source"])
                 if row["group"] != INPUT_PARAMETERS}
        self.assertGreater(len(named), 20)
        self.assertEqual([], sorted(paper for paper in named if paper not in DOCUMENT.text.replace("\n", " ")))

    def test_routes(self):
        source = (TOP / "src/model/model.h").read_text()
        rows = re.findall(r"^\| (\w+)[^|]*\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", DOCUMENT.text, re.MULTILINE)
        self.assertEqual(4, len(rows))
        for name, *numbers in rows:
            found = re.search(rf"X\({name}, ([\d.]+), ([\d.]+), ([\d.]+)\)", source).groups()
            self.assertEqual([float(number) for number in found], [float(number) for number in numbers], name)


if __name__ == "__main__":
    unittest.main()
