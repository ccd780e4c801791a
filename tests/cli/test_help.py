"""Help, the man page and the completions: all from the table of commands, which also drives the parser."""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import KETSWEEP, ProgramTest  # noqa: E402

WORDS_OF_VALUES = {"K/N": "1/2", "N": "2", "F": "0.5", "KEY=VALUE": "title=\"x\"", "FILE": "x", "NAME": "x", "TIME": "5",
                   "METHOD": "sobol"}
BASH = shutil.which("bash")
ZSH = shutil.which("zsh")


def output_of(*arguments):
    return subprocess.run([KETSWEEP, *arguments], text=True, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE).stdout


def commands():
    """The names in the overview."""
    return re.findall(r"^  ([a-z]+)\s", output_of("help"), re.M)


def options_of(command):
    """Each option in the command's help: its name -> (letter, word of its value)."""
    part = output_of("help", command).split("\nOptions:\n")[1].split("\n\n")[0]
    return {name: (letter.strip(" ,"), value)
            for letter, name, value in re.findall(r"^  (-\w, |    )--([a-z-]+)(?: (\S+))?(?=$|  )", part, re.M)}


class Help(ProgramTest):
    def test_every_command(self):
        """Purpose, options, exit statuses and an example; the same by --help; no line too wide for a terminal."""
        self.assertEqual(len(commands()), len(set(commands())))
        self.assertIn("run", commands())
        for command in commands():
            text = output_of("help", command)
            self.assertEqual(text, output_of(command, "--help"))
            self.assertEqual(text, output_of(command, "-h"))
            self.assertRegex(text, rf"^usage: ketsweep {command} \S")
            self.assertRegex(text, r"\nExit status:\n  0  \S.*\n")
            self.assertRegex(text, r"(?m)^  2  \S")
            self.assertRegex(text.split("\nExamples:\n")[1], rf"(?m)\bketsweep ({command}\b|completion)")
            prose = text.split("\nExamples:\n")[0]
            self.assertLessEqual(max(map(len, prose.splitlines())), 80, command)
        self.assertEqual(output_of("--help"), output_of("help"))

    def test_options_are_those_of_the_parser(self):
        """An option in a command's help is read by it, with a value where the help shows one; no other is."""
        every = {name: value for command in commands() for name, value in options_of(command).items()}
        self.assertGreater(len(every), 15)
        for command in commands():
            own = options_of(command)
            for name, (letter, value) in every.items():
                word = "" if not value else f"={value.split('|')[0] if '|' in value else WORDS_OF_VALUES.get(value, value)}"
                if name == "dataset":
                    word = "=all"
                stderr = self.run_program(command, f"--{name}{word}", "--bogus", status=2).stderr
                accepted = f"{command} has no option --bogus" in stderr
                self.assertEqual(accepted, name in own, f"{command} --{name}: {stderr}")
                if name in own and letter:
                    words = [letter] + ([word[1:]] if value else [])
                    self.assertIn("no option --bogus", self.run_program(command, *words, "--bogus", status=2).stderr)
                if name in own and value:
                    self.assertIn(f"--{name} needs a value", self.run_program(command, f"--{name}", status=2).stderr)
                elif name in own:
                    self.assertIn(f"--{name} takes no value", self.run_program(command, f"--{name}=1", status=2).stderr)

    def test_examples_parse(self):
        """Every option that an example uses is one of its command."""
        for command in commands():
            for line in output_of("help", command).split("\nExamples:\n")[1].splitlines():
                for name, rest in re.findall(r"\bketsweep ([a-z]+)(.*)", line):
                    self.assertIn(name, commands())
                    for option in re.findall(r"\s--([a-z-]+)", rest.split("|")[0]):
                        self.assertIn(option, options_of(name), line)

    def test_suggestions(self):
        for words, sentence in (
                (["rnu"], 'there is no command "rnu"; did you mean "run"? `ketsweep help` lists them'),
                (["help", "chekc"], 'there is no command "chekc"; did you mean "check"? `ketsweep help` lists them'),
                (["run", "x.cfg", "--overwite"],
                 "run has no option --overwite; did you mean --overwrite? `ketsweep help run` lists them"),
                (["run", "x.cfg", "--sett=a=1"], "run has no option --sett=a=1; did you mean --set? `ketsweep help run` lists them"),
                (["run", "x.cfg", "--quiet=yes"], '--quiet takes no value; leave out "=yes"'),
                (["completion", "fish"], 'SHELL of completion is bash or zsh, found "fish"')):
            self.assertEqual(self.run_program(*words, status=2).stderr, f"ketsweep: error: {sentence}\n")

    def test_nothing_is_said_twice(self):
        """Every row of the table of options is an option of some command."""
        source = (pathlib.Path(__file__).resolve().parents[2] / "src/app/arguments.c").read_text()
        rows = re.findall(r'^    \{"([a-z-]+)", "', source, re.M)
        self.assertGreater(len(rows), 15)
        self.assertEqual(set(rows), {name for command in commands() for name in options_of(command)})


