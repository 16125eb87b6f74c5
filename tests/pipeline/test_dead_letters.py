#!/usr/bin/env python3
"""A bad record is parked alone, with its key; the others go on."""
import gemel
from gemel import csv_pipeline, jsonl_pipeline, table

ENUM = {"@type": "Enum", "valueSchema": "string", "enumValues": [{"name": "on", "enumValue": "on"}, {"name": "off", "enumValue": "off"}]}
MAPPING = {"$dtId": "p-{id}", "$model": "dtmi:t:Part;1", "name": "name", "size": "size", "state": "state"}


class DeadLetters(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string", "size": "double", "state": ENUM})
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name, size, state)")
        self.sql("erp.db", "INSERT INTO part VALUES (?, ?, ?, ?)", *[(i, f"part {i}", i / 2, "on") for i in range(1, 51)])
        self.use()

    def use(self, mapping=None, **errors):
        self.configure({"parts": table("erp.db", "part", "id", mapping or MAPPING, **({"errors": errors} if errors else {}))})

    def spoil(self, key, column, value):
        """`value`: SQL."""
        self.sql("erp.db", f"UPDATE part SET {column} = {value} WHERE id = {key}")

    def run_parts(self, expect=gemel.DONE):
        return self.run_pipeline("parts", expect=expect)

    def test_each_kind_of_bad_row_is_parked_alone(self):
        long_text = "x" * (10 << 20)
        bad = {3: ("size", "'12,50'", "column `size`: expected double, found `12,50`"),
               7: ("name", "CAST(X'ff41' AS TEXT)", "UTF-8"),
               11: ("name", "'a' || char(0) || 'b'", "NUL"),
               17: ("name", f"'{long_text}'", "10485760"),
               23: ("state", "'broken'", "broken"),
               31: ("size", "X'00ff'", "size"),
               50: ("size", "1e999", "size")}
        for key, (column, value, _) in bad.items():
            self.spoil(key, column, value)
        run = self.run_parts()
        self.assertEqual((50, 50 - len(bad), len(bad), "succeeded"), (run.read, run.created, run.parked, run.status))
        letters = {int(letter["key"]): letter for letter in self.letters("parts")}
        self.assertEqual(set(bad), set(letters))
        for key, (_, _, word) in bad.items():
            with self.subTest(key=key):
                self.assertIn(word, letters[key]["error"])
                self.assertLess(len(letters[key]["error"]), 1000)
                self.assertEqual(("part", "parked", 1), tuple(letters[key][name] for name in ("origin", "status", "attempts")))
        self.assertEqual({f"p-{i}" for i in range(1, 51)} - {f"p-{i}" for i in bad}, set(self.twins()))
        again = self.run_parts()
        self.assertEqual((0, len(bad), len(bad)), (again.written, again.parked, len(self.letters())))
        self.assertEqual({2}, {letter["attempts"] for letter in self.letters()})
        for key, (column, _, _) in bad.items():
            self.spoil(key, column, {"size": "4", "name": "'mended'", "state": "'off'"}[column])
        last = self.run_parts()
        self.assertEqual((len(bad), 0, []), (last.created, last.parked, self.letters()))
        self.assert_equal_to_source("parts")

    def test_a_cell_larger_than_a_record_may_be_is_parked_with_its_key(self):
        self.sql("erp.db", "UPDATE part SET name = zeroblob(20000000) WHERE id = 9")
        run = self.run_parts()
        self.assertEqual((49, 1), (run.created, run.parked))
        letter, = self.letters()
        self.assertEqual("9", letter["key"])
        self.assertIn("column `name` holds 20000000 bytes", letter["error"])

    def test_a_bad_update_leaves_the_twin_as_it_was_and_mending_it_supersedes_the_letter(self):
        self.run_parts()
        self.spoil(5, "size", "'huge'")
        run = self.run_parts()
        self.assertEqual((0, 1), (run.written, run.parked))
        self.assertEqual(2.5, self.twin("p-5")["size"])
        states = self.gemel("status", "--json").json()["pipelines"][0]["states"]
        self.assertEqual((1, 49), (states["dead"], states["completed"]))
        self.spoil(5, "size", "2.5")
        self.assertEqual((0, 0), (lambda run: (run.written, run.parked))(self.run_parts()))
        self.assertEqual([], self.letters())
        self.assertEqual(50, self.gemel("status", "--json").json()["pipelines"][0]["states"]["completed"])

    def test_a_row_that_goes_takes_its_letter_along(self):
        self.run_parts()
        self.spoil(5, "size", "'huge'")
        self.run_parts()
        self.sql("erp.db", "DELETE FROM part WHERE id = 5")
        self.run_parts()
        self.assertEqual(1, self.run_parts().deleted)
        self.assertEqual([], self.letters())

    def test_an_unknown_model_is_named_with_the_nearest(self):
        self.use({"$dtId": "p-{id}", "$model": "dtmi:t:{state};1", "name": "name"})
        self.sql("erp.db", "UPDATE part SET state = 'Part'; UPDATE part SET state = 'Prat' WHERE id = 2")
        run = self.run_parts()
        self.assertEqual(1, run.parked)
        self.assertIn("dtmi:t:Part;1", self.letters()[0]["error"])

    def test_a_key_that_comes_twice_is_parked_the_second_time(self):
        self.write("parts.csv", "id,name\n1,one\n2,two\n1,uno\n2,two\n")
        self.configure({"parts": csv_pipeline({"path": "parts.csv", "key": "id"}, {k: MAPPING[k] for k in ("$dtId", "$model", "name")})})
        for _ in range(2):
            run = self.run_parts()
            self.assertEqual(1, run.parked)
            self.assertEqual({"p-1": {"name": "one"}, "p-2": {"name": "two"}}, self.twins())
        letter, = self.letters()
        self.assertEqual(("1", 4), (letter["key"], letter["position"]))
        self.assertIn("came before in this run with other content", letter["error"])
        self.write("parts.csv", "id,name\n1,one\n2,two\n")
        self.assertEqual(0, self.run_parts().parked)
        self.assertEqual([], self.letters())

    def test_a_redrive_keeps_the_order_of_a_keys_letters(self):
        self.write("parts.csv", "id,name,size\n1,one,many\n2,two,2\n1,uno,3\n")
        source, mapping = {"path": "parts.csv", "key": "id"}, {k: MAPPING[k] for k in ("$dtId", "$model", "name", "size")}
        self.configure({"parts": csv_pipeline(source, mapping)})
        self.assertEqual((1, 2), (lambda run: (run.created, run.parked))(self.run_parts()))
        self.assertEqual([("1", 2), ("1", 4)], [(letter["key"], letter["position"]) for letter in self.letters()])
        last = self.letters()[1]["num"]
        done = self.gemel("dead-letters", "redrive", "parts", last, "--json", expect=gemel.FAILED).json()
        self.assertEqual({"applied": 0, "failed": 1, "held": 1}, done)
        self.assertIsNone(self.twin("p-1"))
        self.configure({"parts": csv_pipeline(source, {**mapping, "size": {"from": "size", "values": {"many": 100, "3": 3}}})})
        done = self.gemel("dead-letters", "redrive", "parts", "--all", "--json").json()
        self.assertEqual({"applied": 2, "failed": 0, "held": 0}, done)
        self.assertEqual({"name": "uno", "size": 3.0}, self.twin("p-1"))

    def test_an_id_that_no_twin_may_have_is_parked(self):
        self.sql("erp.db", "UPDATE part SET name = 'a b' WHERE id = 4; UPDATE part SET name = NULL WHERE id = 6")
        self.use({**MAPPING, "$dtId": "{name}"})
        self.sql("erp.db", "UPDATE part SET name = 'n' || id WHERE id NOT IN (4, 6)")
        self.assertEqual((48, 2), (lambda run: (run.created, run.parked))(self.run_parts()))
        self.assertEqual({"4", "6"}, {letter["key"] for letter in self.letters()})

    def test_show_tells_everything_of_a_letter(self):
        self.spoil(3, "size", "'many'")
        self.run_parts()
        letter, = self.letters()
        shown = self.gemel("dead-letters", "show", letter["num"], "--json").json()
        self.assertEqual({"id": 3, "name": "part 3", "size": "many", "state": "on"}, shown["record"])
        text = self.gemel("dead-letters", "show", letter["num"]).out
        for word in ("part:3", "many", "expected double"):
            self.assertIn(word, text)
        self.gemel("dead-letters", "show", "999", expect=gemel.FAILED)
        self.gemel("dead-letters", "show", "x", expect=gemel.USAGE)

    def test_redrive_applies_with_the_steps_as_they_are_now(self):
        self.spoil(3, "size", "'many'")
        self.spoil(4, "size", "'few'")
        self.run_parts()
        done = self.gemel("dead-letters", "redrive", "parts", "--all", "--json", expect=gemel.FAILED).json()
        self.assertEqual({"applied": 0, "failed": 2, "held": 0}, done)
        self.assertEqual({2}, {letter["attempts"] for letter in self.letters()})
        self.use({**MAPPING, "size": {"from": "size", "values": {"many": 100, "few": 3}}})
        done = self.gemel("dead-letters", "redrive", "parts", "--key", "3", "--json").json()
        self.assertEqual({"applied": 1, "failed": 0, "held": 0}, done)
        self.assertEqual(100.0, self.twin("p-3")["size"])
        num = self.letters()[0]["num"]
        self.gemel("dead-letters", "redrive", "parts", num)
        self.assertEqual(3.0, self.twin("p-4")["size"])
        self.assertEqual([], self.letters())

    def test_a_redriven_letter_is_part_of_the_twins_history(self):
        self.spoil(3, "size", "'many'")
        self.run_parts()
        self.use({**MAPPING, "size": {"from": "size", "values": {"many": 100}}})
        self.gemel("dead-letters", "redrive", "parts", "--all")
        origin = {one["path"]: one for one in self.gemel("trace", "p-3", "--json").json()}["/size"]
        self.assertEqual(("parts", "part", 3), (origin["pipeline"], origin["actor"], origin["position"]))

    def test_drop_throws_letters_away_and_the_next_run_parks_again(self):
        self.spoil(3, "size", "'many'")
        self.spoil(4, "size", "'few'")
        self.run_parts()
        num = self.letters("--key", "3")[0]["num"]
        self.assertEqual({"dropped": 1}, self.gemel("dead-letters", "drop", "parts", num, "--json").json())
        self.assertEqual(["4"], [letter["key"] for letter in self.letters()])
        self.assertEqual({"dropped": 1}, self.gemel("dead-letters", "drop", "parts", "--all", "--json").json())
        self.assertEqual(2, self.run_parts().parked)
        self.gemel("dead-letters", "drop", "parts", expect=gemel.USAGE)
        self.gemel("dead-letters", "drop", "parts", "999999", expect=gemel.FAILED)
        self.assertIn("did you mean `parts`", self.gemel("dead-letters", "drop", "prts", "--all", expect=gemel.USAGE).err)

    def test_the_breaker_stops_a_run_in_which_too_much_is_parked(self):
        self.sql("erp.db", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) "
                           "INSERT INTO part SELECT 100 + i, 'x', 'bad', 'on' FROM n")
        run = self.run_parts(expect=gemel.FAILED)
        self.assertEqual(("failed", False), (run.status, run.complete))
        self.assertIn("errors.stop_share", str(run.error))
        self.assertLess(len(self.letters()), 30000)
        self.assertEqual(50, len(self.twins()))

    def test_a_few_bad_rows_do_not_trip_the_breaker(self):
        self.sql("erp.db", "DELETE FROM part WHERE id > 3")
        self.spoil(2, "size", "'bad'")
        self.spoil(3, "size", "'bad'")
        self.assertEqual((1, 2), (lambda run: (run.created, run.parked))(self.run_parts()))

    def test_too_many_letters_stop_the_run(self):
        self.use(max_letters=3)
        for key in range(1, 6):
            self.spoil(key, "size", "'bad'")
        run = self.run_parts(expect=gemel.FAILED)
        self.assertEqual("failed", run.status)
        self.assertIn("max_letters", str(run.error))
        self.assertLessEqual(len(self.letters()), 3)

    def test_lines_of_json_that_are_none_are_parked_by_their_numbers(self):
        self.write("parts.jsonl", b'{"id": 1, "name": "one"}\n{"id": 2, "name": \n[1]\n{"name": "no key"}\n{"id": 5, "name": "f\xffve"}\n{"id": 6, "name": "six"}\n')
        self.configure({"parts": jsonl_pipeline({"path": "parts.jsonl", "key": "id"}, {k: MAPPING[k] for k in ("$dtId", "$model", "name")})})
        run = self.run_parts()
        self.assertEqual((2, 4), (run.created, run.parked))
        self.assertEqual([2, 3, 4, 5], [letter["position"] for letter in self.letters()])
        self.write("parts.jsonl", [{"id": key, "name": "n"} for key in range(1, 7)])
        self.assertEqual((4, 2, 0), (lambda run: (run.created, run.updated, run.parked))(self.run_parts()))
        self.assertEqual([], self.letters())

    def test_letters_page(self):
        for key in range(1, 11):
            self.spoil(key, "size", "'bad'")
        self.run_parts()
        first = self.gemel("dead-letters", "list", "--limit", "4", "--json").json()
        second = self.gemel("dead-letters", "list", "--limit", "20", "--after", first[-1]["num"], "--json").json()
        self.assertEqual([str(key) for key in range(1, 11)], [letter["key"] for letter in first + second])
        self.assertIn("expected double", self.gemel("dead-letters", "list").out)


if __name__ == "__main__":
    gemel.main()
