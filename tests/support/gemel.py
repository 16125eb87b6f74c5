"""What program tests share: a folder of its own for each test, sources and configurations in it, and the program.

    class Products(gemel.Case):
        def test_a_row_becomes_a_twin(self):
            self.model("Product", {"name": "string"})
            self.sql("erp.db", "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO p VALUES (1, 'Chai')")
            self.configure({"products": gemel.table("erp.db", "p", "id", {"$dtId": "p-{id}", "$model": "dtmi:t:Product;1", "name": "name"})})
            self.assertEqual(1, self.run_pipeline("products").created)
            self.assertEqual("Chai", self.twin("p-1")["name"])

    if __name__ == "__main__":
        gemel.main()

Configurations are given as Python values and written as JSON, which is YAML too; texts where lines and columns matter. The
program is called with a deadline always: a test that hangs fails.
"""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ.get("GEMEL", "gemel")
SOURCE = pathlib.Path(os.environ.get("GEMEL_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
SHARED = pathlib.Path(os.environ.get("GEMEL_TEST_SHARED", SOURCE / "../shared/data"))
DEADLINE_S = 60
# What is tested here is not the disk: a file system in memory spares its synced writes.
FOLDERS = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
SKIPPED = 77

DONE, FAILED, USAGE, ENVIRONMENT = 0, 1, 2, 3


class Done:
    """A command that ended: its exit code and what it printed, as bytes that are text."""

    def __init__(self, arguments, process):
        self.arguments = arguments
        self.code = process.returncode
        self.out = process.stdout.decode("utf-8", "replace")
        self.err = process.stderr.decode("utf-8", "replace")

    def json(self):
        """The one JSON value that it printed."""
        return json.loads(self.out)

    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        return f"gemel {' '.join(self.arguments)}: exit code {self.code}\n{self.out}\n{self.err}"


class Run:
    """A run's report: its counts are attributes."""

    def __init__(self, report):
        self.report = report
        self.num = report["num"]
        self.status = report["status"]
        self.complete = report["complete"]
        self.sweep = report["sweep"]["state"]
        self.reason = report["sweep"]["reason"] or ""
        self.sweep_count = report["sweep"]["count"]
        self.error = report["error"]
        self.counts = report["counts"]

    def __getattr__(self, name):
        try:
            return self.__dict__["counts"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def written(self):
        return self.created + self.updated + self.deleted

    def __str__(self):
        return json.dumps(self.report)


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gemel-test-", dir=FOLDERS))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    # ---- files ----

    def write(self, name, content):
        """Text or bytes; lists become JSON Lines."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, list):
            path.write_text("".join(json.dumps(line) + "\n" for line in content), encoding="utf-8")
        else:
            path.write_text(content, encoding="utf-8")
        return path

    def model(self, name, properties=None, relationships=(), **more):
        """dtmi:t:NAME;1 with properties (name → schema), relationships (names, or name → properties), and, as keywords,
        `components` (name → model's name) and further members of the interface."""
        contents = [{"@type": "Property", "name": key, "schema": schema} for key, schema in (properties or {}).items()]
        for key in relationships:
            contents.append({"@type": "Relationship", "name": key})
            if isinstance(relationships, dict):
                contents[-1]["properties"] = [{"@type": "Property", "name": member, "schema": schema}
                                              for member, schema in relationships[key].items()]
        for key, component in more.pop("components", {}).items():
            contents.append({"@type": "Component", "name": key, "schema": f"dtmi:t:{component};1"})
        self.write(f"models/{name}.json", json.dumps({
            "@context": "dtmi:dtdl:context;3", "@id": f"dtmi:t:{name};1", "@type": "Interface", "contents": contents, **more}))

    def sql(self, name, script, *rows):
        """Runs a script, or one statement for each of `rows`, on an SQLite file."""
        database = sqlite3.connect(self.folder / name)
        try:
            database.execute("PRAGMA synchronous = OFF")
            if rows:
                database.executemany(script, rows)
            else:
                database.executescript(script)
            database.commit()
        finally:
            database.close()

    def configure(self, pipelines, **settings):
        root = {"data": "./data", "models": "./models", "admin": {"enabled": False}, "api": {"enabled": False},
                "pipelines": pipelines, **settings}
        (self.folder / "models").mkdir(exist_ok=True)
        self.write("gemel.yaml", json.dumps(root, ensure_ascii=False, indent=1))

    # ---- the program ----

    def gemel(self, *arguments, expect=DONE, env=None, timeout=DEADLINE_S, input=None):
        """Runs it in the test's folder; `expect` is the exit code, None for any."""
        words = [str(argument) for argument in arguments]
        process = subprocess.run([PROGRAM, *words], cwd=self.folder, capture_output=True, timeout=timeout, check=False, input=input,
                                 env={**os.environ, **(env or {})})
        done = Done(words, process)
        if expect is not None and done.code != expect:
            self.fail(f"expected exit code {expect}; {done}")
        return done

    def run_all(self, *arguments, expect=DONE, env=None):
        """Every pipeline once: name → Run."""
        done = self.gemel("run", "--once", "--json", *arguments, expect=expect, env=env)
        self.log = done.err
        return {report["pipeline"]: Run(report) for report in done.json_lines()}

    def run_pipeline(self, name, expect=DONE, env=None):
        runs = self.run_all("--pipeline", name, expect=expect, env=env)
        self.assertEqual([name], list(runs))
        return runs[name]

    def query(self, text, *arguments):
        return self.gemel("query", text, "--limit", "0", "--json", *arguments).json_lines()

    def twins(self):
        """Id → properties, without what is the store's own."""
        return {twin["$dtId"]: {key: _bare(value) for key, value in twin.items() if not key.startswith("$")}
                for twin in self.query("SELECT * FROM DIGITALTWINS")}

    def twin(self, twin_id):
        return self.twins().get(twin_id)

    def relationships(self):
        """{(source, name, target): properties}"""
        return {(one["$sourceId"], one["$relationshipName"], one["$targetId"]):
                {key: value for key, value in one.items() if not key.startswith("$")}
                for one in self.query("SELECT * FROM RELATIONSHIPS")}

    def letters(self, *arguments):
        return self.gemel("dead-letters", "list", *arguments, "--limit", "0", "--json").json()

    def graph(self):
        """Everything that an export holds but for times: equal graphs are equal."""
        self.gemel("export", "graph.ndjson")
        lines = (self.folder / "graph.ndjson").read_text(encoding="utf-8").splitlines()
        return sorted(json.dumps(_timeless(json.loads(line)), sort_keys=True) for line in lines[1:])

    def assert_equal_to_source(self, pipeline):
        report = self.gemel("verify", pipeline, "--json").json()
        self.assertTrue(report["equal"], report)


def table(database, name, key, mapping, **more):
    """A pipeline that reads a table of an SQLite file; keywords are further settings of the pipeline."""
    return sql_pipeline({"url": f"sqlite:{database}", "table": name, "key": key}, mapping, **more)


def sql_pipeline(source, mapping, **more):
    return {"source": {"sql": source}, "map": mapping, "sink": "twins", **more}


def csv_pipeline(source, mapping, **more):
    return {"source": {"csv": source}, "map": mapping, "sink": "twins", **more}


def jsonl_pipeline(source, mapping, **more):
    return {"source": {"jsonl": source}, "map": mapping, "sink": "twins", **more}


def _bare(value):
    """A component without its $metadata."""
    if isinstance(value, dict):
        return {key: _bare(member) for key, member in value.items() if key != "$metadata"}
    return value


def _timeless(value):
    if isinstance(value, dict):
        return {key: _timeless(member) for key, member in value.items() if key not in ("$etag", "$lastUpdateTime", "lastUpdateTime")}
    if isinstance(value, list):
        return [_timeless(member) for member in value]
    return value


def main():
    """Like unittest.main(), with CTest's exit code for "skipped" when that is all that happened."""
    program = unittest.main(exit=False)
    result = program.result
    only_skipped = result.testsRun > 0 and len(result.skipped) == result.testsRun
    sys.exit(SKIPPED if only_skipped and result.wasSuccessful() else 0 if result.wasSuccessful() else 1)
