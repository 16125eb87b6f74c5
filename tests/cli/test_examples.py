#!/usr/bin/env python3
"""The examples and the sample are free of errors, and become twins."""
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

GEMEL = os.environ["GEMEL"]
SOURCE = pathlib.Path(os.environ["GEMEL_SOURCE"])
SHARED = pathlib.Path(os.environ.get("GEMEL_TEST_SHARED", ""))


def gemel(*arguments, cwd=None, expect=0):
    done = subprocess.run([GEMEL, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != expect:
        raise AssertionError(f"gemel {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def run_once(folder):
    """Name of the pipeline → the counts of its run, which must have succeeded."""
    runs = list(map(json.loads, gemel("run", "--once", "--json", cwd=folder).splitlines()))
    assert all(run["status"] == "succeeded" for run in runs), runs
    return {run["pipeline"]: run["counts"] for run in runs}


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gemel-examples-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_examples_are_free_of_errors(self):
        for config in sorted((SOURCE / "examples").glob("*/gemel.yaml")):
            with self.subTest(example=config.parent.name):
                gemel("check", config)

    def test_the_minimal_example_runs(self):
        shutil.copytree(SOURCE / "examples/minimal", self.folder, dirs_exist_ok=True)
        self.assertEqual(3, run_once(self.folder)["products"]["created"])
        again = run_once(self.folder)["products"]
        self.assertEqual((0, 0, 3), (again["created"], again["updated"], again["unchanged"]))

    def test_the_sample_company_becomes_twins_and_stays_in_step(self):
        gemel("sample", "company", self.folder, "--scale", "0.02")
        gemel("check", self.folder / "gemel.yaml")
        first = run_once(self.folder)
        self.assertEqual(13, len(first))
        self.assertEqual(0, first.pop("readings")["read"])  # of a stream that is empty
        for name, run in first.items():
            with self.subTest(pipeline=name):
                self.assertEqual(0, run["parked"])
                self.assertGreater(run["created"], 0)
        database = sqlite3.connect(self.folder / "erp.db")
        with database:
            database.execute("UPDATE products SET unit_price = 9.99 WHERE sku = 'WWI-00001'")
        database.close()
        second = run_once(self.folder)
        self.assertEqual(1, second["products"]["updated"])
        self.assertEqual(1, sum(run["created"] + run["updated"] + run["deleted"] for run in second.values()))

    def test_commands_make_a_plant(self):
        shutil.copytree(SOURCE / "examples/factory", self.folder, dirs_exist_ok=True)
        readme = (SOURCE / "examples/factory/README.md").read_text()
        commands = re.findall(r"^gemel command (\w+) '(.*)'$", readme, re.M)
        self.assertEqual(["register_factory", "register_machine", "record_maintenance", "change_maintenance_rule"], [name for name, _ in commands])
        for name, body in commands:
            gemel("command", name, body, cwd=self.folder)
        for name, change in (("register_machine", {}), ("register_machine", {"machineId": 10001, "factoryId": 2}),
                             ("register_machine", {"machineId": 10001, "serialNumber": "none"}), ("record_maintenance", {"lastMaintenanceDate": "2026-11-19"})):
            gemel("command", name, json.dumps({**json.loads(dict(commands)[name]), **change}), cwd=self.folder, expect=1)
        self.assertEqual({"factories": 1, "machines": 2, "rules": 1}, {name: counts["created"] + counts["updated"] for name, counts in run_once(self.folder).items()})
        query = re.search(r'^gemel query "(.*)"$', readme, re.M).group(1).replace("\\$", "$")
        found = json.loads(gemel("query", query, "--json", cwd=self.folder))
        self.assertEqual({"$dtId": "machine-12345", "lastMaintenanceDate": "2026-11-20"}, found)
        rule = json.loads(gemel("query", "SELECT * FROM DIGITALTWINS WHERE $dtId = 'rule-7470-69'", "--json", cwd=self.folder))
        self.assertEqual(1, rule["maintenanceAdjustmentRequired"])

    def test_northwind_becomes_twins(self):
        script = SHARED / "lob/northwind.sql"
        if not script.is_file():
            self.skipTest("northwind.sql is not here")
        shutil.copytree(SOURCE / "examples/northwind", self.folder, dirs_exist_ok=True)
        database = sqlite3.connect(self.folder / "northwind.db")
        database.execute("PRAGMA synchronous = OFF")  # it is one statement a transaction
        database.executescript(script.read_text())
        database.close()
        counts = {name: (run["created"], run["parked"]) for name, run in run_once(self.folder).items()}
        self.assertEqual({
            "categories": (8, 0), "suppliers": (29, 0), "products": (77, 0), "customers": (93, 0), "shippers": (3, 0),
            "employees": (9, 0), "regions": (4, 0), "territories": (53, 0), "employee_territories": (49, 0),
            "orders": (830, 0), "order_details": (2155, 0)}, counts)
        for run in run_once(self.folder).values():
            self.assertEqual(0, run["created"] + run["updated"] + run["deleted"])


if __name__ == "__main__":
    unittest.main()