class ManPage(ProgramTest):
    def test_holds_everything(self):
        page = output_of("help", "--man")
        for command in commands():
            self.assertIn(f"\n.SS {command} ", page)
            part = page.split(f"\n.SS {command} ")[1].split("\n.SS ")[0]
            for option in options_of(command).keys() - {"help"}:
                self.assertIn("\\-\\-" + option.replace("-", "\\-") + "\\fR", part)

    @unittest.skipUnless(shutil.which("man"), "man is not here")
    def test_renders(self):
        path = self.path("ketsweep.1", output_of("help", "--man"))
        process = subprocess.run(["man", "--warnings", "-l", "-Tutf8", path], stdout=subprocess.PIPE, text=True,
                                 stderr=subprocess.PIPE, env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", process.stdout)
        self.assertIn("ketsweep sensitivity study.h5", text)
        self.assertIn("'trial.cohort=\"trd.h5\"'", text)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not here")
    def test_lint(self):
        path = self.path("ketsweep.1", output_of("help", "--man"))
        process = subprocess.run(["mandoc", "-Tlint", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((process.returncode, process.stdout), (0, ""))


class Terminal:
    """A shell at a terminal, as somebody sits before it."""

    def __init__(self, folder, *command, **environment):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {**os.environ, "TERM": "dumb", **environment})

    def read(self, until, seconds=30):
        """What comes until this text."""
        text, end = "", time.monotonic() + seconds
        while until not in text and time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                text += os.read(self.terminal, 65536).decode(errors="replace")
        if until not in text:
            raise AssertionError(f"{until!r} did not come: {text!r}")
        return text

    def write(self, text):
        os.write(self.terminal, text.encode())

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.process, 0)


@unittest.skipUnless(BASH, "bash is not here")
class BashCompletion(ProgramTest):
    def candidates(self, *words):
        """What readline is given for these words, cut as it cuts them."""
        script = self.path("completion.bash", output_of("completion", "bash"))
        process = subprocess.run(
            [BASH, "--norc", "-c", 'source "$0"; COMP_WORDS=(ketsweep "$@"); COMP_CWORD=$#; _ketsweep;'
             ' [[ ${#COMPREPLY[@]} = 0 ]] || printf "%s\\n" "${COMPREPLY[@]}"', script, *words], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(process.stderr, "")
        return process.stdout.splitlines()

    def test_commands_and_options(self):
        self.assertEqual(set(self.candidates("")), {*commands(), "--help", "--version"})
        self.assertEqual(self.candidates("sens"), ["sensitivity"])
        for command in commands():
            options = options_of(command)
            self.assertEqual(set(self.candidates(command, "-")),
                             {f"--{name}" for name in options} | {letter for letter, _ in options.values() if letter})
        self.assertEqual(self.candidates("help", "tri"), ["trial"])
        self.assertEqual(self.candidates("completion", ""), ["bash", "zsh"])
        self.assertEqual(self.candidates("show", "e"), ["endpoints"])

    def test_files(self):
        for name in ("a.cfg", "b c.cfg", "d.h5", "e.txt"):
            self.path(name, "")
        (self.folder / "sub").mkdir()
        self.assertEqual(set(self.candidates("run", "")), {"a.cfg", "b c.cfg", "sub"})
        self.assertEqual(set(self.candidates("status", "")), {"d.h5", "sub"})
        self.assertEqual(set(self.candidates("merge", "d.h5", "")), {"d.h5", "sub"})
        self.assertLessEqual({"a.cfg", "d.h5", "e.txt", "sub"}, set(self.candidates("run", "a.cfg", "-o", "")))

    def test_values(self):
        self.assertEqual(self.candidates("export", "--format", ""), ["csv"])
        self.assertEqual(self.candidates("simulate", "--format", "=", "h"), ["h5"])
        self.assertEqual(self.candidates("export", "x.h5", "--dataset", "tr"), ["trajectories", "trial"])
        methods = {line.split()[0] for line in output_of("show", "methods").splitlines()[1:]}
        self.assertEqual(set(self.candidates("sensitivity", "--method", "")), methods)
        self.assertEqual(self.candidates("run", "--lanes", ""), [])

    def test_keys(self):
        """Every key is one that the configuration knows, and every parameter is there."""
        keys = [key.removesuffix("=") for key in self.candidates("run", "--set", "")]
        names = [line.split()[0] for line in output_of("show", "parameters").splitlines()[1:]]
        self.assertEqual([name for name in names if f"protocol.{name}" not in keys and f"patient.{name}" not in keys], [])
        self.path("t.cfg", "")
        sets = [word for key in keys for word in ("--set", f"{key}={{ x = 1; }}")]
        faults = self.run_program("check", "t.cfg", *sets, status=2).stderr
        self.assertEqual(re.findall(r"(?m)^--set (\S+): unknown (?:key|parameter).*", faults), [])
        self.assertIn("--set run.watch: expected a string", faults)
        self.assertEqual(self.candidates("run", "--set", "design.po"), ["design.points="])

    def test_values_of_keys(self):
        endpoints = [line.split()[0] for line in output_of("show", "endpoints").splitlines()[1:]]
        self.assertEqual(self.candidates("run", "--set", "'run.watch=\""), [f'run.watch="{name}"' for name in endpoints])
        self.assertEqual(self.candidates("run", "--set", "protocol.route", "=", "i"),
                         ['\\"iv\\"', '\\"im\\"', '\\"intranasal\\"'])
        self.assertEqual(self.candidates("run", "--set", "design.second_order", "=", "t"), ["true"])
        self.assertEqual(self.candidates("run", "--set", "protocol.horizon", "=", ""), [])
        self.path("t.cfg", 'design : { kind = "morris"; points = 32; }; parameters : ( { name = "weight"; } );')
        for key in ("protocol.route", "design.scheme", "run.watch", "solver.kind", "output.endpoints"):
            for word in self.candidates("run", "--set", f"'{key}="):
                self.run_program("check", "t.cfg", "--set", word.replace("\\", ""))

    def test_at_a_terminal(self):
        """A real readline: what is typed and completed arrives as it must."""
        script = self.path("completion.bash", output_of("completion", "bash"))
        (self.folder / "bin").mkdir()
        self.path("bin/ketsweep", '#!/bin/sh\nfor word; do printf "<%s>" "$word"; done; echo\n')
        (self.folder / "bin/ketsweep").chmod(0o755)
        self.path("study.cfg", "")
        shell = Terminal(self.folder, BASH, "--norc", "--noprofile", "-i", INPUTRC="/dev/null", PS1="$ ",
                         PATH=f"{self.folder}/bin:{os.environ['PATH']}")
        self.addCleanup(shell.close)
        shell.write(f"source {script}; echo rea''dy\n")
        shell.read("ready")
        for typed, arrived in (
                ("ketsweep ru\tstu\t--overw\t\n", "<run><study.cfg><--overwrite>"),
                ("ketsweep run --set protocol.infusion_do\t2\n", "<run><--set><protocol.infusion_dose=2>"),
                ("ketsweep run --set protocol.route=su\t\n", '<run><--set><protocol.route="sublingual">'),
                ("ketsweep run --set 'protocol.route=\"su\t\n", '<run><--set><protocol.route="sublingual">'),
                ("ketsweep run --set 'run.watch=\"madrs_change_2\t8\t\n",
                 '<run><--set><run.watch="madrs_change_28d">')):
            shell.write(typed)
            shell.read(arrived)


@unittest.skipUnless(ZSH, "zsh is not here")
class ZshCompletion(ProgramTest):
    def start(self):
        (self.folder / "functions").mkdir()
        self.path("functions/_ketsweep", output_of("completion", "zsh"))
        (self.folder / "bin").mkdir()
        self.path("bin/ketsweep", '#!/bin/sh\nfor word; do printf "<%s>" "$word"; done; echo\n')
        (self.folder / "bin/ketsweep").chmod(0o755)
        self.path("study.cfg", "")
        shell = Terminal(self.folder, ZSH, "-f", "-i", PATH=f"{self.folder}/bin:{os.environ['PATH']}", PS1="$ ")
        self.addCleanup(shell.close)
        shell.write("fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D; unsetopt beep; echo rea''dy\n")
        shell.read("ready")
        return shell

    def test_at_a_terminal(self):
        shell = self.start()
        for typed, arrived in (
                ("ketsweep ru\tstu\t--overw\t\n", "<run><study.cfg><--overwrite>"),
                ("ketsweep sens\t--met\trbd\t\n", "<sensitivity><--method=rbd-fast>"),
                ("ketsweep run --set protocol.infusion_do\t2\n", "<run><--set><protocol.infusion_dose=2>"),
                ("ketsweep run --set run.watch=\\\"madrs_change_2\t8\t\n", '<run><--set><run.watch="madrs_change_28d">'),
                ("ketsweep show endp\t\n", "<show><endpoints>"),
                ("ketsweep help subm\t\n", "<help><submit>")):
            shell.write(typed)
            shell.read(arrived)

    def test_lists(self):
        """What is listed says what it is."""
        shell = self.start()
        shell.write("ketsweep \t\t")
        self.assertRegex(shell.read("validate a configuration"), r"check")
        shell.write("\x15ketsweep run --set patient.nmdar_\t\t")
        shell.read("density of NMDA receptors")


if __name__ == "__main__":
    unittest.main()
