#!/usr/bin/env python3
"""What sources deliver: tables, queries, watermarks, files in every wrapping, and values of every type."""
import gzip
import shutil
import sqlite3
import subprocess

import gemel
from gemel import csv_pipeline, jsonl_pipeline, sql_pipeline, table

NAMES = {"$dtId": "p-{id}", "$model": "dtmi:t:Part;1", "name": "name"}


class Sql(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string", "size": "integer"})

    def test_a_query_and_a_view_are_read_like_tables(self):
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO part VALUES (1, 'one'), (2, 'two');"
                           "CREATE VIEW parts AS SELECT id, upper(name) AS name FROM part")
        self.configure({"query": sql_pipeline({"url": "sqlite:erp.db", "query": "SELECT id, name || '!' AS name FROM part", "key": "id"},
                                              {**NAMES, "$dtId": "q-{id}"}),
                        "view": table("erp.db", "parts", "id", {**NAMES, "$dtId": "v-{id}"})})
        self.run_all()
        self.assertEqual({"q-1": "one!", "q-2": "two!", "v-1": "ONE", "v-2": "TWO"}, {key: twin["name"] for key, twin in self.twins().items()})

    def test_names_are_taken_as_they_are_written(self):
        self.sql("erp.db", 'CREATE TABLE "Order ""Details" ("a.b" TEXT, "Part No" INTEGER, PRIMARY KEY ("a.b", "Part No"));'
                           """INSERT INTO "Order ""Details" VALUES ('x', 1), ('x', 2)""")
        self.configure({"parts": table("erp.db", 'Order "Details', ["a.b", "Part No"], {
            "$dtId": "p-{[[a.b]]}-{Part No}", "$model": "dtmi:t:Part;1", "name": "[[a.b]]"})})
        self.assertEqual(2, self.run_pipeline("parts").created)
        self.assertEqual({"p-x-1", "p-x-2"}, set(self.twins()))

    def test_a_source_is_not_written_to(self):
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO part VALUES (1, 'one')")
        self.configure({"parts": sql_pipeline({"url": "sqlite:erp.db", "query": "DELETE FROM part RETURNING id, name", "key": "id"}, NAMES)})
        self.run_pipeline("parts", expect=None)
        self.configure({"parts": table("erp.db", "part", "id", NAMES)})
        self.assertEqual(1, self.run_pipeline("parts").read)

    def watermark(self, **more):
        self.configure({"parts": sql_pipeline({"url": "sqlite:erp.db", "table": "part", "key": "id", "watermark": "version"}, NAMES, **more)})

    def test_a_watermark_reads_what_is_newer_until_a_full_run_is_due(self):
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT, version INTEGER);"
                           "INSERT INTO part VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 20), (4, 'four', NULL)")
        self.watermark()
        self.assertEqual((4, 4, True), (lambda run: (run.read, run.created, run.complete))(self.run_pipeline("parts")))
        self.assertEqual((0, False), (lambda run: (run.read, run.complete))(self.run_pipeline("parts")))
        self.sql("erp.db", "UPDATE part SET name = 'eins', version = 21 WHERE id = 1; INSERT INTO part VALUES (5, 'five', 22); DELETE FROM part WHERE id = 2")
        run = self.run_pipeline("parts")
        self.assertEqual((2, 1, 1, 0), (run.read, run.created, run.updated, run.missing))
        self.sql("erp.db", "UPDATE part SET name = 'unseen' WHERE id = 3")
        self.assertEqual(0, self.run_pipeline("parts").read)
        self.watermark(full_every="1ns")
        full = self.run_pipeline("parts")
        self.assertEqual((4, 1, 1, True), (full.read, full.updated, full.missing, full.complete))
        self.assertEqual(1, self.run_pipeline("parts").deleted)
        self.assert_equal_to_source("parts")

    def test_an_older_version_does_not_overwrite_a_newer_one(self):
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT, version INTEGER); INSERT INTO part VALUES (1, 'new', 10)")
        self.watermark(full_every="1ns")
        self.run_pipeline("parts")
        self.sql("erp.db", "UPDATE part SET name = 'old', version = 9")
        run = self.run_pipeline("parts")
        self.assertEqual((1, 0), (run.stale, run.written))
        self.assertEqual({"name": "new"}, self.twin("p-1"))

    def test_a_changed_map_reads_everything_again(self):
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT, size INTEGER, version TEXT);"
                           "INSERT INTO part VALUES (1, 'one', 7, '2026-01-01 00:00:00'), (2, 'two', 8, '2026-01-02T00:00:00Z')")
        self.watermark()
        self.run_pipeline("parts")
        self.configure({"parts": sql_pipeline({"url": "sqlite:erp.db", "table": "part", "key": "id", "watermark": "version"},
                                              {**NAMES, "size": "size"})})
        self.assertEqual((2, 2), (lambda run: (run.read, run.updated))(self.run_pipeline("parts")))
        self.assertEqual({"name": "one", "size": 7}, self.twin("p-1"))

    def test_a_column_that_is_not_there_is_named_with_the_nearest(self):
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO part VALUES (1, 'one')")
        for settings, words in (({"table": "prat", "key": "id"}, ("prat", "part")), ({"table": "part", "key": "idd"}, ("idd", "`id`")),
                                ({"query": "SELEKT 1", "key": "id"}, ("SELEKT",)), ({"table": "part", "key": "id", "watermark": "x"}, ("`x`",))):
            with self.subTest(settings=settings):
                self.configure({"parts": sql_pipeline({"url": "sqlite:erp.db", **settings}, NAMES)})
                run = self.run_pipeline("parts", expect=gemel.FAILED)
                for word in words:
                    self.assertIn(word, str(run.error))
        self.configure({"parts": table("erp.db", "part", "id", {**NAMES, "name": "nmae"})})
        self.assertIn("name", str(self.run_pipeline("parts", expect=gemel.FAILED).error))

    def test_a_source_that_is_locked_or_no_database_fails_after_its_attempts(self):
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO part VALUES (1, 'one')")
        pipeline = sql_pipeline({"url": "sqlite:erp.db", "table": "part", "key": "id", "busy_timeout": "10ms"}, NAMES,
                                retry={"attempts": 3, "first": "1ms", "longest": "2ms"})
        self.configure({"parts": pipeline})
        holder = sqlite3.connect(self.folder / "erp.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        run = self.run_pipeline("parts", expect=gemel.FAILED)
        holder.close()
        self.assertEqual(3, run.report["attempts"])
        self.assertIn("locked", str(run.error))
        self.assertEqual(1, self.run_pipeline("parts").created)
        self.write("erp.db", "this is no database, and it is long enough for somebody to look at its head " * 20)
        self.assertIn("database", str(self.run_pipeline("parts", expect=gemel.FAILED).error))
        self.assertEqual({"p-1"}, set(self.twins()))


class Files(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string", "size": "double", "tags": {"@type": "Array", "elementSchema": "string"}})

    def csv(self, path, **settings):
        self.configure({"parts": csv_pipeline({"path": path, "key": "id", **settings}, NAMES)})

    def names(self):
        return {key: twin.get("name") for key, twin in self.twins().items()}

    def test_the_grammar_of_csv(self):
        self.write("parts.csv", '\ufeff"id",name\r\n1,"a ""quoted"", name"\r\n\r\n2,"two\nlines"\r\n3,\r\n4,""\r\n5, padded \r\n6,Ä😀')
        self.csv("parts.csv")
        self.assertEqual((6, 6, 0), (lambda run: (run.read, run.created, run.parked))(self.run_pipeline("parts")))
        self.assertEqual({"p-1": 'a "quoted", name', "p-2": "two\nlines", "p-3": None, "p-4": "", "p-5": " padded ", "p-6": "Ä😀"}, self.names())
        self.assert_equal_to_source("parts")

    def test_dialects_of_csv(self):
        self.write("parts.csv", "1;'semi;colon';NULL\n2;b;'NULL'\n")
        self.configure({"parts": csv_pipeline(
            {"path": "parts.csv", "key": "id", "header": False, "columns": ["id", "name", "note"], "delimiter": ";", "quote": "'",
             "null_text": "NULL"}, {**NAMES, "name": {"template": "{name}/{note}"}})})
        self.run_pipeline("parts")
        self.assertEqual({"p-1": None, "p-2": "b/NULL"}, self.names())
        self.write("parts.csv", "id\tname\n1\ttab\n")
        self.csv("parts.csv", delimiter="tab")
        self.run_pipeline("parts")
        self.assertEqual("tab", self.names()["p-1"])

    def test_compressed_files_are_recognised_by_their_content(self):
        text = b"id,name\n1,one\n2,two\n"
        self.write("in/a.csv", gzip.compress(text))
        self.write("in/b.csv", text.replace(b"1,one", b"3,three").replace(b"2,two", b"4,four"))
        expected = {"p-1", "p-2", "p-3", "p-4"}
        if shutil.which("zstd"):
            squeezed = subprocess.run(["zstd", "-q", "-c"], input=text.replace(b"1,one", b"5,five"), capture_output=True, check=True, timeout=20)
            self.write("in/c.zst", squeezed.stdout)
            self.write("in/d.csv", gzip.compress(b"id,name\n6,six\n") + gzip.compress(b"7,seven\n"))
            expected |= {"p-5", "p-6", "p-7"}
        self.csv("in")
        run = self.run_pipeline("parts", expect=gemel.DONE)
        self.assertEqual(0, run.parked)
        self.assertEqual(expected, set(self.names()))

    def test_a_compressed_file_that_is_cut_short_fails_the_run(self):
        whole = gzip.compress("id,name\n".encode() + b"".join(b"%d,%d\n" % (i, i * 7919) for i in range(1, 5000)))
        self.write("parts.csv.gz", whole)
        self.csv("parts.csv.gz")
        self.run_pipeline("parts")
        self.write("parts.csv.gz", whole[:len(whole) // 2])
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace('"sink": "twins"', '"sink": "twins", "retry": {"attempts": 1}'))
        run = self.run_pipeline("parts", expect=gemel.FAILED)
        self.assertEqual((False, 0), (run.complete, run.missing))
        self.assertEqual(4999, len(self.names()))

    def test_a_half_written_line_fails_the_run_and_is_read_whole_by_the_next(self):
        self.csv("parts.csv")
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace('"sink": "twins"', '"sink": "twins", "retry": {"attempts": 1}'))
        self.write("parts.csv", 'id,name\n1,one\n2,"tw')
        run = self.run_pipeline("parts", expect=gemel.FAILED)
        self.assertIn("middle of line 3", str(run.error))
        self.write("parts.csv", 'id,name\n1,one\n2,"two"\n')
        self.assertEqual(1, self.run_pipeline("parts").created)
        self.assertEqual({"p-1": "one", "p-2": "two"}, self.names())

    def test_a_folder_is_the_complete_state(self):
        for name in ("a", "b"):
            self.write(f"in/{name}.csv", f"id,name\n{name},x\n")
        self.write("in/.hidden.csv", "id,name\nh,x\n")
        self.write("in/c.csv.part", "id,name\np,x\n")
        self.csv("in")
        self.run_pipeline("parts")
        self.assertEqual({"p-a", "p-b"}, set(self.names()))
        (self.folder / "in/b.csv").unlink()
        self.run_pipeline("parts")
        self.assertEqual(1, self.run_pipeline("parts").deleted)
        (self.folder / "in/a.csv").unlink()
        for _ in range(3):
            run = self.run_pipeline("parts", expect=None)
        self.assertEqual((0, {"p-a"}), (run.deleted, set(self.names())))

    def test_a_folder_that_is_not_there_deletes_nothing(self):
        self.write("in/a.csv", "id,name\na,x\n")
        self.csv("in")
        self.run_pipeline("parts")
        shutil.rmtree(self.folder / "in")
        run = self.run_pipeline("parts", expect=gemel.FAILED)
        self.assertIn("in", str(run.error))
        self.assertEqual({"p-a"}, set(self.names()))

    def test_a_pattern_chooses_files(self):
        self.write("in/orders-1.csv", "id,name\n1,x\n")
        self.write("in/orders-2.csv", "id,name\n2,x\n")
        self.write("in/stock-3.csv", "id,name\n3,x\n")
        self.csv("in/orders-[12].csv")
        self.run_pipeline("parts")
        self.assertEqual({"p-1", "p-2"}, set(self.names()))

    def test_archived_files_are_increments(self):
        self.write("in/1.csv", "id,name\n1,one\n2,two\n")
        self.csv("in", archive="done")
        self.assertEqual(2, self.run_pipeline("parts").created)
        self.assertEqual([], list((self.folder / "in").iterdir()))
        self.assertEqual(["1.csv"], [path.name for path in (self.folder / "done").iterdir()])
        self.assertEqual((0, 0), (lambda run: (run.read, run.missing))(self.run_pipeline("parts")))
        self.write("in/1.csv", "id,name\n2,zwei\n")
        run = self.run_pipeline("parts")
        self.assertEqual((1, 0), (run.updated, run.missing))
        self.assertEqual(2, len(list((self.folder / "done").iterdir())))
        self.assertEqual({"p-1": "one", "p-2": "zwei"}, self.names())

    def test_a_failed_run_archives_nothing(self):
        self.write("in/1.csv", "id,name\n1,one\n")
        self.write("in/2.csv", "key,name\n1,one\n")
        self.csv("in", archive="done")
        self.run_pipeline("parts", expect=gemel.FAILED)
        self.assertEqual({"1.csv", "2.csv"}, {path.name for path in (self.folder / "in").iterdir()})

    def test_json_lines_with_paths_and_arrays(self):
        self.write("parts.jsonl", [{"head": {"id": "a.1"}, "name": "x", "size": 2, "tags": ["u", "v"]}, {"head": {"id": 7}, "size": 2.5}])
        self.configure({"parts": jsonl_pipeline({"path": "parts.jsonl", "key": "head.id"}, {
            "$dtId": "p-{head.id}", "$model": "dtmi:t:Part;1", "name": "name", "size": "size", "tags": "tags"})})
        self.run_pipeline("parts")
        self.assertEqual({"p-a.1": {"name": "x", "size": 2.0, "tags": ["u", "v"]}, "p-7": {"size": 2.5}}, self.twins())
        self.write("parts.jsonl", [{"head": {"id": "a.1"}, "name": None, "tags": []}, {"head": {"id": 7}, "size": 2.5}])
        self.assertEqual((1, 1), (lambda run: (run.updated, run.unchanged))(self.run_pipeline("parts")))
        self.assertEqual({"tags": []}, self.twin("p-a.1"))

    def test_documents_in_the_sinks_form_need_no_map(self):
        self.model("Room", {"name": "string"}, relationships={"next": {"length": "double"}})
        head = {"$metadata": {"$model": "dtmi:t:Room;1"}}
        self.write("rooms.jsonl", [{"$dtId": "a", **head, "name": "A", "$relationships": [{"$relationshipName": "next", "$targetId": "b", "length": 2}]},
                                   {"$dtId": "b", **head, "name": "B"}])
        self.configure({"rooms": {"source": {"jsonl": {"path": "rooms.jsonl", "key": "$dtId"}}, "sink": "twins"}})
        self.assertEqual(2, self.run_pipeline("rooms").created)
        self.assertEqual({("a", "next", "b"): {"length": 2}}, self.relationships())
        self.assert_equal_to_source("rooms")
        self.write("rooms.jsonl", [{"$dtId": "a", **head}, {"$dtId": "b", **head, "name": "B"}])
        self.assertEqual(1, self.run_pipeline("rooms").updated)
        self.assertEqual(({"a": {}, "b": {"name": "B"}}, {}), (self.twins(), self.relationships()))
        self.assert_equal_to_source("rooms")

    def test_steps_filter_and_reshape(self):
        self.write("parts.jsonl", [{"id": 1, "name": "A", "old": False}, {"id": 2, "name": "B", "old": True}, {"id": 3, "name": "C", "old": False}])
        self.configure({"parts": jsonl_pipeline({"path": "parts.jsonl", "key": "id"}, NAMES, steps=[
            {"filter": "old = false"}, {"jq": 'if .id == 3 then empty else .name |= ascii_downcase end'}])})
        run = self.run_pipeline("parts")
        self.assertEqual((3, 2, 1), (run.read, run.filtered, run.created))
        self.assertEqual({"p-1": "a"}, self.names())


class Types(gemel.Case):
    SCHEMAS = {
        "flag": "boolean", "small": "integer", "large": "long", "single": "float", "price": "double", "text": "string", "day": "date",
        "moment": "dateTime", "clock": "time", "span": "duration", "place": "point",
        "state": {"@type": "Enum", "valueSchema": "integer", "enumValues": [{"name": "on", "enumValue": 1}, {"name": "off", "enumValue": 2}]},
        "box": {"@type": "Object", "fields": [{"name": "w", "schema": "double"}, {"name": "h", "schema": "double"}]},
        "limits": {"@type": "Map", "mapKey": {"name": "k", "schema": "string"}, "mapValue": {"name": "v", "schema": "integer"}},
        "tags": {"@type": "Array", "elementSchema": "string"},
    }
    TEXTS = {"flag": "yes", "small": "-7", "large": "9007199254740993", "single": "0.5", "price": "12.50", "text": "Grüße", "day": "2026-07-04",
             "moment": "2026-07-04 10:00:00", "clock": "10:00:00", "span": "P1DT2H", "place": '{"type": "Point", "coordinates": [8.5, 47.25]}',
             "state": "2", "box": '{"w": 1, "h": 2.5}', "limits": '{"b": 2, "a": 1}', "tags": '["x", "y"]'}
    VALUES = {"flag": True, "small": -7, "large": 9007199254740993, "single": 0.5, "price": 12.5, "text": "Grüße", "day": "2026-07-04",
              "moment": "2026-07-04T10:00:00Z", "clock": "10:00:00Z", "span": "P1DT2H", "place": {"type": "Point", "coordinates": [8.5, 47.25]},
              "state": 2, "box": {"w": 1.0, "h": 2.5}, "limits": {"a": 1, "b": 2}, "tags": ["x", "y"]}

    def setUp(self):
        super().setUp()
        self.model("All", self.SCHEMAS)
        self.mapping = {"$dtId": "{id}", "$model": "dtmi:t:All;1", **{name: name for name in self.SCHEMAS}}
        self.sql("erp.db", f"CREATE TABLE t (id TEXT PRIMARY KEY, {', '.join(self.SCHEMAS)})")
        self.configure({"all": table("erp.db", "t", "id", self.mapping)})

    def insert(self, key, values):
        names = ["id", *values]
        self.sql("erp.db", f"INSERT OR REPLACE INTO t ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", (key, *values.values()))

    def test_texts_become_every_type_strictly(self):
        self.insert("t1", self.TEXTS)
        run = self.run_pipeline("all")
        self.assertEqual(1, run.created, self.letters())
        self.assertEqual(self.VALUES, self.twin("t1"))
        self.assert_equal_to_source("all")

    def test_values_of_the_database_become_every_type(self):
        self.insert("t1", {**self.TEXTS, "flag": 1, "small": -7, "large": 9007199254740993, "single": 0.5, "price": 12.5, "state": 2})
        self.run_pipeline("all")
        self.assertEqual(self.VALUES, self.twin("t1"))

    def test_json_values_become_every_type(self):
        self.write("all.jsonl", [{"id": "t1", **self.VALUES, "moment": "2026-07-04T12:00:00+02:00"}])
        self.configure({"all": jsonl_pipeline({"path": "all.jsonl", "key": "id"}, self.mapping)})
        self.run_pipeline("all")
        self.assertEqual({**self.VALUES, "moment": "2026-07-04T12:00:00+02:00"}, self.twin("t1"))

    def test_null_removes_each_property(self):
        self.insert("t1", self.TEXTS)
        self.run_pipeline("all")
        self.sql("erp.db", "UPDATE t SET " + ", ".join(f"{name} = NULL" for name in self.SCHEMAS))
        self.assertEqual(1, self.run_pipeline("all").updated)
        self.assertEqual({}, self.twin("t1"))
        self.assert_equal_to_source("all")

    def test_what_does_not_convert_is_parked_and_says_what_was_expected(self):
        wrong = {"flag": "maybe", "small": "2147483648", "large": "9223372036854775808", "single": "1,5", "price": "12,50", "day": "04.07.2026",
                 "moment": "2026-13-01 00:00:00", "clock": "25:00:00", "span": "1 day", "place": '{"type": "Point"}', "state": "3", "box": '{"w": 1',
                 "limits": '{"a": "x"}', "tags": "x,y"}
        for name, value in wrong.items():
            self.insert(name, {**self.TEXTS, name: value})
        self.insert("good", self.TEXTS)
        run = self.run_pipeline("all", expect=None)
        self.assertEqual((1, len(wrong)), (run.created, run.parked))
        for letter in self.letters():
            with self.subTest(property=letter["key"]):
                self.assertIn(letter["key"], letter["error"])

    def test_locale_has_no_say(self):
        self.insert("t1", self.TEXTS)
        self.run_pipeline("all", env={"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "Asia/Tokyo"})
        self.assertEqual(self.VALUES, self.twin("t1"))

    def test_maps_values_templates_constants_and_defaults(self):
        self.insert("t1", {"text": "Chef Anton's Mix", "state": "N", "tags": " a ;; b ", "small": 5})
        self.configure({"all": table("erp.db", "t", "id", {
            "$dtId": "x-{text|slug}-{small}", "$model": "dtmi:t:All;1", "text": {"template": "{{{text}}}"}, "large": {"value": 3},
            "state": {"from": "state", "values": {"Y": 1, "N": 2}}, "tags": {"from": "tags", "split": ";"},
            "price": {"from": "price", "default": 9.5}, "box": {"object": {"w": "small"}}})})
        self.run_pipeline("all")
        self.assertEqual({"x-chef-anton-s-mix-5": {"text": "{Chef Anton's Mix}", "large": 3, "state": 2, "tags": ["a", "b"], "price": 9.5,
                                                   "box": {"w": 5.0}}}, self.twins())


if __name__ == "__main__":
    gemel.main()
