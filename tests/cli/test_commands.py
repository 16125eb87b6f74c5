#!/usr/bin/env python3
"""The command line: exit codes, help, output for machines, and what commands do to the graph."""
import json
import os
import re
import signal
import subprocess
import unittest

import gemel
from gemel import table

GRID = gemel.SHARED / "graph/energy-grid-import.ndjson"
COMMANDS = ["run", "check", "plan", "status", "runs", "runs show", "runs approve", "dead-letters list", "dead-letters show",
            "dead-letters redrive", "dead-letters drop", "verify", "forget", "query", "history", "changes", "trace", "waiting",
            "routes", "routes put", "routes delete", "routes letters", "routes redrive", "routes drop", "models",
            "models upload", "models show", "models decommission", "models delete", "streams", "streams check", "tail", "views", "views show", "views follow", "views rebuild", "append", "commands", "command", "import", "export", "token", "token new",
            "tls show", "tls export", "tls renew", "sample company", "sample factory", "connector list", "connector help", "schema", "reference"]
MAPPING = {"$dtId": "p-{id}", "$model": "dtmi:t:Part;1", "name": "name", "relationships": [{"name": "madeBy", "target": "m-{maker}"}]}


class Commands(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string"}, relationships=["madeBy"])
        self.model("Maker", {"name": "string"})
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name, maker); CREATE TABLE maker (id INTEGER PRIMARY KEY, name);"
                           "INSERT INTO part VALUES (1, 'one', 1), (2, 'two', 1), (3, 'three', 9); INSERT INTO maker VALUES (1, 'ACME')")
        self.configure({"parts": table("erp.db", "part", "id", MAPPING),
                        "makers": table("erp.db", "maker", "id", {"$dtId": "m-{id}", "$model": "dtmi:t:Maker;1", "name": "name"})})

    # ---- help and usage ----

    def test_help_names_every_command_and_each_has_help(self):
        done = self.gemel("--help")
        listed = re.findall(r"^  (\S+(?: \S+)?)  +\S", done.out, re.M)
        self.assertEqual(COMMANDS, listed)
        for command in listed:
            with self.subTest(command=command):
                text = self.gemel(*command.split(), "--help").out
                self.assertIn(f"usage: gemel {command}", text)
                self.assertIn("--json", text)
                self.assertEqual(text, self.gemel("help", *command.split()).out)
                for line in text.splitlines():
                    self.assertLessEqual(len(line), 132)

    def test_usage_errors_end_with_two_and_say_what_is_meant(self):
        for words, expected in ((["stauts"], "status"), (["dead-letters", "lst"], "list"), (["status", "--jsn"], "--json"), (["runs", "a", "b"], ""),
                                (["runs", "show"], ""), (["runs", "show", "x"], "run number"), (["query"], ""), (["verify", "prts"], "parts"),
                                (["run", "--once", "--pipeline", "prts"], "parts"), (["runs", "--limit"], "--limit"), (["runs", "--limit", "x"], "--limit"),
                                (["connector", "help", "slq"], "sql"), (["plan", "nothing-like-it"], ""), ([], "usage")):
            with self.subTest(words=words):
                done = self.gemel(*words, expect=gemel.USAGE)
                self.assertIn(expected, done.err + done.out)

    def test_connectors_and_reference_are_printed(self):
        self.assertEqual({"adt", "csv", "jsonl", "sql", "stream", "twins"}, {one["name"] for one in self.gemel("connector", "list", "--json").json()})
        for name in ("csv", "jsonl", "sql", "twins"):
            self.assertIn(name, self.gemel("connector", "help", name).out)
        pages = self.gemel("reference").out.split()
        for page in ("configuration", "commands"):
            self.assertIn(page, " ".join(pages))
            self.assertTrue(self.gemel("reference", page).out.startswith("# "))

    def test_the_schema_is_one_and_takes_what_check_takes(self):
        schema = self.gemel("schema").json()
        self.assertIn("$schema", schema)
        self.assertIn("pipelines", schema["properties"])
        text = json.dumps(schema)
        for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
            node = schema
            for step in reference.split("/"):
                node = node[step]
        try:
            import jsonschema
        except ImportError:
            return
        config = json.loads((self.folder / "gemel.yaml").read_text())
        jsonschema.validate(config, schema)
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate({**config, "concurency": 2}, schema)

    # ---- before anything ran ----

    def test_looking_before_anything_ran_says_so_and_makes_nothing(self):
        for command in (["status"], ["runs"], ["query", "SELECT * FROM DIGITALTWINS"], ["dead-letters", "list"], ["history", "p-1"], ["waiting"]):
            with self.subTest(command=command):
                done = self.gemel(*command, expect=None)
                self.assertNotEqual((gemel.DONE, ""), (done.code, done.out + done.err))
                self.assertFalse((self.folder / "data/store.db").exists())

    # ---- runs ----

    def test_every_json_output_is_json(self):
        self.run_all()
        for command in (["status"], ["runs"], ["runs", "parts", "--limit", "1"], ["runs", "show", "1"], ["dead-letters", "list"], ["waiting"],
                        ["trace", "p-1"], ["verify", "parts"], ["plan", "parts"], ["check"], ["schema"], ["connector", "list"], ["export", "x.ndjson"]):
            with self.subTest(command=command):
                self.gemel(*command, "--json").json()
        for command in (["query", "SELECT * FROM DIGITALTWINS"], ["history", "p-1"], ["plan"]):
            with self.subTest(command=command):
                self.assertTrue(self.gemel(*command, "--json").json_lines())

    def test_a_failed_run_ends_with_one_and_the_others_run_all_the_same(self):
        self.sql("erp.db", "DROP TABLE part")
        runs = self.run_all(expect=gemel.FAILED)
        self.assertEqual({"parts": "failed", "makers": "succeeded"}, {name: run.status for name, run in runs.items()})
        self.assertIn("part", self.gemel("status").out)
        self.assertIn("part", self.gemel("runs", "parts").out)

    def test_reports_are_listed_newest_first_and_kept(self):
        for _ in range(3):
            self.run_pipeline("makers")
        reports = self.gemel("runs", "makers", "--json").json()
        self.assertEqual([3, 2, 1], [report["num"] for report in reports])
        self.assertEqual([0, 0, 1], [report["counts"]["created"] for report in reports])
        shown = self.gemel("runs", "show", "1").out
        self.assertIn(reports[-1]["id"], shown)
        self.assertIn(reports[-1]["id"], self.gemel("runs", "show", "1", "--json").out)
        self.gemel("runs", "show", "99", expect=gemel.FAILED)

    def test_keep_runs_bounds_the_reports(self):
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace('"pipelines"', '"keep_runs": 2, "pipelines"', 1))
        for _ in range(4):
            self.run_pipeline("makers")
        self.assertEqual([4, 3], [report["num"] for report in self.gemel("runs", "makers", "--json").json()])

    def test_a_disabled_pipeline_does_not_run(self):
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace('"sink": "twins"', '"sink": "twins", "enabled": false', 1))
        self.assertEqual(["makers"], list(self.run_all()))

    def test_every_line_of_a_run_carries_its_id(self):
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace('"pipelines"', '"log": {"format": "json"}, "pipelines"', 1))
        run = self.run_pipeline("makers")
        lines = [json.loads(line) for line in self.log.splitlines()]
        done = [line for line in lines if "run.done" in line.values()]
        self.assertEqual([run.report["id"]], [line["run"] for line in done])

    # ---- plan ----

    def test_plan_tells_what_a_run_would_do_and_writes_nothing(self):
        plan = {one["pipeline"]: one for one in self.gemel("plan", "--json").json_lines()}
        self.assertEqual((3, 1), tuple(plan[name]["report"]["counts"]["created"] for name in ("parts", "makers")))
        self.assertEqual([], self.query("SELECT * FROM DIGITALTWINS"))
        self.assertEqual([], self.gemel("status", "--json").json()["pipelines"])
        self.run_all()
        self.sql("erp.db", "UPDATE part SET name = 'uno' WHERE id = 1; INSERT INTO part VALUES (4, 'four', 1); UPDATE part SET name = X'ff' WHERE id = 2")
        before = self.graph(), self.gemel("status", "--json").out, self.gemel("runs", "--json").out
        one = self.gemel("plan", "parts", "--json").json()
        self.assertEqual(1, one["report"]["counts"]["created"])
        self.assertEqual(["4"], [sample["key"] for sample in one["samples"]["created"]])
        self.assertIn("1", [sample["key"] for sample in one["samples"]["updated"]])
        self.assertEqual(before, (self.graph(), self.gemel("status", "--json").out, self.gemel("runs", "--json").out))
        text = self.gemel("plan", "parts").out
        for word in ("create 1", "update", "takes about"):
            self.assertIn(word, text)
        self.assertEqual(1, self.run_pipeline("parts").created)

    # ---- looking at the graph ----

    def test_queries_by_id_model_property_and_hop(self):
        self.run_all()
        self.assertEqual("one", self.query("SELECT T.name FROM DIGITALTWINS T WHERE T.$dtId = 'p-1'")[0]["name"])
        self.assertEqual({"p-1", "p-2", "p-3"}, {twin["$dtId"] for twin in self.query("SELECT * FROM digitaltwins WHERE IS_OF_MODEL('dtmi:t:Part;1')")})
        self.assertEqual(["p-2"], [twin["$dtId"] for twin in self.query("SELECT * FROM digitaltwins T WHERE T.name = 'two'")])
        hop = self.query("SELECT P.name FROM DIGITALTWINS P JOIN M RELATED P.madeBy WHERE M.$dtId = 'm-1'")
        self.assertEqual({"one", "two"}, {row["name"] for row in hop})
        self.assertEqual([{"COUNT": 4}], self.query("SELECT COUNT() FROM DIGITALTWINS"))
        wrong = self.gemel("query", "SELECT * FORM DIGITALTWINS", expect=gemel.USAGE)
        self.assertIn("line 1", wrong.err)

    def test_a_query_pages(self):
        self.run_all()
        text = "SELECT * FROM DIGITALTWINS"
        seen, words = [], []
        for _ in range(10):
            done = self.gemel("query", text, *words, "--limit", "1", "--json")
            seen += [twin["$dtId"] for twin in done.json_lines() if "$dtId" in twin]
            token = re.search(r"--next '(.*)'", done.err)
            if not token:
                break
            words = ["--next", token.group(1)]
        self.assertEqual(["m-1", "p-1", "p-2", "p-3"], sorted(seen))

    def test_history_and_trace_of_what_is_not_there(self):
        self.run_all()
        self.gemel("history", "nobody", expect=gemel.FAILED)
        self.gemel("trace", "nobody", expect=gemel.FAILED)
        self.assertIn("p-3", self.gemel("waiting").out)

    # ---- import and export ----

    @unittest.skipUnless(GRID.is_file(), "the energy grid is not here")
    def test_the_energy_grid_goes_in_and_comes_out_equal(self):
        self.gemel("import", GRID)
        self.gemel("export", "out.ndjson")

        def sections(path):
            found, name = {}, None
            for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
                if list(line) == ["Section"]:
                    name = line["Section"]
                else:
                    line.pop("$etag", None)
                    metadata = line.get("$metadata", {})
                    line["$metadata"] = {"$model": metadata.get("$model")}
                    found.setdefault(name, []).append(json.dumps(line, sort_keys=True))
            return {name: sorted(lines) for name, lines in found.items() if name != "Header"}

        given, got = sections(GRID), sections(self.folder / "out.ndjson")
        got["Models"] = [line for line in got["Models"] if "dtmi:t:" not in line]
        self.assertEqual(given, got)
        again = self.gemel("import", GRID, "--json").json()
        self.assertEqual(0, again["failed"])
        first = self.graph()
        self.gemel("import", "out.ndjson", "--data", "other")
        self.gemel("export", "again.ndjson", "--data", "other")
        self.assertEqual(sections(self.folder / "out.ndjson")["Twins"], sections(self.folder / "again.ndjson")["Twins"])
        self.assertEqual(first, self.graph())

    def test_lines_that_cannot_be_imported_are_told_and_the_others_go_in(self):
        model = json.loads((self.folder / "models/Part.json").read_text())
        head = {"$metadata": {"$model": "dtmi:t:Part;1"}}
        self.write("in.ndjson", [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"}, model, {"Section": "Twins"},
                                 {"$dtId": "a", **head, "name": "A"}, {"$dtId": "b", **head, "name": 7}, {"$dtId": "c", **head, "name": "C"}])
        done = self.gemel("import", "in.ndjson", expect=gemel.FAILED)
        self.assertIn("7", done.err + done.out)
        self.assertEqual({"a", "c"}, set(self.twins()))
        self.write("no.ndjson", "this is none\n")
        self.gemel("import", "no.ndjson", expect=None)
        self.assertNotEqual(gemel.DONE, self.gemel("import", "missing.ndjson", expect=None).code)

    def test_an_export_that_fails_leaves_the_file_as_it_was(self):
        self.write("out.ndjson", "precious\n")
        (self.folder / "empty").mkdir()
        self.assertNotEqual(gemel.DONE, self.gemel("export", "out.ndjson", "--data", "empty", expect=None).code)
        self.assertEqual("precious\n", (self.folder / "out.ndjson").read_text())
        self.run_all()
        self.gemel("export", "out.ndjson")
        text = self.gemel("export").out
        self.assertEqual(text, (self.folder / "out.ndjson").read_text())
        self.assertEqual(text, self.gemel("export", "/dev/stdout").out)
        self.assertEqual([], list(self.folder.glob("*.part")))

    # ---- one process at a time ----

    def test_a_second_process_on_the_same_data_is_refused_and_readers_are_not(self):
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace('"sink": "twins"', '"sink": "twins", "schedule": "every 1h"'))
        with subprocess.Popen([gemel.PROGRAM, "run"], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
            try:
                for line in first.stdout:
                    if b"On schedule" in line:
                        break
                second = self.gemel("run", "--once", expect=gemel.ENVIRONMENT)
                self.assertIn(f"process {first.pid} holds it", second.err)
                self.assertEqual(4, len(self.query("SELECT * FROM DIGITALTWINS")))
                self.assertEqual(2, len(self.gemel("status", "--json").json()["pipelines"]))
                self.gemel("runs")
            finally:
                first.send_signal(signal.SIGTERM)
                _, log = first.communicate(timeout=30)
        self.assertEqual(0, first.returncode, log)
        self.run_all()

    def test_a_store_that_is_none_is_a_matter_of_the_environment(self):
        self.write("data", "a file")
        self.assertIn("is not a folder", self.gemel("run", "--once", expect=gemel.USAGE).err)
        (self.folder / "data").unlink()
        self.run_all()
        store = self.folder / "data/store.db"
        for left in (self.folder / "data").glob("store.db-*"):
            left.unlink()
        store.write_bytes(b"not a database " * 1000)
        self.gemel("run", "--once", expect=gemel.ENVIRONMENT)
        self.gemel("status", expect=gemel.ENVIRONMENT)

    def test_output_that_nobody_reads_is_no_success(self):
        self.run_all()
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([gemel.PROGRAM, "query", "SELECT * FROM DIGITALTWINS"], cwd=self.folder, stdout=full, stderr=subprocess.DEVNULL,
                                  timeout=30, check=False)
        self.assertEqual(gemel.ENVIRONMENT, done.returncode)


if __name__ == "__main__":
    gemel.main()
