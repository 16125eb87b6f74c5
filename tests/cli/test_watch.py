#!/usr/bin/env python3
"""`gemel query … --watch SPAN`: rounds as lines, a table on a terminal, what it refuses."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import gemel
from gemel import csv_pipeline

DEADLINE_S = 60


class Watch(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string", "stock": "integer"})
        self.stock(7)
        self.configure({"parts": csv_pipeline({"path": "parts.csv", "key": "id"}, {
            "$dtId": "part-{id}", "$model": "dtmi:t:Part;1", "name": "name", "stock": {"from": "stock", "type": "integer"}})})
        self.run_all()

    def stock(self, first):
        self.write("parts.csv", f"id,name,stock\n1,bolt,{first}\n2,schr\u00e4ubchen mit sehr langem Namen,9\n")

    def watch(self, *words, **more):
        process = subprocess.Popen([gemel.PROGRAM, "query", *words], cwd=self.folder, stderr=subprocess.PIPE, **more)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        self.addCleanup(process.stderr.close)
        return process

    def end(self, process):
        process.send_signal(signal.SIGINT)
        self.assertEqual(0, process.wait(DEADLINE_S))

    def test_elsewhere_each_round_prints_its_rows(self):
        query = "SELECT T.name, T.stock FROM DIGITALTWINS T WHERE T.$dtId = 'part-1'"
        process = self.watch(query, "--watch", "50ms", stdout=subprocess.PIPE, text=True)
        self.assertEqual('{"name":"bolt","stock":7}\n', process.stdout.readline())
        self.stock(8)
        self.run_all()
        lines = {process.stdout.readline() for _ in range(3)}
        deadline = time.monotonic() + DEADLINE_S
        while '{"name":"bolt","stock":8}\n' not in lines:
            self.assertLess(time.monotonic(), deadline)
            lines.add(process.stdout.readline())
        self.end(process)
        self.assertLessEqual(lines, {'{"name":"bolt","stock":7}\n', '{"name":"bolt","stock":8}\n'})
        process.stdout.close()

    def read_until(self, fd, wanted):
        text, deadline = "", time.monotonic() + DEADLINE_S
        while not re.search(wanted, text):
            self.assertLess(time.monotonic(), deadline, text)
            if select.select([fd], [], [], 1)[0]:
                text += os.read(fd, 65536).decode(errors="replace")
        return text

    def test_on_a_terminal_it_is_a_table_that_is_drawn_over(self):
        primary, secondary = pty.openpty()
        fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 56, 0, 0))
        query = "SELECT T.$dtId AS id, T.name, T.stock FROM DIGITALTWINS T ORDER BY T.$dtId"
        process = self.watch(query, "--watch", "100ms", stdout=secondary)
        os.close(secondary)
        screen = self.read_until(primary, r"part-2 ")
        self.assertRegex(screen, r"\x1b\[Hevery 100ms, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, 2 rows")
        self.assertRegex(screen, r"\nid      name +stock\x1b\[K")
        for line in re.sub(r"\x1b\[[HJK]", "", screen).splitlines():
            self.assertLessEqual(len(line), 56)
        self.write("parts.csv", "id,name,stock\n1,nut,8\n2,x,9\n")
        self.run_all()
        self.read_until(primary, r"part-1  nut   8")
        self.end(process)
        os.close(primary)

    def test_a_terminal_gets_as_many_rows_as_it_has_lines(self):
        self.write("parts.csv", "id,name,stock\n" + "".join(f"{n},p,{n}\n" for n in range(40)))
        self.run_all()
        primary, secondary = pty.openpty()
        fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 80, 0, 0))
        process = self.watch("SELECT T.stock FROM DIGITALTWINS T", "--watch", "200ms", stdout=secondary)
        os.close(secondary)
        screen = self.read_until(primary, r"\x1b\[J\x1b\[H[^J]*\x1b\[J")
        self.assertIn("6 rows and more", screen)
        for drawn in screen.split("\x1b[J"):
            self.assertLessEqual(drawn.count("\n"), 9)
        self.end(process)
        os.close(primary)

    def test_nonsense_is_refused(self):
        query = "SELECT COUNT() FROM DIGITALTWINS"
        for words, expected in ((["--watch", "0"], "50ms"), (["--watch", "soon"], "50ms"), (["--watch", "-1s"], "50ms"), (["--watch", "2d"], "1d"),
                                (["--watch"], "value"), (["--watch", "1s", "--explain"], "--explain"), (["--watch", "1s", "--next", "x"], "--next")):
            with self.subTest(words=words):
                self.assertIn(expected, self.gemel("query", query, *words, expect=gemel.USAGE).err)
        self.assertIn("column", self.gemel("query", "SELECT", "--watch", "1s", expect=gemel.USAGE).err)
        self.assertIn("no query", self.gemel("query", "--watch", "1s", expect=gemel.USAGE).err)


if __name__ == "__main__":
    gemel.main()
