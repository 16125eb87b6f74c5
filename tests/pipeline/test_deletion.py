#!/usr/bin/env python3
"""Absence is not deletion: every gate between a missing row and a deleted twin."""
import gemel
from gemel import csv_pipeline, sql_pipeline, table

MAPPING = {"$dtId": "p-{id}", "$model": "dtmi:t:Part;1", "name": "name"}


class Deletion(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string"})
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT)")
        self.sql("erp.db", "INSERT INTO part VALUES (?, ?)", *[(i, f"part {i}") for i in range(1, 101)])
        self.use()

    def use(self, steps=None, query=None, **missing):
        source = {"url": "sqlite:erp.db", "key": "id", **({"query": query} if query else {"table": "part"})}
        more = {"missing": missing} if missing else {}
        self.configure({"parts": sql_pipeline(source, MAPPING, **({"steps": steps} if steps else {}), **more)})

    def delete(self, condition):
        self.sql("erp.db", f"DELETE FROM part WHERE {condition}")

    def run_parts(self, expect=gemel.DONE):
        return self.run_pipeline("parts", expect=expect)

    def assert_blocked(self, run, *words):
        self.assertEqual(("blocked", 0), (run.sweep, run.deleted))
        for word in words + (f"gemel runs approve {run.num}",):
            self.assertIn(word, run.reason)
        self.assertIn("deletion blocked", self.gemel("runs", "parts", "--limit", "1").out)

    def count(self):
        return len(self.twins())

    def test_a_source_that_is_empty_deletes_nothing(self):
        self.run_parts()
        self.delete("true")
        for _ in range(3):
            run = self.run_parts()
            self.assert_blocked(run, "no records at all")
            self.assertEqual(100, run.missing)
        self.assertEqual(100, self.count())

    def test_misses_are_counted_in_a_row(self):
        self.use(delete_after_runs=3)
        self.run_parts()
        self.delete("id = 1")
        states = [self.run_parts().sweep for _ in range(3)]
        self.assertEqual(["waiting", "waiting", "done"], states)
        self.assertEqual(99, self.count())

    def test_runs_that_fail_count_no_misses_and_delete_nothing(self):
        self.run_parts()
        self.delete("id = 1")
        self.run_parts()
        self.sql("erp.db", "ALTER TABLE part RENAME TO hidden")
        for _ in range(2):
            run = self.run_parts(expect=gemel.FAILED)
            self.assertEqual(("failed", False, 0, 0), (run.status, run.complete, run.missing, run.deleted))
        self.assertEqual(100, self.count())
        self.sql("erp.db", "ALTER TABLE hidden RENAME TO part")
        self.assertEqual(1, self.run_parts().deleted)

    def test_a_source_that_is_not_there_deletes_nothing(self):
        self.run_parts()
        (self.folder / "erp.db").rename(self.folder / "gone.db")
        run = self.run_parts(expect=gemel.FAILED)
        self.assertEqual("failed", run.status)
        self.assertFalse((self.folder / "erp.db").exists(), "a database was made where there was none")
        self.assertEqual(100, self.count())

    def test_too_large_a_share_blocks_until_it_is_approved(self):
        self.run_parts()
        self.delete("id <= 6")
        self.assertEqual("waiting", self.run_parts().sweep)
        blocked = self.run_parts()
        self.assert_blocked(blocked, "6 of 100", "dtmi:t:Part;1", "max_share 5 %")
        self.assertEqual(100, self.count())
        self.assert_blocked(self.run_parts())
        old = self.gemel("runs", "approve", blocked.num, expect=gemel.FAILED)
        self.assertIn("not the newest", old.err)
        newest = self.run_parts()
        self.assertEqual({"deleted": 6}, self.gemel("runs", "approve", newest.num, "--json").json())
        self.assertEqual(94, self.count())
        again = self.gemel("runs", "approve", newest.num, expect=gemel.FAILED)
        self.assertIn("approved", again.err)
        self.assertEqual(("none", 94), (self.run_parts().sweep, self.count()))
        self.assertEqual("approved", self.gemel("runs", "show", newest.num, "--json").json()["sweep"]["state"])

    def test_just_the_share_limit_passes(self):
        self.run_parts()
        self.delete("id <= 5")
        self.run_parts()
        self.assertEqual(5, self.run_parts().deleted)

    def test_the_share_is_taken_per_type(self):
        self.model("Screw", {"name": "string"})
        self.configure({"parts": table("erp.db", "part", "id", {
            "$dtId": "p-{id}", "$model": "dtmi:t:{kind};1", "name": "name"})})
        self.sql("erp.db", "ALTER TABLE part ADD COLUMN kind TEXT; UPDATE part SET kind = CASE WHEN id <= 10 THEN 'Screw' ELSE 'Part' END")
        self.run_parts()
        self.delete("id <= 3")
        self.run_parts()
        self.assert_blocked(self.run_parts(), "3 of 10", "dtmi:t:Screw;1")

    def test_one_object_may_always_go(self):
        self.delete("id > 3")
        self.run_parts()
        self.delete("id = 1")
        self.run_parts()
        self.assertEqual(1, self.run_parts().deleted)

    def test_min_age_keeps_what_is_missing_for_less(self):
        self.use(min_age="1h")
        self.run_parts()
        self.delete("id = 1")
        for _ in range(3):
            run = self.run_parts()
            self.assertEqual(("waiting", 0), (run.sweep, run.deleted))
        self.assertIn("min_age is 1h", run.reason)
        self.use(min_age="0")
        self.assertEqual(1, self.run_parts().deleted)

    def test_delete_false_keeps_everything(self):
        self.use(delete=False)
        self.run_parts()
        self.delete("id <= 50")
        for _ in range(3):
            self.assertEqual(("none", 0), (lambda run: (run.sweep, run.deleted))(self.run_parts()))
        self.assertEqual(100, self.count())

    def test_a_changed_query_deletes_nothing_until_it_is_approved(self):
        self.use(query="SELECT * FROM part")
        self.run_parts()
        self.use(query="SELECT * FROM part WHERE id > 2")
        for _ in range(3):
            run = self.run_parts()
            self.assert_blocked(run, "settings or the filters were changed", "2 objects are missing")
        self.assertEqual(100, self.count())
        self.assertEqual({"deleted": 2}, self.gemel("runs", "approve", run.num, "--json").json())
        self.assertEqual(98, self.count())
        self.delete("id = 3")
        self.assertEqual("waiting", self.run_parts().sweep)
        self.assertEqual(1, self.run_parts().deleted)

    def test_a_changed_filter_deletes_nothing_until_it_is_approved(self):
        self.run_parts()
        self.use(steps=[{"filter": "id > 2"}])
        first = self.run_parts()
        self.assertEqual(2, first.filtered)
        run = self.run_parts()
        self.assert_blocked(run, "settings or the filters were changed")
        self.gemel("runs", "approve", run.num)
        self.assertEqual(98, self.count())

    def test_what_a_filter_begins_to_leave_out_goes_like_what_is_missing(self):
        self.sql("erp.db", "ALTER TABLE part ADD COLUMN old INTEGER DEFAULT 0")
        self.use(steps=[{"filter": "old = 0"}])
        self.run_parts()
        self.sql("erp.db", "UPDATE part SET old = 1 WHERE id = 4")
        self.assertEqual(("waiting", 1), (lambda run: (run.sweep, run.missing))(self.run_parts()))
        self.assertEqual(1, self.run_parts().deleted)
        self.assertNotIn("p-4", self.twins())

    def test_a_changed_filter_that_is_taken_back_blocks_no_more(self):
        self.run_parts()
        self.use(steps=[{"filter": "id > 2"}])
        self.assert_blocked(self.run_parts())
        self.use()
        self.assertEqual("none", self.run_parts().sweep)
        self.delete("id = 1")
        self.assertEqual("waiting", self.run_parts().sweep)
        self.assertEqual(1, self.run_parts().deleted)

    def test_lines_that_hide_keys_block_deletion(self):
        lines = [f"{i},part {i}\n" for i in range(1, 41)]
        self.write("parts.csv", "id,name\n" + "".join(lines))
        self.configure({"parts": csv_pipeline({"path": "parts.csv", "key": "id"}, MAPPING)})
        self.run_parts()
        broken = lines[:6] + ['7,"part 7\n'] + lines[7:8] + ['9,"part 9\n'] + lines[9:]
        self.write("parts.csv", "id,name\n" + "".join(broken))
        for _ in range(3):
            run = self.run_parts()
            self.assert_blocked(run, "could not be read", "dead-letters list")
            self.assertEqual((3, 1), (run.missing, run.parked))
        self.assertEqual(40, self.count())
        letter, = self.letters()
        self.assertEqual(("line 8", 3), (letter["key"], letter["attempts"]))
        self.gemel("dead-letters", "redrive", "parts", "--all", expect=gemel.FAILED)
        self.write("parts.csv", "id,name\n" + "".join(lines))
        self.assertEqual(("none", 0), (lambda run: (run.sweep, run.written))(self.run_parts()))
        self.assertEqual([], self.letters())

    def test_a_row_whose_fields_are_shifted_does_not_stand_for_another_object(self):
        lines = [f"part {i},{i}\n" for i in range(1, 41)]
        self.write("parts.csv", "name,id\n" + "".join(lines))
        self.configure({"parts": csv_pipeline({"path": "parts.csv", "key": "id"}, MAPPING)})
        self.run_parts()
        self.write("parts.csv", "name,id\n" + "".join(["part,1,1\n", *lines[1:39]]))
        for _ in range(3):
            run = self.run_parts()
            self.assert_blocked(run, "could not be read")
        self.assertEqual((40, ["line 2"]), (self.count(), [letter["key"] for letter in self.letters()]))
        self.write("parts.csv", "name,id\n" + "".join(lines[:39]))
        self.run_parts()
        self.assertEqual(1, self.run_parts().deleted)
        self.assertIn("p-1", self.twins())

    def test_a_bad_cell_says_which_object_it_is_of_and_blocks_no_deletion(self):
        self.model("Part", {"name": "string", "size": "integer"})
        lines = [f"{i},part {i},{i}\n" for i in range(1, 41)]
        self.write("parts.csv", "id,name,size\n" + "".join(lines))
        self.configure({"parts": csv_pipeline({"path": "parts.csv", "key": "id", "types": {"size": "int"}}, {**MAPPING, "size": "size"})})
        self.run_parts()
        lines[6] = "7,part 7,many\n"
        self.write("parts.csv", "id,name,size\n" + "".join(lines[1:]))
        first = self.run_parts()
        self.assertEqual((1, "waiting"), (first.parked, first.sweep), first)
        self.assertEqual("7", self.letters()[0]["key"])
        self.assertEqual(1, self.run_parts().deleted)
        self.assertEqual({"name": "part 7", "size": 7}, self.twin("p-7"))

    def test_a_parked_object_is_not_missing(self):
        self.run_parts()
        self.sql("erp.db", "UPDATE part SET name = CAST(X'FF' AS TEXT) WHERE id = 9")
        for _ in range(3):
            run = self.run_parts()
            self.assertEqual((0, 0, 1), (run.missing, run.deleted, run.parked))
        self.assertEqual(100, self.count())

    def test_plan_lists_what_would_go(self):
        self.run_parts()
        self.delete("id = 1")
        self.run_parts()
        plan = self.gemel("plan", "parts", "--json").json()
        self.assertEqual(1, plan["report"]["counts"]["deleted"])
        self.assertEqual(["1"], [sample["key"] for sample in plan["samples"]["deleted"]])
        self.assertEqual(100, self.count())
        self.assertEqual(1, self.run_parts().deleted)

    def test_a_pipeline_that_leaves_the_configuration_deletes_nothing(self):
        self.run_parts()
        self.configure({"others": table("erp.db", "part", "id", {**MAPPING, "$dtId": "o-{id}"})})
        self.run_all()
        self.assertEqual(200, self.count())

    def test_a_thousand_may_go_at_once_when_it_is_approved(self):
        self.sql("erp.db", "INSERT INTO part VALUES (?, ?)", *[(i, "x") for i in range(1000, 2500)])
        self.run_parts()
        self.delete("id >= 1000")
        self.run_parts()
        run = self.run_parts()
        self.assert_blocked(run, "1500 of 1600")
        self.assertEqual({"deleted": 1500}, self.gemel("runs", "approve", run.num, "--json").json())
        self.assertEqual(100, self.count())
        self.assert_equal_to_source("parts")


if __name__ == "__main__":
    gemel.main()
