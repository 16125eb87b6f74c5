#!/usr/bin/env python3
"""One Gemel feeds another over TLS: budgets, refusals, kills of the feeding one; the target ends equal."""
import json
import random
import re
import signal
import sqlite3
import subprocess
import urllib.request

import adt
import gemel

ROWS = 3000
MAP = {"$dtId": "m-{id}", "$model": "dtmi:t:Machine;1", "name": "name", "load": {"from": "load", "type": "double"},
       "box": {"object": {"width": "width"}}, "relationships": [{"name": "next", "target": "m-{next}"}]}
OPEN = {"patches": 0, "creates": 0, "reads": 0, "per_twin": 0, "models": 0}


class Feeding(gemel.Case):
    def setUp(self):
        super().setUp()
        self.target_folder = self.folder / "target"
        self.target_folder.mkdir()
        self.model("Box", {"width": "integer"})
        self.model("Machine", {"name": "string", "load": "double"}, ["next"], components={"box": "Box"})
        self.sql("erp.db", "CREATE TABLE m (id INTEGER PRIMARY KEY, name TEXT, load REAL, width INTEGER, next INTEGER)")

    # ---- the target ----

    def serve(self, **api):
        config = {"data": "./data", "admin": {"listen": "127.0.0.1:0"}, "api": {"listen": "127.0.0.1:0", **api}}
        (self.target_folder / "gemel.yaml").write_text(json.dumps(config))
        self.server = adt.Server(self.target_folder)
        self.addCleanup(self.stop_target)
        return self.server

    def stop_target(self):
        if self.server.process.poll() is None:
            self.server.end()

    def counted(self):
        """Calls that the target took, by operation."""
        admin = json.loads((self.target_folder / "data/admin.json").read_text())
        request = urllib.request.Request(f"{admin['url']}/metrics", headers={"Authorization": f"Bearer {admin['token']}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
        return {name: int(float(value)) for name, value in
                re.findall(r'^gemel_api_calls_total\{operation="([^"]+)"\} (\S+)', text, re.M)}

    def count_during(self, fn):
        before = self.counted()
        result = fn()
        return result, {name: count - before.get(name, 0) for name, count in self.counted().items()
                        if count > before.get(name, 0)}

    # ---- the feeding one ----

    def feed(self, rate=None, **sink):
        self.configure({"m": {**gemel.table("erp.db", "m", "id", MAP), "missing": {"delete_after_runs": 1, "max_share": "100%"},
                              "retry": {"attempts": 2, "first": "10ms", "longest": "100ms"},
                              "sink": {"adt": {"url": self.server.url, "ca_file": str(self.server.authority), "upload_models": True,
                                               "auth": {"token": {"value": f"${{file:{self.target_folder}/data/tokens/development}}"}},
                                               "rate": {**OPEN, **(rate or {})}, **sink}}}})

    def fill(self, rows, links=0):
        self.sql("erp.db", "INSERT INTO m VALUES (?, ?, ?, ?, ?)",
                 *((i, f"machine {i}", i / 4, i, i % links + 1 if links else None) for i in range(1, rows + 1)))

    def execute(self, script):
        self.sql("erp.db", script)


class Calls(Feeding):
    def test_one_percent_changed_costs_exactly_the_changed_calls_at_the_budget(self):
        self.serve(rate_limit={"per_second": 1000, "burst": 1000})
        self.feed({"patches": 200})
        self.fill(ROWS)
        self.assertEqual(ROWS, self.run_pipeline("m").created)
        self.execute(f"UPDATE m SET name = name || '!' WHERE id % {ROWS // 300} = 0")
        run, calls = self.count_during(lambda: self.run_pipeline("m"))
        self.assertEqual((300, ROWS - 300), (run.updated, run.unchanged))
        self.assertEqual({"PATCH /digitaltwins/{id}": 300, "GET /models": 1}, calls)
        _, calls = self.count_during(lambda: self.run_pipeline("m"))
        self.assertEqual({}, calls)
        self.assert_equal_to_source("m")

    def test_the_target_ends_as_if_it_had_been_fed_directly(self):
        self.serve()
        self.feed()
        self.fill(300, links=50)
        self.execute("UPDATE m SET next = NULL WHERE next = id")
        self.run_pipeline("m")
        self.execute("UPDATE m SET name = NULL, load = load + 1 WHERE id < 20; DELETE FROM m WHERE id BETWEEN 30 AND 40;"
                     "UPDATE m SET next = 5 WHERE id > 250; INSERT INTO m VALUES (1000, 'new', 1, 1, 999)")
        run = self.run_pipeline("m")
        self.assertEqual((1, 11), (run.created, run.deleted), run)
        self.assert_equal_to_source("m")
        rows = {row["$dtId"]: row for row in self.server.query("SELECT * FROM DIGITALTWINS")}
        self.assertEqual(290, len(rows))
        self.assertNotIn("name", rows["m-7"])
        links = self.server.query("SELECT * FROM RELATIONSHIPS")
        self.assertFalse([link for link in links if 30 <= int(link["$targetId"][2:]) <= 40])


class Refusals(Feeding):
    def test_a_storm_of_refusals_ends_with_everything_there(self):
        self.serve(rate_limit={"per_second": 300, "burst": 30})
        self.feed()  # no budget of its own
        self.fill(400)
        self.assertEqual(400, self.run_pipeline("m").created)
        self.assert_equal_to_source("m")

    def test_a_target_that_goes_away_and_comes_back_loses_nothing(self):
        self.serve()
        self.feed(patience="2s")
        self.fill(400, links=400)
        self.server.end(signal.SIGKILL)
        run = self.run_pipeline("m", expect=gemel.FAILED)
        self.assertEqual(("retry", 0), (run.error["code"], run.parked))
        self.server = adt.Server(self.target_folder)
        self.feed()
        self.execute("UPDATE m SET next = NULL WHERE next = id")
        self.run_pipeline("m")
        self.assert_equal_to_source("m")


class Kills(Feeding):
    def test_the_feeding_one_is_killed_at_random_moments_and_the_target_ends_equal(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        self.serve()
        self.feed({"creates": 1500, "patches": 1500})
        self.fill(600, links=60)
        self.execute("UPDATE m SET next = NULL WHERE next = id")
        killed = 0
        for _ in range(12):
            self.change(chance)
            process = subprocess.Popen([gemel.PROGRAM, "run", "--once"], cwd=self.folder, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0.02, 0.5))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
        self.assertGreater(killed, 3)
        run = self.run_pipeline("m")
        self.assertEqual(0, run.parked, self.letters())
        self.assert_equal_to_source("m")
        there = {row["$dtId"] for row in self.server.query("SELECT * FROM DIGITALTWINS")}
        expected = {f"m-{row['id']}" for row in self.rows()}
        self.assertEqual(expected, there)

    def change(self, chance):
        pick = chance.randrange(7)
        self.execute(f"UPDATE m SET name = {chance.choice(['NULL', repr('n%d' % chance.randrange(99))])}, load = {chance.random()} WHERE id % 7 = {pick};"
                     f"UPDATE m SET next = {chance.randrange(1, 60)} WHERE id % 11 = {pick} AND id > 60;"
                     f"DELETE FROM m WHERE id > 60 AND id % 13 = {pick};"
                     f"INSERT OR IGNORE INTO m SELECT id + {chance.randrange(600, 700)}, 'again', 1, 1, NULL FROM m WHERE id % 9 = {pick} AND id < 300")

    def rows(self):
        database = sqlite3.connect(self.folder / "erp.db")
        database.row_factory = sqlite3.Row
        try:
            return database.execute("SELECT id FROM m").fetchall()
        finally:
            database.close()


if __name__ == "__main__":
    gemel.main()
