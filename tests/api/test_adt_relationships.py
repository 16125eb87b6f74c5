#!/usr/bin/env python3
"""Relationships of the twin API: operations 11-16."""
import threading

import adt
import gemel


class Relationships(adt.Case):
    def setUp(self):
        super().setUp()
        self.model("Room", {"temp": "double"})
        self.model("Floor", {"level": "integer"}, relationships={"contains": {"locked": "boolean", "since": "date"}, "above": {}})
        self.server = self.serve()
        self.server.make("f1", "Floor")
        for number in range(3):
            self.server.make(f"r{number}", "Room")

    def test_a_relationship_is_created_read_patched_and_deleted(self):
        made = self.server.link("f1", "a", "contains", "r0", locked=True)
        self.assertEqual({"$relationshipId": "a", "$etag": made.etag, "$sourceId": "f1", "$targetId": "r0", "$relationshipName": "contains",
                          "locked": True}, made.json)
        read = self.server.get("/digitaltwins/f1/relationships/a")
        self.assertEqual((200, made.etag, made.json), (read.status, read.etag, read.json))
        patched = self.server.patch("/digitaltwins/f1/relationships/a", [{"op": "replace", "path": "/locked", "value": False},
                                                                         {"op": "add", "path": "/since", "value": "2024-05-06"}], If_Match=made.etag)
        self.assertEqual((204, b""), (patched.status, patched.body))
        now = self.server.get("/digitaltwins/f1/relationships/a")
        self.assertEqual((patched.etag, False, "2024-05-06"), (now.etag, now.json["locked"], now.json["since"]))
        self.refused(self.server.delete("/digitaltwins/f1/relationships/a", If_Match=made.etag), 412, "PreconditionFailed")
        gone = self.server.delete("/digitaltwins/f1/relationships/a", If_Match=now.etag)
        self.assertEqual((204, b"", None), (gone.status, gone.body, gone.etag))
        for answer in (self.server.get("/digitaltwins/f1/relationships/a"), self.server.delete("/digitaltwins/f1/relationships/a"),
                       self.server.patch("/digitaltwins/f1/relationships/a", [{"op": "add", "path": "/locked", "value": True}])):
            self.assertEqual("Relationship a not found on twin f1. Please verify that the relationship id is valid and ensure that the "
                             "relationship is not deleted. See section on listing relationships in the documentation https://aka.ms/adtv2twins.",
                             self.refused(answer, 404, "RelationshipNotFound"))

    def test_a_put_replaces_and_if_none_match_creates_only(self):
        body = {"$relationshipName": "contains", "$targetId": "r0", "locked": True}
        self.assertEqual(200, self.server.put("/digitaltwins/f1/relationships/a", body, If_None_Match="*").status)
        message = self.refused(self.server.put("/digitaltwins/f1/relationships/a", body, If_None_Match="*"), 412, "PreconditionFailed")
        self.assertEqual("If-None-Match: * header was specified but a relationship with the id a was found. "
                         "Please specify a different relationship id.", message)
        replaced = self.server.put("/digitaltwins/f1/relationships/a", {"$relationshipName": "contains", "$targetId": "r1"})
        self.assertEqual((200, "r1"), (replaced.status, replaced.json["$targetId"]))
        self.assertNotIn("locked", replaced.json)

    def test_ends_must_be_there(self):
        answer = self.server.put("/digitaltwins/f1/relationships/a", {"$relationshipName": "contains", "$targetId": "none"})
        self.assertTrue(self.refused(answer, 404, "TargetDigitalTwinNotFound").startswith("The target digital twin is invalid or does not exist."))
        for answer in (self.server.put("/digitaltwins/none/relationships/a", {"$relationshipName": "contains", "$targetId": "r0"}),
                       self.server.get("/digitaltwins/none/relationships/a"), self.server.get("/digitaltwins/none/relationships"),
                       self.server.get("/digitaltwins/none/incomingrelationships")):
            self.refused(answer, 404, "DigitalTwinNotFound")

    def test_what_the_model_does_not_have_is_refused(self):
        for body in ({"$relationshipName": "owns", "$targetId": "r0"}, {"$relationshipName": "contains", "$targetId": "r0", "color": "red"},
                     {"$relationshipName": "contains", "$targetId": "r0", "locked": "yes"}, {"$relationshipName": "contains"}, {"$targetId": "r0"}, [], {},
                     {"$relationshipName": 1, "$targetId": "r0"}, {"$relationshipName": "contains", "$targetId": 7}):
            with self.subTest(body=body):
                self.assertIn(self.server.put("/digitaltwins/f1/relationships/a", body).status, (400, 404))
        self.refused(self.server.put("/digitaltwins/f1/relationships/a", {"$relationshipName": "above", "$targetId": "f1"}), 400, "OperationNotAllowed")
        self.assertEqual(404, self.server.get("/digitaltwins/f1/relationships/a").status)

    def test_a_twin_with_relationships_is_not_deleted(self):
        self.server.link("f1", "a", "contains", "r0")
        for twin_id in ("f1", "r0"):
            self.assertEqual(f"Twin {twin_id} has active relationships. Cannot delete a twin unless all the relationships are deleted. Please ensure "
                             "that the active relationships on the twin are deleted. See section on retrieving relationships "
                             "https://aka.ms/adtv2twins.",
                             self.refused(self.server.delete(f"/digitaltwins/{twin_id}"), 400, "RelationshipsNotDeleted"))
        self.assertEqual(204, self.server.delete("/digitaltwins/f1/relationships/a").status)
        self.assertEqual(204, self.server.delete("/digitaltwins/f1").status)

    # ---- listings ----

    def test_pages_of_outgoing_relationships(self):
        for number in range(25):
            self.server.link("f1", f"c{number:02}", "contains", "r0")
        self.server.make("f2", "Floor")
        self.server.link("f1", "up", "above", "f2")
        self.assertEqual(10, len(self.server.get("/digitaltwins/f1/relationships").json["value"]))
        ids = [one["$relationshipId"] for one in self.server.list("/digitaltwins/f1/relationships")]
        self.assertEqual([*(f"c{number:02}" for number in range(25)), "up"], ids)
        named = self.server.list("/digitaltwins/f1/relationships?relationshipName=above", max_items_per_page="1")
        self.assertEqual(["up"], [one["$relationshipId"] for one in named])
        named = self.server.list("/digitaltwins/f1/relationships?relationshipName=contains", max_items_per_page="7")
        self.assertEqual(25, len(named))
        self.assertEqual([], self.server.list("/digitaltwins/f1/relationships?relationshipName=none"))
        self.assertEqual([], self.server.list("/digitaltwins/r0/relationships"))

    def test_pages_of_incoming_relationships(self):
        for number in range(12):
            self.server.make(f"s{number}", "Floor")
            self.server.link(f"s{number}", "in", "contains", "r1")
        items = self.server.list("/digitaltwins/r1/incomingrelationships", max_items_per_page="5")
        self.assertEqual({f"s{number}" for number in range(12)}, {one["$sourceId"] for one in items})
        self.assertEqual(12, len(items))
        one = next(one for one in items if one["$sourceId"] == "s3")
        self.assertEqual({"$relationshipId": "in", "$sourceId": "s3", "$relationshipName": "contains",
                          "$relationshipLink": "/digitaltwins/s3/relationships/in"}, one)

    def test_links_to_next_pages(self):
        for number in range(3):
            self.server.link("f1", f"c{number}", "contains", "r0")
        answer = self.server.call("GET", "/DigitalTwins/f1/Relationships?relationshipName=contains", max_items_per_page="1", Host="twins.example:9")
        link = answer.json["nextLink"]
        self.assertTrue(link.startswith("https://twins.example:9/DigitalTwins/f1/Relationships?continuationToken="), link)
        self.assertIn("api-version=" + adt.VERSION, link)
        self.assertIn("relationshipName=contains", link)
        path = link[len("https://twins.example:9"):]
        second = self.server.get(path + "&relationshipName=contains", max_items_per_page="1")  # the version once more, too
        self.assertEqual(["c1"], [one["$relationshipId"] for one in second.json["value"]])
        for token in ("x", "zz", "00", "ff", "0", "c3", "a" * 5000):
            with self.subTest(token=token[:9]):
                answer = self.server.get(f"/digitaltwins/r0/incomingrelationships?continuationToken={token}")
                self.assertIn(answer.status, (200, 400), answer)
        for number in ("0", "-1", "x", "1.5", "99999999999999999999"):
            with self.subTest(number=number):
                self.refused(self.server.get("/digitaltwins/f1/relationships", max_items_per_page=number), 400, "InvalidArgument")

    def test_pages_are_stable_while_others_write(self):
        stay = [f"s{number:03}" for number in range(60)]
        for relationship_id in stay:
            self.server.link("f1", relationship_id, "contains", "r0")
        stop = threading.Event()

        def churn():
            number = 0
            while not stop.is_set():
                self.server.link("f1", f"s{number % 60:03}x", "contains", "r1")
                self.server.delete(f"/digitaltwins/f1/relationships/s{number % 60:03}x")
                number += 7

        writer = threading.Thread(target=churn)
        writer.start()
        try:
            for _ in range(3):
                ids = [one["$relationshipId"] for one in self.server.list("/digitaltwins/f1/relationships", max_items_per_page="7")]
                self.assertEqual(stay, [one for one in ids if one in stay])
                self.assertEqual(len(ids), len(set(ids)))
                self.assertEqual(sorted(ids), ids)
        finally:
            stop.set()
            writer.join()


if __name__ == "__main__":
    gemel.main()
