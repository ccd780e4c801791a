"""Every command that a document shows is run, in the order in which a reader meets it.

One test per document, in an empty folder with links to the tree, and one session per language: what a block has set or
imported the next one has. Blocks named `cfg` are written into the file that their first line names. Blocks that cannot
run here say why, and count as skipped; each of their lines must have something in it that indeed cannot.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from documents import RUNNABLE, TOP, Document, all_documents  # noqa: E402

KETSWEEP = pathlib.Path(os.environ.get("KETSWEEP", TOP / "build/release/ketsweep"))
PYTHON = os.environ.get("PYTHON", sys.executable)
DONE = "--- the block is done ---"

# Each reads names of scripts from $NAMES, runs them in one session, and says when one is done. A failure ends it.
SESSIONS = {
    "sh": ["bash", "-c", 'set -e; exec 9<"$NAMES"; while read -r name <&9; do . "./$name"; echo; echo "$DONE"; done'],
    "python": [PYTHON, "-u", "-c", """
import os
space = {"__name__": "__main__"}
for name in open(os.environ["NAMES"]):
    name = name.strip()
    exec(compile(open(name).read(), name, "exec"), space)
    print("\\n" + os.environ["DONE"])
"""],
    "r": ["Rscript", "--vanilla", "-e", """
names <- file(Sys.getenv("NAMES"), "r")
while (length(name <- readLines(names, n = 1))) {
    source(name, print.eval = TRUE)
    cat("\\n", Sys.getenv("DONE"), "\\n", sep = "")
}
"""],
}

# What no test may do: install, edit, submit to a cluster, fetch; and what is tested elsewhere: make.
CANNOT_RUN = re.compile(r"(?<![\w./-])(sudo|apt-get|curl|git|make|apptainer|vi|man|xdg-open|module|source jobs/environment\.sh|lfs|sbatch"
                        r"|srun|scancel|scontrol|squeue|status JOB|submit(?! .*--dry-run))(?![\w.])")


class Session:
    """One language of one document."""

    def __init__(self, language, folder, environment):
        names, self.names = os.pipe()
        self.process = subprocess.Popen(
            SESSIONS[language], cwd=folder, text=True, errors="replace", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=(names,),
            env={**environment, "NAMES": f"/dev/fd/{names}", "DONE": DONE})
        os.close(names)

    def run(self, name):
        """The output of a script, and whether it came to its end."""
        output = ""
        try:
            os.write(self.names, f"{name}\n".encode())
        except BrokenPipeError:
            return output, False
        for line in self.process.stdout:
            if line == DONE + "\n":
                return output, True
            output += line
        return output, False

    def close(self):
        os.close(self.names)
        self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait()


def run_document(document):
    """Runs the blocks of a document; returns what went wrong with the first that failed, or "" """
    with tempfile.TemporaryDirectory(prefix="ks-docs-") as name:
        folder = pathlib.Path(name)
        environment = lay_out(folder)
        sessions = {}
        try:
            for i, block in enumerate(document.blocks):
                problem = run_block(block, f"block-{i}.{block.language}", folder, sessions, environment)
                if problem:
                    return f"{document.name}, the block of line {block.line}: {problem}"
        finally:
            for session in sessions.values():
                session.close()
    return ""


def run_block(block, script, folder, sessions, environment):
    if block.language == "cfg":
        name = re.match(r"# ([\w.-]+)\n", block.text)
        if name is None:
            return "its first line is no `# NAME.cfg`"
        (folder / name.group(1)).write_text(block.text)
    if block.language not in RUNNABLE or reason_against(block):
        return ""
    for line, command in block.commands() if block.language == "sh" else ():
        if CANNOT_RUN.search(command):
            return f"line {line} is not for a test; mark the block with `<!-- not run: reason -->`: {command}"
    (folder / script).write_text(block.script())
    if block.language not in sessions:
        sessions[block.language] = Session(block.language, folder, environment)
    output, is_whole = sessions[block.language].run(script)
    return "" if is_whole else f"failed:\n{block.script()}---\n{output}"


def lay_out(folder):
    """Makes the folder look like the top of a built tree, and returns the environment for it."""
    # what is under version control alone: a block that writes first.cfg must not find a reader's own
    listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True)
    names = {name.split("/")[0] for name in listed.stdout.splitlines()} if listed.returncode == 0 else set(os.listdir(TOP))
    for name in names - {"build", ".git"}:
        (folder / name).symlink_to(TOP / name)
    (folder / "build").mkdir()
    (folder / "build/release").symlink_to(KETSWEEP.parent)
    (folder / ".bin").mkdir()
    (folder / ".bin/python3").symlink_to(PYTHON if "/" in PYTHON else shutil.which(PYTHON))
    (folder / ".bin/ketsweep").symlink_to(KETSWEEP)
    return {**os.environ, "PATH": f"{folder}/.bin:{os.environ['PATH']}", "MPLBACKEND": "Agg"}


def reason_against(block):
    """Why a test cannot run a block; "" where it can."""
    if block.not_run:
        return block.not_run
    if (block.language == "r" or "Rscript" in block.text) and shutil.which("Rscript") is None:
        return "no R here (Debian: r-base-core)"
    return ""


def lines_that_run(block):
    """The lines of a skipped block that a test could run."""
    return [command for _, command in block.commands() if not CANNOT_RUN.search(command)]


class Commands(unittest.TestCase):
    """A test for each document and for each block that is skipped, made below."""


def add_tests(document):
    stem = re.sub(r"\W", "_", document.name)

    def runs(test):
        problem = run_document(document)
        test.assertEqual("", problem, problem)

    if any(block.language in RUNNABLE and not reason_against(block) for block in document.blocks):
        setattr(Commands, f"test_{stem}", runs)
    for block in document.blocks:
        if block.language in RUNNABLE and reason_against(block):
            setattr(Commands, f"test_{stem}_line_{block.line}", skip_of(block))


def skip_of(block):
    def skips(test):
        if block.language == "sh" and block.not_run:
            test.assertEqual([], lines_that_run(block), "a skipped block has lines that could run")
        test.skipTest(reason_against(block))

    return skips


for each in all_documents():
    add_tests(each)


class TheRunnerItself(unittest.TestCase):
    """That a mistake in a document is found."""

    def problem(self, text):
        return run_document(Document("README.md", text))

    def test_what_is_right_passes(self):
        self.assertEqual("", self.problem(
            "```cfg\n# a.cfg\nmodel = \"test:ishigami\";\n```\nSo:\n```sh\nexport A=7\ntest -s a.cfg\n```\n"
            "```python\nimport os\nx = 3\n```\n```python\nassert x == 3\n```\n```sh\ntest $A = 7\nketsweep show states >s\n```\n"
            "```\nfalse\n```\n"))

    def test_a_failing_command_is_found(self):
        self.assertIn("line 2: failed:\ntrue\nfalse", self.problem("Text\n```sh\ntrue\nfalse\ntrue\n```\n"))
        self.assertIn("AssertionError", self.problem("```python\nx = 1\n```\n```python\nassert x == 2\n```\n"))
        self.assertIn("unknown key", self.problem("```cfg\n# a.cfg\ncolour = 1;\n```\n```sh\nketsweep check a.cfg\n```\n"))
        self.assertIn("first line", self.problem("```cfg\nmodel = \"ketamine\";\n```\n"))

    def test_what_no_test_may_do_is_refused(self):
        self.assertIn("line 2 is not for a test", self.problem("```sh\nmake test\n```\n"))

    def test_options_for_tests_go_behind_their_command(self):
        block = Document("a.md", "<!-- run with: --set a=1 -->\n\n```sh\nketsweep run a.cfg   # so\nketsweep show states\n```\n").blocks[0]
        self.assertEqual("ketsweep run a.cfg --set a=1  # so\nketsweep show states\n", block.script())

    def test_a_skipped_block_has_no_line_that_runs(self):
        block = Document("a.md", "<!-- not run: needs Slurm -->\n```sh\nsbatch a\nketsweep check a.cfg\n```\n").blocks[0]
        self.assertEqual("needs Slurm", reason_against(block))
        self.assertEqual(["ketsweep check a.cfg"], lines_that_run(block))


if __name__ == "__main__":
    unittest.main()
