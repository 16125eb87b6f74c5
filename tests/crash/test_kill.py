#!/usr/bin/env python3
"""SIGKILL at any moment: the next undisturbed run makes the graph that a store has which nothing ever disturbed.

A dozen kills; GEMEL_LONG=1 makes it two hundred, GEMEL_KILLS=n any number. When to kill is told in commits of the run, not in
seconds, so that a slow machine kills runs as far on as a fast one does. GEMEL_SEED repeats a series (as far as threads repeat).
"""
import contextlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import time

import gemel
import pgserver
from commits import Commits

KILLS = int(os.environ.get("GEMEL_KILLS", "200" if os.environ.get("GEMEL_LONG") else "12"))
KILLS_IN_A_ROW_MAX = 4
POLL_S = 0.0005
SEED = int(os.environ.get("GEMEL_SEED") or random.SystemRandom().randrange(1 << 32))

SUPPLIERS, PRODUCTS, STOCK, WAREHOUSES, CUSTOMERS = 500, 15000, 4500, 300, 1000
TABLES = """
    CREATE TABLE suppliers (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
    CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, price REAL, supplier INTEGER, replaces INTEGER);
    CREATE TABLE stock (product INTEGER, warehouse INTEGER, quantity INTEGER, PRIMARY KEY (product, warehouse));
"""
EASY = {"missing": {"delete_after_runs": 1, "max_share": "100%"}}  # one run is enough to converge


def configuration(server):
    pipelines = {
        "suppliers": gemel.table("erp.db", "suppliers", "id", {
            "$dtId": "supplier-{id}", "$model": "dtmi:t:Supplier;1", "name": "name", "city": "city"}, **EASY),
        "products": gemel.table("erp.db", "products", "id", {
            "$dtId": "product-{id}", "$model": "dtmi:t:Product;1", "name": "name", "price": "price",
            "relationships": [{"name": "suppliedBy", "target": "supplier-{supplier}"},
                              {"name": "replaces", "target": "product-{replaces}"}]}, **EASY),
        "stock": gemel.table("erp.db", "stock", ["product", "warehouse"], {"relationship": {
            "name": "liesIn", "source": "product-{product}", "target": "warehouse-{warehouse}",
            "properties": {"quantity": "quantity"}}}, **EASY),
        "warehouses": gemel.csv_pipeline({"path": "warehouses.csv", "key": "id"}, {
            "$dtId": "warehouse-{id}", "$model": "dtmi:t:Warehouse;1", "name": "name", "area": "area"}, **EASY),
    }
    if server is not None:
        pipelines["customers"] = gemel.sql_pipeline({"url": server.url, "table": "customers", "key": "id"}, {
            "$dtId": "customer-{id}", "$model": "dtmi:t:Customer;1", "name": "name",
            "relationships": [{"name": "buys", "target": "product-{product}"}]}, **EASY)
    return pipelines


