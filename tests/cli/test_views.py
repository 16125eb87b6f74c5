#!/usr/bin/env python3
"""Rows of views on the command line, beside `gemel run` and without it; and following them."""
import json
import signal
import subprocess
import time
import unittest

import adt
import gemel


def event(machine, minute, value):
    return {"machine": machine, "at": f"2026-11-20T17:{minute:02d}:00Z", "value": value}


class Views(adt.Case):
    SETTINGS = {"streams": {"telemetry": {"key": "machine", "time": "at", "partitions": 2}},
                "views": {"latest": {"stream": "telemetry", "values": {"value": {"of": "value"}}},
                          "per_minute": {"stream": "telemetry", "window": "1m", "values": {"value": {"of": "value", "as": ["count", "sum"]}}}},
                "api": {"listen": "127.0.0.1:0"}, "admin": {"listen": "127.0.0.1:0"}}

    def setUp(self):
        super().setUp()
        self.configure({}, **self.SETTINGS)

    def begin(self):
        server = self.start()
        server.wait_for("admin.listening")
        return server

    def append(self, events):
        self.gemel("append", "telemetry", input="".join(json.dumps(one) + "\n" for one in events).encode())

    def settle(self):
        """Until the views have all events."""
        deadline = time.monotonic() + 30
        while any(view["lag"] > 0 for view in self.gemel("views", "--json").json()["value"]):
            self.assertLess(time.monotonic(), deadline)

    def rows(self, *arguments):
        return self.gemel(*arguments).json_lines()

    # ---- rows ----

    def check_rows(self):
        every = self.rows("views", "show", "per_minute", "--limit", "0")
        self.assertEqual([(f"2026-11-20T17:{minute:02d}:00Z", f"m{machine}") for minute in range(10) for machine in range(5)],
                         [(row["start"], row["key"]) for row in every])
        self.assertEqual(every, self.rows("query", "--view", "per_minute"))
        self.assertEqual(every, self.gemel("views", "show", "per_minute", "--limit", "0", "--json").json()["value"])
        self.assertEqual([row for row in every if row["key"] == "m3"], self.rows("query", "--view", "per_minute", "--key", "m3", "--json"))
        between = ("--from", "2026-11-20T17:03:00Z", "--to", "2026-11-20T17:05:00Z")
        self.assertEqual(every[15:25], self.rows("views", "show", "per_minute", *between))
        paged, token = [], ()
        while True:
            done = self.gemel("query", "--view", "per_minute", "--limit", "7", *token)
            paged += done.json_lines()
            if "--next" not in done.err:
                break
            self.assertIn("7 rows; there are more", done.err)
            token = ("--next", done.err.split('--next "')[1].split('"')[0])
        self.assertEqual(every, paged)
        page = self.gemel("views", "show", "latest", "--limit", "2", "--json").json()
        self.assertEqual(["m0", "m1"], [row["key"] for row in page["value"]])
        rest = self.gemel("views", "show", "latest", "--next", page["continuationToken"], "--json").json()
        self.assertEqual((["m2", "m3", "m4"], None), ([row["key"] for row in rest["value"]], rest["continuationToken"]))

    def test_rows_beside_gemel_run_and_without_it(self):
        server = self.begin()
        self.append(event(f"m{machine}", minute, minute) for minute in range(10) for machine in range(5))
        self.settle()
        self.check_rows()
        self.assertEqual(0, server.end())
        self.check_rows()

    def test_more_rows_than_a_page_has(self):
        server = self.begin()
        self.append(event(f"m{n}", 0, n) for n in range(12000))
        self.settle()
        self.assertEqual(12000, len(self.rows("query", "--view", "latest", "--limit", "0")))
        self.assertEqual(11000, len(self.gemel("views", "show", "latest", "--limit", "11000", "--json").json()["value"]))
        self.assertEqual(0, server.end())

    def test_what_cannot_be(self):
        self.assertIn("there is no view `none`", self.gemel("query", "--view", "none", expect=None).err)
        self.assertIn("without a query", self.gemel("query", "SELECT * FROM DIGITALTWINS", "--view", "latest", expect=gemel.USAGE).err)
        self.assertIn("with --view", self.gemel("query", "SELECT * FROM DIGITALTWINS", "--key", "a", expect=gemel.USAGE).err)
        self.assertIn("without --explain", self.gemel("query", "--view", "latest", "--explain", expect=gemel.USAGE).err)
        self.assertIn("no `gemel run`", self.gemel("views", "follow", "latest", expect=gemel.USAGE).err)
        server = self.begin()
        self.assertIn("there is no view `none`", self.gemel("query", "--view", "none", expect=None).err)
        self.assertIn("there is no view `none`", self.gemel("views", "follow", "none", expect=None).err)
        self.assertIn("no cursor of view", self.gemel("views", "follow", "latest", "--from", "x", expect=None).err)
        self.assertIn("`from` is no time", self.gemel("views", "show", "latest", "--from", "x", expect=None).err)
        self.assertEqual(0, server.end())

    # ---- following ----

    def test_rows_are_followed_from_the_beginning_and_on(self):
        server = self.begin()
        self.append(event(f"m{machine}", 0, machine) for machine in range(5))
        self.settle()
        done = self.gemel("views", "follow", "latest", "--from", "oldest", "--limit", "5")
        self.assertEqual([f"m{machine}" for machine in range(5)], [row["key"] for row in done.json_lines()])
        cursor = done.err.split("--from ")[1].strip()
        self.append([event("m3", 1, 77)])
        row = self.gemel("views", "follow", "latest", "--from", cursor, "--limit", "1").json()
        self.assertEqual(("m3", 77), (row["key"], row["value"]["value"]))
        self.assertEqual(0, server.end())

    def test_following_goes_on_with_the_next_gemel_run(self):
        server = self.begin()
        self.append([event("m1", 0, 1)])
        self.settle()
        process = subprocess.Popen([gemel.PROGRAM, "views", "follow", "latest", "--from", "oldest", "--limit", "3"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual("m1", json.loads(process.stdout.readline())["key"])
        server.end(signal.SIGKILL)
        self.append([event("m2", 1, 2)])
        server = self.begin()
        self.assertEqual("m2", json.loads(process.stdout.readline())["key"])
        self.append([event("m3", 1, 3)])
        out, err = process.communicate(timeout=60)
        self.assertEqual(("m3", 0), (json.loads(out)["key"], process.returncode), err)
        self.assertEqual(0, server.end())

    def test_a_server_that_ends_lets_go_of_who_follows(self):
        server = self.begin()
        process = subprocess.Popen([gemel.PROGRAM, "views", "follow", "latest"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while not self.gemel("views", "--json").json()["value"][0].get("followers"):
            self.assertLess(time.monotonic(), deadline)
        began = time.monotonic()
        self.assertEqual(0, server.end())
        self.assertLess(time.monotonic() - began, 20)
        process.kill()
        process.communicate()


if __name__ == "__main__":
    gemel.main()
