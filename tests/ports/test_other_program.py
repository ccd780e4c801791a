"""The same files from KETSWEEP_OTHER, a program for another machine, as tools/test_aarch64.sh starts it."""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cli"))
from test_bits import Campaigns  # noqa: E402


class OtherProgram(Campaigns):
    def test_its_files_are_the_same(self):
        self.compare(program=os.environ["KETSWEEP_OTHER"])


if __name__ == "__main__":
    unittest.main()
