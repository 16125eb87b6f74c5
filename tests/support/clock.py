"""A wall clock of a process that a test may set while it runs: preload/settable_clock.c in front of the C library.

    clock = clock.Clock(folder)              # unittest.SkipTest where programs are built with a sanitizer
    adt.Server(folder, env=clock.environment())
    clock.set(-600)                          # seconds beside the machine's clock
"""
import os
import struct
import unittest

LIBRARY = os.environ.get("GEMEL_CLOCK_LIBRARY", "")


class Clock:
    def __init__(self, folder, needed=True):
        if needed and not LIBRARY:
            raise unittest.SkipTest("the clock cannot be set here")
        self.file = folder / "clock"
        self.offset = 0
        self.file.write_bytes(bytes(8))

    def set(self, offset):
        self.offset = offset
        with open(self.file, "r+b", buffering=0) as clock:
            clock.write(struct.pack("=q", offset * 1000000000))

    def environment(self):
        return {"LD_PRELOAD": LIBRARY, "GEMEL_TEST_CLOCK": str(self.file)} if LIBRARY else {}
