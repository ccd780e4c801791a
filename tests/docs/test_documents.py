"""What documents name is there: links, files, make's targets, commands, options, keys; and what is there is named."""
import glob
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from documents import TOP, Document, all_documents  # noqa: E402

KETSWEEP = os.environ.get("KETSWEEP", str(TOP / "build/release/ketsweep"))
DOCUMENTS = all_documents()
PATH = re.compile(r"(?<![\w/.$-])(?:configs|src|tests|tools|jobs|\.ci)/[\w./*-]*[\w*/]")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
SECTIONS = "protocol|patient|design|output|solver|run|population|selection|observation|uncertainty|trial|tailor"


def ketsweep(*arguments):
    return subprocess.run([KETSWEEP, *arguments], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=True).stdout


def show(topic):
    return json.loads(ketsweep("show", topic, "--json"))


def commands():
    """Every command with its help."""
    names = re.findall(r"^  ([a-z]+)  +\w", ketsweep("help"), re.MULTILINE)
    if not {"run", "check", "sensitivity"} <= set(names):
        raise AssertionError(f"`ketsweep help` is not read rightly: {names}")
    return {name: ketsweep("help", name) for name in names}


def make_targets():
    rules = re.findall(r"^([a-z][a-z -]*):(?!=)", (TOP / "Makefile").read_text(), re.MULTILINE)
    return {target for rule in rules for target in rule.split()}


class DocumentsTest(unittest.TestCase):
    def each(self, faults_of):
        """Asserts that no document has a fault, and names all of them at once."""
        faults = [f"{document.name}:{line}: {words}" for document in DOCUMENTS for line, words in faults_of(document)]
        self.assertEqual([], faults)


class WhatIsNamed(DocumentsTest):
    def test_links_lead_somewhere(self):
        def faults(document):
            for line, target in document.links():
                if re.match(r"https?:|mailto:", target):
                    continue
                name, _, anchor = target.partition("#")
                path = document.folder / name if name else TOP / document.name
                if not path.exists():
                    yield line, f"no file {target}"
                elif anchor and anchor not in Document(str(path.resolve().relative_to(TOP))).anchors():
                    yield line, f"no heading {target}"

        self.each(faults)

    def test_files_exist(self):
        def faults(document):
            for line, span in document.spans():
                for path in PATH.findall(span):
                    if not re.search(r"[A-Z]{2}", path.replace("README", "")) and not glob.glob(str(TOP / path)) \
                            and not (document.folder / path).exists():
                        yield line, f"no file {path}"

        self.each(faults)

    def test_targets_of_make_exist(self):
        targets = make_targets()

        def faults(document):
            for line, span in document.spans():
                for words in re.findall(r"(?:^|&& |; )make((?: +[a-z][a-z-]*(?![\w=/.]))+)", span):
                    yield from ((line, f"no target {word}") for word in words.split() if word not in targets)

        self.each(faults)

    def test_commands_and_their_options_exist(self):
        helps = commands()

        def faults(document):
            for line, span in document.spans():
                for name, rest in re.findall(r"(?:ketsweep|^) ?\b([a-z]+)\b([^|;&#]*)", span):
                    if f"ketsweep {name}" in span and name not in helps:
                        yield line, f"no command {name}"
                    if name in helps and (f"ketsweep {name}" in span or span.startswith(f"{name} ")):
                        yield from ((line, f"{name} has no {option}") for option in OPTION.findall(rest)
                                    if option not in OPTION.findall(helps[name]) and option != "--help")

        self.each(faults)

    def test_options_by_themselves_exist(self):
        sources = [path for pattern in ("src/app/*.c", "tools/*.py", "tools/*.sh", "jobs/*", "tests/*.py")
                   for path in TOP.glob(pattern) if path.suffix != ".md"]
        known = set(OPTION.findall("\n".join(path.read_text() for path in sources) + "".join(commands().values())))

        def faults(document):
            for line, span in document.spans():
                option = re.match(OPTION, span)
                if option and option.group() not in known:
                    yield line, f"no option {option.group()}"

        self.each(faults)

    def test_keys_of_a_configuration_exist(self):
        endings = {"cfg", "csv", "sbatch", "h5", "c", "py", "sh", "js", "html", "css"}
        keys = set(re.findall(r"(\w+) *[=:]", ketsweep("show", "config"))) | endings

        def faults(document):
            added = {name for block in document.blocks if block.language == "diff"
                     for name in re.findall(r"^\+X\((\w+)", block.text, re.MULTILINE)}
            for line, span in document.spans():
                for name in re.findall(rf"(?<![\w./])(?:{SECTIONS})\.([a-z_]+)(?![\w./*])", span):
                    if name not in keys | added:
                        yield line, f"no key {name}"

        self.each(faults)


