"""What is handed out: the version in one place, notices, the citation, the container's recipe, and what is installed."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PYTHON = os.environ.get("PYTHON", sys.executable)
VERSION = re.search(r'KS_VERSION "(.*)"', (TOP / "src/base/build_info.h").read_text())[1]


def make(*arguments):
    inherited = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    program = pathlib.Path(os.environ.get("KETSWEEP", TOP / "build/release/ketsweep"))
    build = program.parent.relative_to(TOP)
    return subprocess.run(["make", "-s", f"BUILD={build}", *arguments], cwd=TOP, env=inherited, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Words(unittest.TestCase):

    def test_version_is_the_same_everywhere(self):
        self.assertIn(f"\n## {VERSION}", (TOP / "CHANGELOG.md").read_text())
        self.assertIn(f"\nversion: {VERSION}\n", (TOP / "CITATION.cff").read_text())
        recipe = (TOP / "tools/ketsweep.def").read_text()
        self.assertIn(f"build/ketsweep-{VERSION}.tar.gz ", recipe)
        self.assertIn(f"image.version {VERSION}\n", recipe)

    def test_citation_has_what_the_format_requires(self):
        keys = dict(re.findall(r"^([a-z-]+): *(.*)$", (TOP / "CITATION.cff").read_text(), re.MULTILINE))
        for key in ("cff-version", "message", "title", "authors"):  # of schema 1.2.0
            self.assertIn(key, keys)
        allowed = {"abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers",
                   "keywords", "license", "license-url", "message", "preferred-citation", "references", "repository",
                   "repository-artifact", "repository-code", "title", "type", "url", "version"}
        self.assertEqual(set(keys) - allowed, set())
        self.assertEqual((keys["cff-version"], keys["type"], keys["license"]), ("1.2.0", "software", "BSD-3-Clause"))

    def test_notices_name_every_library(self):
        text = (TOP / "NOTICE.md").read_text()
        names = {"hdf5": "HDF5", "mpi": "Open MPI", "mpich": "MPICH", "config": "libconfig", "sundials": "SUNDIALS"}
        libraries = set(re.findall(r"(?:^|\s)-l([a-z]+5?)", make("print-FOUND_LIBS").stdout))
        libraries -= {"m", "pthread", "hwloc", "ucp", "ucs"}  # the C library's, and what MPICH itself wants
        self.assertLessEqual({"hdf5", "config", "sundials"}, libraries)
        for library in libraries:
            self.assertIn(names[library], text)
        for notice in TOP.glob("src/report/page/LICENSE-*"):
            self.assertIn(notice.name, text)

    def test_sections_of_the_recipe_are_shell(self):
        recipe = (TOP / "tools/ketsweep.def").read_text()
        for section in ("post", "environment", "runscript", "test"):
            text = re.search(rf"^%{section}\n(.*?)(?=^%|\Z)", recipe, re.MULTILINE | re.DOTALL)[1]
            self.assertEqual(subprocess.run(["sh", "-n"], input=text, text=True).returncode, 0, section)


class Installed(unittest.TestCase):
    """Below DESTDIR, used from another folder."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="ks-install-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.settings = [f"DESTDIR={cls.folder}/root", "PREFIX=/opt/ks"]
        process = make("install", *cls.settings)
        assert process.returncode == 0, process.stdout
        cls.prefix = cls.folder / "root/opt/ks"
        cls.share = cls.prefix / "share/ketsweep"

    def run_here(self, *command, **environment):
        inherited = {key: value for key, value in os.environ.items() if key != "KETSWEEP"}
        return subprocess.run(command, cwd=self.folder, env={**inherited, **environment}, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_every_file_of_use_is_there(self):
        for folder in ("jobs", "configs", "configs/trials", "tools/plots"):
            wanted = {path.name for path in (TOP / folder).iterdir() if path.is_file()}
            self.assertEqual({path.name for path in (self.share / folder).iterdir() if path.is_file()}, wanted)
        for name in ("bin/ketsweep", "share/man/man1/ketsweep.1", "share/bash-completion/completions/ketsweep",
                     "share/zsh/site-functions/_ketsweep", "share/ketsweep/tools/plot.py",
                     "share/ketsweep/tools/ketsweep.py", "share/ketsweep/tools/ketsweep.R",
                     "share/doc/ketsweep/LICENSE", "share/doc/ketsweep/NOTICE.md"):
            self.assertGreater((self.prefix / name).stat().st_size, 0, name)

    def test_campaign_tools_and_jobs_work_from_elsewhere(self):
        program = str(self.prefix / "bin/ketsweep")
        config = str(self.share / "configs/demo.cfg")
        process = self.run_here(program, "run", config, "--set", "design.points=16", "-o", "small.h5", "-q")
        self.assertEqual(process.returncode, 0, process.stdout)
        plot = self.run_here(PYTHON, str(self.share / "tools/plot.py"), "--help")
        self.assertEqual(plot.returncode, 0, plot.stdout)
        code = "import ketsweep; print(ketsweep.call('--version'), len(ketsweep.open('small.h5').point))"
        module = self.run_here(PYTHON, "-c", code, PYTHONPATH=str(self.share / "tools"),
                               PATH="/usr/bin:/bin")
        self.assertEqual(module.returncode, 0, module.stdout)
        self.assertIn(f"ketsweep {VERSION}", module.stdout)
        launch = self.run_here("bash", "-c", f"jobs={self.share}/jobs; source $jobs/launch.sh; echo $ketsweep")
        self.assertEqual((launch.returncode, launch.stdout.strip()), (0, program), launch.stdout)

    def test_uninstall_leaves_nothing(self):
        settings = [f"DESTDIR={self.folder}/again", "PREFIX=/usr"]
        self.assertEqual(make("install", *settings).returncode, 0)
        self.assertEqual(make("uninstall", *settings).returncode, 0)
        left = [str(path) for path in (self.folder / "again").rglob("*") if path.is_file()]
        self.assertEqual(left, [])


if __name__ == "__main__":
    unittest.main()
