#!/usr/bin/env python3
"""Who owns what: pipelines share twins, relationships wait for their ends, and what others made stays."""
import json
import shutil

import gemel
from gemel import table


class Ownership(gemel.Case):
    def make_shared_machine(self, **second):
        """Two tables that each know a part of every machine: also of its component `drive`."""
        self.model("Drive", {"rpm": "integer", "oil": "double"})
        self.model("Machine", {"name": "string", "cost": "double"}, components={"drive": "Drive", "spare": "Drive"})
        self.sql("erp.db", "CREATE TABLE a (id TEXT PRIMARY KEY, name TEXT, rpm INTEGER); CREATE TABLE b (id TEXT PRIMARY KEY, cost REAL, oil REAL);"
                           "INSERT INTO a VALUES ('m1', 'Press', 900); INSERT INTO b VALUES ('m1', 12.5, 0.5)")
        head = {"$dtId": "{id}", "$model": "dtmi:t:Machine;1"}
        self.configure({
            "a": table("erp.db", "a", "id", {**head, "name": "name", "drive": {"object": {"rpm": "rpm"}}}),
            "b": table("erp.db", "b", "id", {**head, "cost": "cost", "drive": {"object": {"oil": "oil"}}}, **second),
        })

    def test_two_pipelines_own_properties_of_one_twin_and_of_one_component(self):
        self.make_shared_machine()
        self.run_all()
        whole = {"name": "Press", "cost": 12.5, "drive": {"rpm": 900, "oil": 0.5}, "spare": {}}
        self.assertEqual(whole, self.twin("m1"))
        self.sql("erp.db", "UPDATE a SET rpm = 950")
        self.run_pipeline("a")
        self.assertEqual({**whole, "drive": {"rpm": 950, "oil": 0.5}}, self.twin("m1"))
        self.sql("erp.db", "UPDATE b SET oil = NULL, cost = 13")
        self.run_pipeline("b")
        self.assertEqual({"name": "Press", "cost": 13.0, "drive": {"rpm": 950}, "spare": {}}, self.twin("m1"))
        origins = {origin["path"]: origin["pipeline"] for origin in self.gemel("trace", "m1", "--json").json()}
        self.assertEqual(("a", "a", "b"), (origins["/name"], origins["/drive/rpm"], origins["/cost"]))
        self.assert_equal_to_source("a")
        self.assert_equal_to_source("b")

    def test_a_component_that_a_map_does_not_mention_keeps_what_another_pipeline_wrote(self):
        self.make_shared_machine()
        self.model("Machine", {"name": "string", "cost": "double"}, components={"drive": "Drive"})
        head = {"$dtId": "{id}", "$model": "dtmi:t:Machine;1"}
        self.configure({"a": table("erp.db", "a", "id", {**head, "drive": {"object": {"rpm": "rpm"}}}),
                        "b": table("erp.db", "b", "id", {**head, "cost": "cost"})})
        self.run_pipeline("a")
        self.run_pipeline("b")
        self.assertEqual({"cost": 12.5, "drive": {"rpm": 900}}, self.twin("m1"))
        self.sql("erp.db", "UPDATE b SET cost = 14")
        self.run_pipeline("b")
        self.assertEqual({"cost": 14.0, "drive": {"rpm": 900}}, self.twin("m1"))
        self.assert_equal_to_source("a")

    def test_a_component_from_one_json_column_is_owned_as_a_whole(self):
        self.model("Drive", {"rpm": "integer", "oil": "double"})
        self.model("Machine", {"name": "string"}, components={"drive": "Drive"})
        self.sql("erp.db", """CREATE TABLE m (id TEXT PRIMARY KEY, drive TEXT); INSERT INTO m VALUES ('m1', '{"rpm": 1, "oil": 2}')""")
        self.configure({"m": table("erp.db", "m", "id", {"$dtId": "{id}", "$model": "dtmi:t:Machine;1", "drive": "drive"})})
        self.run_pipeline("m")
        for json_text, expected in (('{"rpm": 3}', {"rpm": 3}), ('{"rpm": null, "oil": 4}', {"oil": 4.0}), (None, {})):
            self.sql("erp.db", "UPDATE m SET drive = ?", (json_text,))
            self.assertEqual(1, self.run_pipeline("m").updated)
            self.assertEqual(expected, self.twin("m1")["drive"])
            self.assert_equal_to_source("m")

    def test_a_member_of_a_component_that_the_map_no_longer_names_is_taken_off(self):
        self.make_shared_machine()
        self.run_all()
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace('"rpm": "rpm"', ""))
        self.assertEqual(1, self.run_pipeline("a").updated)
        self.assertEqual({"oil": 0.5}, self.twin("m1")["drive"])

    def test_an_object_that_is_null_as_a_whole_takes_only_what_this_pipeline_owns(self):
        self.make_shared_machine()
        self.run_all()
        self.sql("erp.db", "UPDATE a SET rpm = NULL")
        self.assertEqual(1, self.run_pipeline("a").updated)
        self.assertEqual({"oil": 0.5}, self.twin("m1")["drive"])

    def test_a_twin_goes_when_the_last_pipeline_lets_go_of_it(self):
        self.make_shared_machine()
        self.run_all()
        self.sql("erp.db", "INSERT INTO a VALUES ('m2', 'Saw', 1); INSERT INTO b VALUES ('m2', 1, 1)")
        self.run_all()
        self.sql("erp.db", "DELETE FROM b WHERE id = 'm2'")
        self.run_pipeline("b")
        self.assertEqual(1, self.run_pipeline("b").deleted)
        self.assertEqual({"name": "Saw", "drive": {"rpm": 1}, "spare": {}}, self.twin("m2"))
        self.sql("erp.db", "DELETE FROM a WHERE id = 'm2'")
        self.run_pipeline("a")
        self.assertEqual(1, self.run_pipeline("a").deleted)
        self.assertEqual({"m1"}, set(self.twins()))

    def test_what_no_pipeline_created_is_not_deleted_and_keeps_its_other_properties(self):
        self.model("Pump", {"name": "string", "note": "string"})
        self.sql("erp.db", "CREATE TABLE p (id TEXT PRIMARY KEY, name TEXT); INSERT INTO p VALUES ('p1', 'One'), ('p2', 'Two')")
        self.configure({"pumps": table("erp.db", "p", "id", {"$dtId": "{id}", "$model": "dtmi:t:Pump;1", "name": "name"})})
        lines = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"},
                 json.loads((self.folder / "models/Pump.json").read_text()), {"Section": "Twins"},
                 {"$dtId": "p1", "$metadata": {"$model": "dtmi:t:Pump;1"}, "note": "by hand"},
                 {"$dtId": "p9", "$metadata": {"$model": "dtmi:t:Pump;1"}, "name": "Nine"}]
        self.write("graph.ndjson", lines)
        self.gemel("import", "graph.ndjson")
        run = self.run_pipeline("pumps")
        self.assertEqual((1, 1), (run.created, run.updated))
        self.assertEqual({"name": "One", "note": "by hand"}, self.twin("p1"))
        self.sql("erp.db", "DELETE FROM p WHERE id = 'p1'")
        self.run_pipeline("pumps")
        self.assertEqual(1, self.run_pipeline("pumps").deleted)
        self.assertEqual({"p1": {"note": "by hand"}, "p2": {"name": "Two"}, "p9": {"name": "Nine"}}, self.twins())

    def test_a_property_that_the_map_no_longer_names_is_taken_off(self):
        self.model("Pump", {"name": "string", "size": "integer"})
        self.sql("erp.db", "CREATE TABLE p (id TEXT PRIMARY KEY, name TEXT, size INTEGER); INSERT INTO p VALUES ('p1', 'One', 4)")
        mapping = {"$dtId": "{id}", "$model": "dtmi:t:Pump;1", "name": "name"}
        self.configure({"pumps": table("erp.db", "p", "id", {**mapping, "size": "size"})})
        self.run_pipeline("pumps")
        self.configure({"pumps": table("erp.db", "p", "id", mapping)})
        self.assertEqual(1, self.run_pipeline("pumps").updated)
        self.assertEqual({"name": "One"}, self.twin("p1"))
        self.assertEqual(1, self.run_pipeline("pumps").unchanged)

    def test_only_the_creator_may_change_a_twins_model(self):
        self.make_shared_machine()
        self.model("Robot", {"arms": "integer"}, extends="dtmi:t:Machine;1")
        self.run_pipeline("a")
        self.run_pipeline("b")
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace("Machine", "Robot"))
        first = self.run_pipeline("b")
        self.assertEqual(1, first.parked)
        self.assertIn("only the pipeline that created a twin may change its model", self.letters()[0]["error"])
        self.assertEqual(1, self.run_pipeline("a").updated)
        self.assertEqual("dtmi:t:Robot;1", self.query("SELECT * FROM DIGITALTWINS")[0]["$metadata"]["$model"])
        self.assertEqual({"rpm": 900, "oil": 0.5}, self.twin("m1")["drive"])

    def test_two_keys_of_one_pipeline_cannot_make_one_twin(self):
        self.model("Pump", {"name": "string"})
        self.sql("erp.db", "CREATE TABLE p (id INTEGER PRIMARY KEY, tag TEXT); INSERT INTO p VALUES (1, 'x'), (2, 'x'), (3, 'y')")
        self.configure({"pumps": table("erp.db", "p", "id", {"$dtId": "{tag}", "$model": "dtmi:t:Pump;1", "name": "tag"})})
        run = self.run_pipeline("pumps")
        self.assertEqual((2, 1), (run.created, run.parked))
        self.assertIn("another key", self.letters()[0]["error"])

    def test_a_key_whose_id_changes_leaves_the_old_twin_for_the_new(self):
        self.model("Pump", {"name": "string"})
        self.sql("erp.db", "CREATE TABLE p (id INTEGER PRIMARY KEY, tag TEXT); INSERT INTO p VALUES (1, 'x'), (2, 'y')")
        self.configure({"pumps": table("erp.db", "p", "id", {"$dtId": "{tag}", "$model": "dtmi:t:Pump;1", "name": "tag"})})
        self.run_pipeline("pumps")
        self.sql("erp.db", "UPDATE p SET tag = 'z' WHERE id = 1")
        self.assertEqual(0, self.run_pipeline("pumps").parked)
        self.assertEqual({"y", "z"}, set(self.twins()))
        self.assert_equal_to_source("pumps")
        self.sql("erp.db", "UPDATE p SET tag = CASE id WHEN 1 THEN 'y' ELSE 'z' END")
        for _ in range(2):
            self.run_pipeline("pumps")
        self.assertEqual({"y": {"name": "y"}, "z": {"name": "z"}}, self.twins())


