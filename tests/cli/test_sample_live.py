#!/usr/bin/env python3
"""`gemel sample factory` without an address: readings into the sample company of the running Gemel, which is killed meanwhile;
none is missing, views show them, and the sensors' twins have the newest."""
import json
import re
import signal
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import adt
import gemel

DEADLINE_S = 60


class Live(gemel.Case):
    def setUp(self):
        super().setUp()
        self.gemel("sample", "company", ".", "--scale", "0.01")
        config = (self.folder / "gemel.yaml").read_text()
        self.write("gemel.yaml", config + '\nadmin: { listen: "127.0.0.1:0" }\napi: { listen: "127.0.0.1:0" }\n')

    def start(self):
        server = adt.Server(self.folder)
        server.wait_for("admin.listening")
        self.addCleanup(lambda: server.process.poll() is None and server.end())
        return server

    def await_no_lag(self):
        deadline = time.monotonic() + DEADLINE_S
        while sum(one["lag"] for one in self.consumers()) > 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def consumers(self):
        consumers = self.gemel("status", "--json").json()["consumers"]
        self.assertEqual({("readings", "pipeline"), ("latest", "view"), ("per_minute", "view"), ("per_hour", "view")},
                         {(one["name"], one["kind"]) for one in consumers})
        return consumers

    def check_line(self, told):
        """The options of the line that what sends prints."""
        found = re.search(r"gemel sample factory (--check .*)", told)
        self.assertIsNotNone(found, told)
        return found.group(1).split()

    def test_readings_reach_views_and_twins_and_survive_a_kill(self):
        server = self.start()
        sent = self.gemel("sample", "factory", "--rate", "max", "--events", "3000", "--seed", "3")
        server.end(signal.SIGKILL)
        self.gemel("sample", "factory", *self.check_line(sent.err))
        self.start()
        self.await_no_lag()
        newest = {}
        for event in self.gemel("tail", "telemetry", "--json").json_lines():
            body = event["body"]
            newest[body["sensor"]] = max(newest.get(body["sensor"], ("", 0)), (body["time"], body["value"]))
        twins = self.query("SELECT T.$dtId, T.value FROM DIGITALTWINS T WHERE IS_DEFINED(T.value)")
        self.assertEqual({twin["$dtId"]: twin["value"] for twin in twins}, {key: value for key, (_, value) in newest.items()})
        one = self.query("SELECT T FROM DIGITALTWINS T WHERE T.$dtId = 'sensor-10001-T'")[0]["T"]
        told = one["$metadata"]["value"]["sourceTime"]
        self.assertEqual(newest["sensor-10001-T"][0].rstrip("0Z").rstrip("."), told.rstrip("0Z").rstrip("."))
        minutes = self.gemel("views", "show", "per_minute", "--key", "machine-10001").json_lines()
        self.assertLess(45, minutes[0]["temperature"]["mean"])
        self.assertLess(7000, minutes[0]["pressure"]["mean"])
        hours = self.gemel("views", "show", "per_hour").json_lines()
        self.assertIn("line-SEA-L01", {row["key"] for row in hours})

    def test_it_is_ready_though_a_run_never_ends_and_stopping_that_is_no_failure(self):
        server = self.start()
        url = json.loads((self.folder / "data/admin.json").read_text())["url"]
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                with urllib.request.urlopen(url + "/ready") as answer:
                    self.assertEqual({"ready": True, "reasons": []}, json.load(answer))
                    break
            except urllib.error.HTTPError as err:  # 503: not yet
                err.close()
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
        server.end()
        self.assertRegex("".join(server.log), "info run.stopped pipeline=readings")
        self.assertNotIn("run.failed", "".join(server.log))

    def test_who_starts_again_goes_on(self):
        server = self.start()
        for _ in range(2):
            sent = self.gemel("sample", "factory", "--rate", "max", "--events", "1000", "--duplicates", "0", "--json")
        self.assertEqual(1000, json.loads(sent.out)["readings"])
        self.assertEqual(2000, self.gemel("streams", "--json").json()[0]["events"])
        server.end()

    def test_until_ctrl_c_then_all_of_it_is_there(self):
        self.start()
        words = [gemel.PROGRAM, "sample", "factory", "--rate", "2000"]
        sender = subprocess.Popen(words, cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: sender.poll() is None and sender.kill())
        deadline = time.monotonic() + DEADLINE_S
        while self.gemel("streams", "--json").json()[0]["events"] < 500:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        sender.send_signal(signal.SIGINT)
        told = sender.communicate(timeout=DEADLINE_S)[1]
        self.assertEqual(0, sender.returncode, told)
        self.gemel("sample", "factory", *self.check_line(told))

    def test_without_a_gemel_it_says_so(self):
        done = self.gemel("sample", "factory", expect=gemel.USAGE)
        self.assertIn("no `gemel run` is at work here", done.err)

    def test_a_check_without_what_was_sent_is_refused(self):
        done = self.gemel("sample", "factory", "--check", expect=gemel.USAGE)
        self.assertIn("printed the line", done.err)


if __name__ == "__main__":
    gemel.main()
