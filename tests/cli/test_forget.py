#!/usr/bin/env python3
"""gemel forget: a pipeline whose keys changed, or that is gone."""
import gemel

ROW = {"$dtId": "p-{id}", "$model": "dtmi:t:P;1", "name": "name"}


class ForgetTest(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("P", {"name": "string"})
        self.sql("erp.db", "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT, name TEXT);"
                           "INSERT INTO p VALUES (1, 'A', 'Chai'), (2, 'B', 'Chang')")
        self.configure({"products": gemel.table("erp.db", "p", "id", ROW)})
        self.run_pipeline("products")

    def test_a_pipeline_with_other_keys_takes_its_twins_over(self):
        before = self.graph()
        self.configure({"products": gemel.table("erp.db", "p", "code", ROW)})
        self.assertEqual(2, self.run_all(expect=None)["products"].parked)
        self.gemel("forget", "products")
        run = self.run_pipeline("products")
        self.assertEqual((0, 0), (run.created, run.parked))
        self.assertEqual(before, self.graph())
        self.assertEqual([], self.letters())
        self.sql("erp.db", "DELETE FROM p WHERE id = 2")
        self.run_pipeline("products")
        self.assertEqual(1, self.run_pipeline("products").deleted)
        self.assertEqual(["p-1"], list(self.twins()))

    def test_delete_takes_what_nothing_else_delivers(self):
        self.gemel("forget", "products", "--delete")
        self.assertEqual({}, self.twins())
        self.assertEqual(2, self.run_pipeline("products").created)

    def test_a_pipeline_that_never_ran_is_named(self):
        done = self.gemel("forget", "produkts", expect=gemel.USAGE)
        self.assertIn("produkts", done.err)


if __name__ == "__main__":
    gemel.main()
