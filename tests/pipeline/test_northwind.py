#!/usr/bin/env python3
"""The thin thread: products, suppliers and categories of Northwind become twins, and stay in step."""
import functools
import shutil
import sqlite3
import unittest

import gemel

SCRIPT = gemel.SHARED / "lob/northwind.sql"
TABLES = ("Products", "Suppliers", "Categories")


@functools.cache
def statements():
    """The three tables alone: the whole script takes longer than all tests."""
    database = sqlite3.connect(":memory:")
    database.executescript(SCRIPT.read_text(encoding="utf-8"))
    script = []
    for name in TABLES:
        script.append(database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0])
    rows = {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in TABLES}
    database.close()
    return script, rows


@unittest.skipUnless(SCRIPT.is_file(), "northwind.sql is not here")
class Northwind(gemel.Case):
    def setUp(self):
        super().setUp()
        shutil.copytree(gemel.SOURCE / "examples/northwind/models", self.folder / "models")
        script, rows = statements()
        self.sql("northwind.db", ";".join(script))
        for name in TABLES:
            self.sql("northwind.db", f'INSERT INTO "{name}" VALUES ({",".join("?" * len(rows[name][0]))})', *rows[name])
        self.configure({
            "products": gemel.table("northwind.db", "Products", "ProductID", {
                "$dtId": "product-{ProductID}", "$model": "dtmi:northwind:Product;1", "name": "ProductName",
                "unitPrice": "UnitPrice", "unitsInStock": "UnitsInStock", "discontinued": "Discontinued",
                "relationships": [{"name": "inCategory", "target": "category-{CategoryID}"},
                                  {"name": "suppliedBy", "target": "supplier-{SupplierID}"}]}),
            "suppliers": gemel.table("northwind.db", "Suppliers", "SupplierID", {
                "$dtId": "supplier-{SupplierID}", "$model": "dtmi:northwind:Supplier;1", "name": "CompanyName",
                "address": {"object": {"street": "Address", "city": "City", "country": "Country"}}}),
            "categories": gemel.table("northwind.db", "Categories", "CategoryID", {
                "$dtId": "category-{CategoryID}", "$model": "dtmi:northwind:Category;1", "name": "CategoryName"}),
        })
        self.first = self.run_all()

    def test_one_run_makes_every_twin_and_relationship(self):
        self.assertEqual({"products": 77, "suppliers": 29, "categories": 8}, {name: run.created for name, run in self.first.items()})
        twins = self.twins()
        self.assertEqual(77 + 29 + 8, len(twins))
        self.assertEqual({"name": "Chai", "unitPrice": 18.0, "unitsInStock": 39, "discontinued": False}, twins["product-1"])
        self.assertEqual("London", twins["supplier-1"]["address"]["city"])
        relationships = self.relationships()
        self.assertEqual(2 * 77, len(relationships))
        self.assertIn(("product-1", "suppliedBy", "supplier-1"), relationships)
        self.assertEqual([], self.gemel("waiting", "--json").json())
        for pipeline in self.first:
            self.assert_equal_to_source(pipeline)

    def test_a_second_run_writes_nothing(self):
        before = self.gemel("query", "SELECT * FROM DIGITALTWINS", "--limit", "0").out
        for run in self.run_all().values():
            self.assertEqual((0, run.read), (run.written, run.unchanged))
        self.assertEqual(before, self.gemel("query", "SELECT * FROM DIGITALTWINS", "--limit", "0").out)

    def test_one_changed_row_writes_one_twin(self):
        self.sql("northwind.db", "UPDATE Products SET UnitPrice = 21 WHERE ProductID = 1")
        runs = self.run_all()
        self.assertEqual(1, sum(run.written for run in runs.values()))
        self.assertEqual((1, 76), (runs["products"].updated, runs["products"].unchanged))
        self.assertEqual(21.0, self.twin("product-1")["unitPrice"])
        changes = self.gemel("history", "product-1", "--json").json_lines()
        self.assertEqual([{"op": "replace", "path": "/unitPrice", "value": 21.0}], changes[0]["data"])
        before = self.gemel("history", "product-1", "--at", str(changes[1]["num"]), "--json").json()
        self.assertEqual((18.0, 2), (before["unitPrice"], len(before["$relationships"])))
        self.gemel("history", "nobody", "--at", "1", expect=gemel.FAILED)
        origins = {origin["path"]: origin for origin in self.gemel("trace", "product-1", "--json").json()}
        self.assertEqual(runs["products"].num, origins["/unitPrice"]["run"])
        self.assertEqual(self.first["products"].num, origins["/name"]["run"])
        self.assertEqual(("products", "Products", 1), tuple(origins["/unitPrice"][k] for k in ("pipeline", "actor", "position")))

    def test_a_foreign_key_that_moves_becomes_delete_and_create(self):
        self.sql("northwind.db", "UPDATE Products SET SupplierID = 7 WHERE ProductID = 1")
        self.assertEqual(1, self.run_pipeline("products").updated)
        relationships = self.relationships()
        self.assertEqual(2 * 77, len(relationships))
        self.assertIn(("product-1", "suppliedBy", "supplier-7"), relationships)
        self.assertNotIn(("product-1", "suppliedBy", "supplier-1"), relationships)
        change = self.gemel("history", "product-1", "--json").json_lines()[0]
        self.assertEqual({"remove", "add"}, {step["op"] for step in change["data"]})
        self.assert_equal_to_source("products")

    def test_a_foreign_key_that_becomes_null_removes_the_relationship(self):
        self.sql("northwind.db", "UPDATE Products SET SupplierID = NULL WHERE ProductID = 1")
        self.assertEqual(1, self.run_pipeline("products").updated)
        self.assertEqual(2 * 77 - 1, len(self.relationships()))

    def test_a_deleted_row_waits_and_is_deleted_by_the_second_run(self):
        self.sql("northwind.db", "DELETE FROM Products WHERE ProductID = 5")
        waits = self.run_pipeline("products")
        self.assertEqual((0, 1, "waiting"), (waits.deleted, waits.missing, waits.sweep))
        self.assertIn("1 of 2 runs", waits.reason)
        self.assertIsNotNone(self.twin("product-5"))
        done = self.run_pipeline("products")
        self.assertEqual((1, "done"), (done.deleted, done.sweep))
        self.assertIsNone(self.twin("product-5"))
        self.assertEqual(2 * 76, len(self.relationships()))
        self.assertEqual("delete", self.gemel("history", "product-5", "--json").json_lines()[0]["kind"])
        self.assert_equal_to_source("products")

    def test_a_row_that_comes_back_in_time_is_not_deleted(self):
        self.sql("northwind.db", "CREATE TABLE gone AS SELECT * FROM Products WHERE ProductID = 5; DELETE FROM Products WHERE ProductID = 5")
        self.run_pipeline("products")
        self.sql("northwind.db", "INSERT INTO Products SELECT * FROM gone")
        self.assertEqual(0, self.run_pipeline("products").written)
        self.sql("northwind.db", "DELETE FROM Products WHERE ProductID = 5")
        again = self.run_pipeline("products")
        self.assertEqual((0, "waiting"), (again.deleted, again.sweep))

    def test_verify_names_what_differs_and_its_artifact_can_be_checked(self):
        report = self.gemel("verify", "products", "--json").json()
        self.assertEqual((True, 77, 77), (report["equal"], report["source_count"], report["sink_count"]))
        self.assertTrue(self.gemel("verify", "products", "--check", report["artifact"], "--json").json()["same"])
        self.sql("northwind.db", "UPDATE Products SET UnitPrice = 1 WHERE ProductID = 2; DELETE FROM Products WHERE ProductID = 3;"
                                 "INSERT INTO Products (ProductID, ProductName, Discontinued) VALUES (900, 'New', 0)")
        differs = self.gemel("verify", "products", "--json", expect=gemel.FAILED).json()
        found = {(one["kind"], one["key"]) for one in differs["differences"]}
        self.assertEqual({("different", "2"), ("extra", "3"), ("missing", "900")}, found)
        self.run_pipeline("products")
        moved = self.gemel("verify", "products", "--check", report["artifact"], "--json", expect=gemel.FAILED).json()
        self.assertEqual((True, False), (moved["sealed"], moved["same"]))
        artifact = self.folder / report["artifact"]
        artifact.write_text(artifact.read_text().replace("77", "78", 1))
        broken = self.gemel("verify", "products", "--check", report["artifact"], "--json", expect=gemel.FAILED).json()
        self.assertFalse(broken["sealed"])


if __name__ == "__main__":
    gemel.main()
