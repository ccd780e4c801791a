#!/usr/bin/env python3
"""Runs one unittest module and prints its tests as TAP, as cmocka's programs do: unittest_tap.py FILE."""
import pathlib
import sys
import unittest


class TapResult(unittest.TestResult):
    """Prints a line per test, and the reason of a failure as comment lines."""

    def say(self, verdict, test, reason="", directive=""):
        print(verdict, "-", test.id() + directive, flush=True)
        for line in reason.splitlines():
            print("#", line, flush=True)

    def addSuccess(self, test):
        self.say("ok", test)

    def addExpectedFailure(self, test, err):
        self.say("ok", test)

    def addSkip(self, test, reason):
        self.say("ok", test, directive=f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say("not ok", test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.say("not ok", test, self.errors[-1][1])

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.say("not ok", test, "succeeds unexpectedly")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addFailure(subtest, err)


path = pathlib.Path(sys.argv[1])
suite = unittest.defaultTestLoader.discover(str(path.parent), pattern=path.name)
print(f"1..{suite.countTestCases()}", flush=True)
sys.exit(not suite.run(TapResult()).wasSuccessful())