class WhatIsThere(DocumentsTest):
    def assert_names(self, document, names):
        text = (TOP / document).read_text()
        self.assertEqual([], [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)],
                         f"not named in {document}")

    def test_configurations(self):
        paths = sorted([*TOP.glob("configs/*.cfg"), *TOP.glob("configs/trials/*.cfg")])
        self.assert_names("configs/README.md", [path.name for path in paths])

    def test_commands(self):
        self.assert_names("README.md", commands())

    def test_readme_counts_right(self):
        parameters, readme = show("parameters"), " ".join((TOP / "README.md").read_text().split())
        states = [row for row in show("states") if row["module"] != "derived"]
        constants = [row for row in parameters if row["group"] not in ("protocol", "mechanism")
                     and row["name"] not in ("baseline_madrs", "depressed_above")]
        n_judged = sum(row["grade"] == "D" for row in constants)
        for words in (f"any of {len(parameters)} parameters", f"{len(states)} states in one system",
                      f"Of the {len(constants)} model constants {n_judged} are fitted"):
            self.assertTrue(words in readme, f"README.md does not say: {words}")

    def test_methods(self):
        self.assert_names("src/analysis/README.md", [method["method"] for method in show("methods")])

    def test_batch_scripts(self):
        self.assert_names("jobs/README.md", [path.name for path in TOP.glob("jobs/*.s*")])

    def test_suites(self):
        suites = re.search(r"suites = \((.*?)\)\n", (TOP / "tests/run.py").read_text()).group(1).replace('"', "").split(", ")
        text = (TOP / "tests/README.md").read_text()
        self.assertEqual([], [suite for suite in suites if (TOP / "tests" / suite).is_dir()
                              and not re.search(rf"^\| `{suite}` \|", text, re.MULTILINE)], "no row")

    def test_folders_of_the_sources(self):
        self.assert_names("src/README.md", [path.name for path in TOP.glob("src/*") if path.is_dir()])

    def test_documents_are_found_from_others(self):
        linked = {str((document.folder / target.partition("#")[0]).resolve()) for document in DOCUMENTS
                  for _, target in document.links()}
        self.assertEqual([], [document.name for document in DOCUMENTS
                              if document.name != "README.md" and str(TOP / document.name) not in linked])


class Configurations(unittest.TestCase):
    def test_every_one_passes_check(self):
        for path in sorted([*TOP.glob("configs/*.cfg"), *TOP.glob("configs/trials/*.cfg")]):
            with self.subTest(path.name):
                ketsweep("check", str(path.relative_to(TOP)))

    def test_their_patients_are_counted_right(self):
        rows = re.findall(r"^\| `(\S+\.cfg)` .*?\| ([\d,]+) (?:patients|arms)", (TOP / "configs/README.md").read_text(), re.MULTILINE)
        self.assertGreater(len(rows), 5)
        for name, count in rows:
            plan = ketsweep("check", f"configs/{name}").replace(",", "")
            with self.subTest(name):
                if name == "tailor.cfg":
                    self.assertEqual(int(count), len(re.findall("^arm ", plan, re.MULTILINE)))
                else:
                    self.assertRegex(plan, rf"\b{count.replace(',', '')}\b")

    def test_their_first_line_asks_a_question(self):
        for path in sorted(TOP.glob("configs/*.cfg")):
            if path.name != "reference.cfg":
                comment = re.match(r"((?:#.*\n)+)", path.read_text()).group(1)
                self.assertRegex(comment.replace("\n# ", " "), r"^# .*?\?", path.name)


if __name__ == "__main__":
    unittest.main()