class Relationships(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Person", {"name": "string"}, relationships={"worksIn": {"since": "integer"}, "reportsTo": {}})
        self.model("Room", {"name": "string"})
        self.sql("hr.db", "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER, room INTEGER);"
                          "CREATE TABLE room (id INTEGER PRIMARY KEY, name TEXT);"
                          "CREATE TABLE works (person INTEGER, room INTEGER, since INTEGER, PRIMARY KEY (person, room));"
                          "INSERT INTO person VALUES (1, 'Ann', 3, 7), (2, 'Bo', 1, 8), (3, 'Cy', NULL, 7);"
                          "INSERT INTO room VALUES (7, 'Hall'), (8, 'Lab'); INSERT INTO works VALUES (1, 7, 1999), (2, 8, 2001), (2, 7, 2002)")
        self.configure({
            "works": table("hr.db", "works", ["person", "room"], {"relationship": {
                "name": "worksIn", "source": "person-{person}", "target": "room-{room}", "properties": {"since": "since"}}}),
            "persons": table("hr.db", "person", "id", {
                "$dtId": "person-{id}", "$model": "dtmi:t:Person;1", "name": "name",
                "relationships": [{"name": "reportsTo", "target": "person-{boss}"}]}),
            "rooms": table("hr.db", "room", "id", {"$dtId": "room-{id}", "$model": "dtmi:t:Room;1", "name": "name"},
                           missing={"max_share": "100%"}),
        })

    everything = {("person-1", "reportsTo", "person-3"): {}, ("person-2", "reportsTo", "person-1"): {},
                  ("person-1", "worksIn", "room-7"): {"since": 1999}, ("person-2", "worksIn", "room-8"): {"since": 2001},
                  ("person-2", "worksIn", "room-7"): {"since": 2002}}

    def test_relationships_come_into_being_in_any_order_of_tables(self):
        for order in (["works", "rooms", "persons"], ["persons", "works", "rooms"], ["rooms", "works", "persons"]):
            with self.subTest(order=order):
                for name in order:
                    run = self.run_pipeline(name)
                    self.assertEqual(0, run.parked)
                self.assertEqual(self.everything, self.relationships())
                self.assertEqual([], self.gemel("waiting", "--json").json())
                for name in order:
                    self.assert_equal_to_source(name)
                shutil.rmtree(self.folder / "data")

    def test_what_waits_is_listed_with_what_it_waits_for(self):
        self.run_pipeline("works")
        waiting = self.gemel("waiting", "--json").json()
        self.assertEqual(3, len(waiting))
        self.assertEqual({"person-1", "person-2"}, {one["source"] for one in waiting})
        self.assertEqual({}, self.relationships())
        self.assertEqual(3, self.gemel("status", "--json").json()["waiting_relationships"])

    def test_a_changed_row_of_a_join_table_changes_the_relationship_alone(self):
        self.run_all()
        self.sql("hr.db", "UPDATE works SET since = 2020 WHERE person = 1")
        runs = self.run_all()
        self.assertEqual(1, sum(run.written for run in runs.values()))
        self.assertEqual({"since": 2020}, self.relationships()[("person-1", "worksIn", "room-7")])

    def test_a_join_row_that_goes_takes_its_relationship_after_two_runs(self):
        self.run_all()
        self.sql("hr.db", "DELETE FROM works WHERE person = 2 AND room = 7")
        self.run_pipeline("works")
        self.assertEqual(5, len(self.relationships()))
        self.assertEqual(1, self.run_pipeline("works").deleted)
        self.assertEqual(set(self.everything) - {("person-2", "worksIn", "room-7")}, set(self.relationships()))

    def test_a_target_that_is_deleted_and_comes_back_gets_its_relationships_back(self):
        self.run_all()
        self.sql("hr.db", "DELETE FROM room WHERE id = 7")
        self.run_pipeline("rooms")
        self.assertEqual(1, self.run_pipeline("rooms").deleted)
        self.assertEqual({("person-2", "worksIn", "room-8")}, {key for key in self.relationships() if key[1] == "worksIn"})
        self.sql("hr.db", "INSERT INTO room VALUES (7, 'Hall')")
        self.assertEqual(1, self.run_pipeline("rooms").created)
        self.assertEqual(self.everything, self.relationships())

    def test_a_source_that_is_deleted_and_comes_back_gets_the_join_tables_relationships_back(self):
        self.run_all()
        self.sql("hr.db", "DELETE FROM person WHERE id = 2")
        self.run_pipeline("persons")
        self.assertEqual(1, self.run_pipeline("persons").deleted)
        self.sql("hr.db", "INSERT INTO person VALUES (2, 'Bo', 1, 8)")
        self.assertEqual(1, self.run_pipeline("persons").created)
        self.run_all()
        self.assertEqual(self.everything, self.relationships())

    def test_a_pipeline_deletes_no_relationship_of_another(self):
        self.run_all()
        self.sql("hr.db", "UPDATE person SET boss = NULL")
        self.run_pipeline("persons")
        self.assertEqual({key for key in self.everything if key[1] == "worksIn"}, set(self.relationships()))

    def test_a_join_row_that_goes_leaves_a_relationship_that_others_made(self):
        """Another pipeline, and an import, made the same relationship first: it is theirs."""
        self.sql("hr.db", "CREATE TABLE boss (id INTEGER PRIMARY KEY, boss INTEGER); INSERT INTO boss VALUES (1, 3), (2, 1), (3, 2)")
        self.run_all()
        self.write("in.ndjson", [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Relationships"},
                                 {"$sourceId": "person-3", "$relationshipId": "reportsTo-person-2", "$relationshipName": "reportsTo",
                                  "$targetId": "person-2"}])
        self.gemel("import", "in.ndjson")
        before = self.relationships()
        config = json.loads((self.folder / "gemel.yaml").read_text())["pipelines"]
        config["bosses"] = table("hr.db", "boss", "id", {"relationship": {
            "name": "reportsTo", "source": "person-{id}", "target": "person-{boss}"}}, missing={"max_share": "100%"})
        self.configure(config)
        self.assertEqual(0, self.run_pipeline("bosses").parked)
        self.sql("hr.db", "DELETE FROM boss WHERE id > 1")
        self.run_pipeline("bosses")
        self.assertEqual(2, self.run_pipeline("bosses").deleted)
        self.assertEqual(before, self.relationships())
        self.assert_equal_to_source("persons")

    def test_a_relationship_that_the_model_does_not_have_is_refused(self):
        config = self.folder / "gemel.yaml"
        config.write_text(config.read_text().replace('"source": "person-{person}"', '"source": "room-{room}"')
                          .replace('"target": "room-{room}", "properties"', '"target": "person-{person}", "properties"')
                          .replace('"target": "room-{room}"', '"target": "person-{person}"'))
        self.run_pipeline("rooms")
        self.run_pipeline("persons")
        run = self.run_pipeline("works", expect=None)
        self.assertEqual({}, {key: 1 for key in self.relationships() if key[1] == "worksIn"})
        waiting = self.gemel("waiting", "--json").json()
        self.assertEqual(3, run.parked + len(waiting))


if __name__ == "__main__":
    gemel.main()