class World:
    """The sources, and what happens to their rows."""

    def __init__(self, folder, server, chance):
        self.folder, self.server, self.chance = folder, server, chance
        self.step = 0
        with self.database() as database:
            database.executescript(TABLES)
            database.executemany("INSERT INTO suppliers VALUES (?, ?, ?)", [self.supplier(i) for i in range(SUPPLIERS)])
            database.executemany("INSERT INTO products VALUES (?, ?, ?, ?, ?)", [self.product(i) for i in range(PRODUCTS)])
            database.executemany("INSERT OR IGNORE INTO stock VALUES (?, ?, ?)", [self.stock() for _ in range(STOCK)])
        self.write_warehouses()
        if server is not None:
            server.psql("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, product INTEGER)")
            self.write_customers()

    @contextlib.contextmanager
    def database(self):
        database = sqlite3.connect(self.folder / "erp.db")
        try:
            database.execute("PRAGMA synchronous = OFF")
            yield database
            database.commit()
        finally:
            database.close()

    def supplier(self, number):
        return number, f"supplier {number} Ümläut {self.step}", self.chance.choice(["Köln", "Łódź", "Oslo", None])

    def product(self, number):
        """Some suppliers and predecessors are not there; nothing replaces itself, which would be a dead letter."""
        other = (number + 1 + self.chance.randrange(PRODUCTS - 1)) % PRODUCTS
        return (number, f"product {number} of step {self.step}", self.chance.randrange(100000) / 100,
                self.chance.randrange(SUPPLIERS + 20), self.chance.choice([None, None, other]))

    def stock(self):
        return self.chance.randrange(PRODUCTS), self.chance.randrange(WAREHOUSES), self.chance.randrange(1000)

    def write_warehouses(self):
        count = self.chance.randrange(WAREHOUSES * 3 // 4, WAREHOUSES)
        rows = [f'{i},"warehouse ""{i}"", step {self.step if i % 5 == 0 else 0}",{i * 1.5}\n' for i in range(count)]
        temporary = self.folder / "warehouses.tmp"
        temporary.write_text("id,name,area\n" + "".join(rows), encoding="utf-8")
        temporary.rename(self.folder / "warehouses.csv")

    def write_customers(self):
        first = self.chance.randrange(100)
        rows = [f"{i}\tcustomer {i} {self.step if i % 7 == 0 else 0}\t{i * 3}\n" for i in range(first, first + CUSTOMERS)]
        self.server.psql("BEGIN;\nDELETE FROM customers;\nCOPY customers FROM STDIN;\n" + "".join(rows) + "\\.\nCOMMIT;\n")

    def change(self):
        """Rows come, change and go in every source; foreign keys move."""
        self.step += 1
        some = [self.chance.randrange(PRODUCTS) for _ in range(self.chance.choice([10, 1000, 5000]))]
        with self.database() as database:
            database.executemany("INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?, ?)", [self.product(i) for i in some])
            database.executemany("DELETE FROM products WHERE id = ?", [(self.chance.randrange(PRODUCTS),) for _ in range(300)])
            database.executemany("INSERT OR REPLACE INTO suppliers VALUES (?, ?, ?)",
                                 [self.supplier(self.chance.randrange(SUPPLIERS)) for _ in range(20)])
            database.executemany("DELETE FROM suppliers WHERE id = ?", [(self.chance.randrange(SUPPLIERS),) for _ in range(10)])
            database.executemany("INSERT OR REPLACE INTO stock VALUES (?, ?, ?)", [self.stock() for _ in range(300)])
            database.executemany("DELETE FROM stock WHERE product = ?", [(self.chance.randrange(PRODUCTS),) for _ in range(300)])
        self.write_warehouses()
        if self.server is not None:
            self.write_customers()


class Kill(gemel.Case):
    def setUp(self):
        super().setUp()
        print(f"{KILLS} kills; repeat with GEMEL_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.server = pgserver.start()
        if self.server is not None:
            self.addCleanup(self.server.stop)
        self.model("Supplier", {"name": "string", "city": "string"})
        self.model("Product", {"name": "string", "price": "double"}, {"suppliedBy": {}, "replaces": {}, "liesIn": {"quantity": "integer"}})
        self.model("Warehouse", {"name": "string", "area": "double"})
        self.model("Customer", {"name": "string"}, ["buys"])
        self.pipelines = configuration(self.server)
        self.configure(self.pipelines)
        self.world = World(self.folder, self.server, self.chance)

    def export(self, data):
        """The graph as text, without times and etags."""
        self.gemel("export", "graph.ndjson", "--data", data)
        text = (self.folder / "graph.ndjson").read_text(encoding="utf-8")
        return re.sub(r'"(\$etag|\$?lastUpdateTime)":"[^"]*"', r'"\1":""', text)

    def undisturbed(self):
        """The graph of a new store."""
        subprocess.run(["rm", "-rf", str(self.folder / "fresh")], check=True)
        self.run_all("--data", "fresh")
        return self.export("fresh")

    def start(self, data):
        with open(self.folder / "killed.log", "ab") as log:
            return subprocess.Popen([gemel.PROGRAM, "run", "--once", "--data", data], cwd=self.folder, stdout=log, stderr=log)

    def measure_a_run(self):
        """How many commits a run makes that nothing disturbs, and how long one takes."""
        commits, begin = Commits(self.folder / "measured"), time.monotonic()
        process = self.start("measured")
        while process.poll() is None:
            commits.look()
            time.sleep(POLL_S)
        self.assertEqual(gemel.DONE, process.returncode)
        self.assertGreater(commits.count, len(self.pipelines))
        self.commits_max, self.commit_s = commits.count, (time.monotonic() - begin) / commits.count

    def kill_a_run(self):
        """Somewhere behind one of its commits and before the next. True: it was under way."""
        target, pause_s = self.chance.randrange(self.commits_max), self.chance.random() * self.commit_s
        commits = Commits(self.folder / "data")
        process = self.start("data")
        while commits.look() < target and process.poll() is None:
            time.sleep(POLL_S)
        time.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        met = process.wait(gemel.DEADLINE_S) == -signal.SIGKILL
        if not met:  # later runs have less to do than the first
            self.commits_max = max(min(commits.look(), self.commits_max - 1), 1)
        return met

    def statuses(self):
        runs = self.gemel("runs", "--json", "--limit", "1000").json()
        return [run["status"] for run in runs], runs

    def check_store(self):
        database = sqlite3.connect(self.folder / "data/store.db")
        try:
            self.assertEqual([("ok",)], database.execute("PRAGMA quick_check").fetchall())
            self.assertEqual([], database.execute("""
                SELECT name, live_count FROM pipelines p WHERE live_count <>
                (SELECT count(*) FROM sync_state s WHERE s.pipeline = p.num AND s.state <> 5)""").fetchall())
            self.assertEqual(0, database.execute("SELECT count(*) FROM dead_letters").fetchone()[0])
        finally:
            database.close()

    def check_convergence(self, killed):
        reports = self.run_all()
        self.assertEqual({"succeeded"}, {run.status for run in reports.values()})
        self.assertEqual(self.undisturbed(), self.export("data"))
        self.check_store()
        for name in self.pipelines:
            self.assert_equal_to_source(name)
        statuses, runs = self.statuses()
        self.assertNotIn("running", statuses)
        self.assertLessEqual(statuses.count("interrupted"), killed * len(self.pipelines))
        for run in runs:
            if run["status"] == "interrupted":
                self.assertTrue(run["error"], run)
        again = self.run_all()
        self.assertEqual(0, sum(run.written for run in again.values()))

    def test_a_killed_run_leaves_nothing_that_the_next_does_not_mend(self):
        self.measure_a_run()
        kills = hits = 0
        while kills < KILLS:
            for _ in range(min(self.chance.randint(1, KILLS_IN_A_ROW_MAX), KILLS - kills)):
                hits += self.kill_a_run()
                kills += 1
                if self.chance.random() < 0.7:
                    self.world.change()
            self.check_convergence(kills)
            self.world.change()
        print(f"{hits} of {kills} kills met a run under way; {self.statuses()[0].count('interrupted')} runs were interrupted", flush=True)
        self.assertGreaterEqual(2 * hits, kills)


if __name__ == "__main__":
    gemel.main()
