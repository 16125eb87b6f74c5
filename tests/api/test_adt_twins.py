#!/usr/bin/env python3
"""Twins, components and telemetry of the twin API: operations 7-10 and 17-20."""
import concurrent.futures
import contextlib
import http.client
import re
import threading

import adt
import gemel
from adt import twin

GUID = re.compile(r'^W/"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"$')
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$")
NO_TWIN = ("There is no digital twin instance that exists with the ID {}. Please verify that the twin id is valid and ensure that "
           "the twin is not deleted. See section on querying the twins https://aka.ms/adtv2query.")
PATCH_HINT = " Please provide a valid patch document. See section on update apis in the documentation https://aka.ms/adtv2twins."


class Twins(adt.Case):
    def setUp(self):
        super().setUp()
        self.model("Sensor", {"serial": "string", "value": "double"})
        self.model("Room", {"temp": "double", "name": "string", "tags": {"@type": "Map", "mapKey": {"name": "k", "schema": "string"},
                                                                         "mapValue": {"name": "v", "schema": "string"}}},
                   components={"sensor": "Sensor"}, relationships=["next"])
        self.model("Hall", {"temp": "double", "seats": "integer"}, components={"sensor": "Sensor"})
        self.server = self.serve()

    def room(self, twin_id="r1", **members):
        return self.server.make(twin_id, "Room", **{"sensor": {"$metadata": {}}, **members})

    # ---- whole twins ----

    def test_a_twin_is_created_read_replaced_and_deleted(self):
        made = self.room(temp=20.5, sensor={"$metadata": {}, "serial": "A"})
        self.assertEqual((200, "application/json; charset=utf-8"), (made.status, made.headers["Content-Type"]))
        self.assertRegex(made.etag, GUID)
        body = made.json
        self.assertEqual(["r1", made.etag, 20.5, "dtmi:t:Room;1"],
                         [body["$dtId"], body["$etag"], body["temp"], body["$metadata"]["$model"]])
        self.assertEqual({"serial": "A", "$metadata": body["sensor"]["$metadata"]}, body["sensor"])
        for time in (body["$metadata"]["$lastUpdateTime"], body["$metadata"]["temp"]["lastUpdateTime"],
                     body["sensor"]["$metadata"]["serial"]["lastUpdateTime"]):
            self.assertRegex(time, TIME)
        self.assertEqual(list(body)[:2], ["$dtId", "$etag"])

        read = self.server.get("/digitaltwins/r1")
        self.assertEqual((200, made.etag, body), (read.status, read.etag, read.json))

        replaced = self.room(name="north")
        self.assertEqual(200, replaced.status)
        self.assertNotEqual(made.etag, replaced.etag)
        self.assertNotIn("temp", replaced.json)

        gone = self.server.delete("/digitaltwins/r1")
        self.assertEqual((204, b"", None), (gone.status, gone.body, gone.etag))
        for answer in (self.server.get("/digitaltwins/r1"), self.server.delete("/digitaltwins/r1"),
                       self.server.patch("/digitaltwins/r1", [{"op": "replace", "path": "/temp", "value": 1}])):
            self.assertEqual(NO_TWIN.format("r1"), self.refused(answer, 404, "DigitalTwinNotFound"))

    def test_the_body_may_carry_what_was_read(self):
        made = self.room(temp=1)
        again = self.server.put("/digitaltwins/r1", made.json)
        self.assertEqual(200, again.status, again)
        self.assertEqual(1, again.json["temp"])
        empty = {"lastUpdateTime": None, "sourceTime": None}
        answer = self.server.put("/digitaltwins/r1", {
            "$dtId": None, "$etag": None, "temp": 2, "sensor": {"$metadata": {"$lastUpdateTime": None, "serial": empty}, "serial": "A"},
            "$metadata": {"$model": "dtmi:t:Room;1", "$lastUpdateTime": None, "temp": empty}})
        self.assertEqual((200, 2), (answer.status, answer.json.get("temp")), answer)

    def test_what_does_not_fit_the_model_is_refused_and_says_how(self):
        for members, words in (({"temp": "warm"}, ["temp", "double"]), ({"height": 3}, ["height"]), ({"sensor": {"$metadata": {}, "value": True}}, ["value"]),
                               ({"tags": {"a": 1}}, ["tags"]), ({"temp": None}, ["temp"])):
            with self.subTest(members=members):
                answer = self.server.put("/digitaltwins/bad", twin("Room", **{"sensor": {"$metadata": {}}, **members}))
                self.assertEqual("Invalid twin specified", self.refused(answer, 400, "ValidationFailed"))
                detail, = answer.json["error"]["details"]
                self.assertEqual("ValidationFailed", detail["code"])
                for word in words:
                    self.assertIn(word, detail["message"])
        self.assertEqual(404, self.server.get("/digitaltwins/bad").status)

    def test_a_model_that_is_not_there(self):
        answer = self.server.put("/digitaltwins/x", {"$metadata": {"$model": "dtmi:t:None;1"}})
        self.assertEqual("Invalid twin specified", self.refused(answer, 400, "ValidationFailed"))
        self.assertEqual([{"code": "ValidationFailed", "message": "dtmi:t:None;1 or one of its dependencies does not exist."}],
                         answer.json["error"]["details"])

    def test_every_component_must_be_there(self):
        answer = self.server.put("/digitaltwins/x", twin("Room", temp=1))
        self.refused(answer, 400, "ValidationFailed")
        self.assertIn("sensor", answer.json["error"]["details"][0]["message"])

    def test_bodies_that_are_no_twins(self):
        for body in ([], "text", 1, True, None, {}, {"$metadata": 1}, {"$metadata": {}}, {"$metadata": {"$model": 7}}, {"$metadata": {"$model": ""}}):
            with self.subTest(body=body):
                self.assertEqual(400, self.server.put("/digitaltwins/x", body=adt.json.dumps(body)).status)

    def test_a_body_in_quotes_is_what_it_holds(self):
        quoted = adt.json.dumps(adt.json.dumps(twin("Room", sensor={"$metadata": {}}, temp=3)))
        self.assertEqual(3, self.server.put("/digitaltwins/quoted", quoted).json["temp"])
        for body in ('"{"', '"{}"', '"[]"', '" "', '"' + '{\\"a\\":' * 500 + '"'):
            with self.subTest(body=body[:20]):
                self.assertEqual(400, self.server.put("/digitaltwins/quoted", body).status)

    def test_twins_are_bounded(self):
        tags = {f"k{i}": "x" * 1000 for i in range(40)}
        answer = self.server.put("/digitaltwins/big", twin("Room", sensor={"$metadata": {}}, tags=tags))
        self.assertEqual(400, answer.status, answer)
        self.assertEqual(200, self.room("big", tags={f"k{i}": "x" * 1000 for i in range(20)}).status)
        many = [{"op": "add", "path": f"/tags/m{i}", "value": "x" * 1000} for i in range(20)]
        self.assertEqual(400, self.server.patch("/digitaltwins/big", many).status)
        self.assertEqual(400, self.server.put("/digitaltwins/long", twin("Room", sensor={"$metadata": {}}, name="x" * 5000)).status)

    def test_ids_are_checked(self):
        for twin_id in ("a%0Ab", "a%7Fb", "x" * 129, "%C3%A4" * 65):
            with self.subTest(twin_id=twin_id):
                answer = self.server.put(f"/digitaltwins/{twin_id}", twin("Room", sensor={"$metadata": {}}))
                self.refused(answer, 400, "InvalidArgument")
        for twin_id in ("x" * 128, "A-z.0+%25_%23*%3F!(),=@$'%3A%3B"[:40]):
            with self.subTest(twin_id=twin_id):
                self.server.get(f"/digitaltwins/{twin_id}")

    def test_ids_beyond_those_of_the_service(self):
        for plain, encoded in (("a/b", "a%2Fb"), ("a b;c", "a%20b%3Bc"), ('"', "%22"), ("\u00e4/relationships", "%C3%A4%2Frelationships")):
            with self.subTest(plain=plain):
                made = self.server.put(f"/digitaltwins/{encoded}", twin("Room", sensor={"$metadata": {}}))
                self.assertEqual(plain, made.json["$dtId"])
                self.assertEqual(made.json, self.server.get(f"/digitaltwins/{encoded}").json)
                self.assertEqual(204, self.server.delete(f"/digitaltwins/{encoded}").status)

    def test_percent_encoded_ids_are_one_segment(self):
        plain, encoded = "a+b%c#d?e=f@g", "a%2Bb%25c%23d%3Fe%3Df%40g"
        made = self.server.put(f"/digitaltwins/{encoded}", twin("Room", sensor={"$metadata": {}}))
        self.assertEqual((200, plain), (made.status, made.json["$dtId"]))
        self.assertEqual(made.json, self.server.get(f"/DigitalTwins/{encoded}").json)
        self.assertEqual(made.json["sensor"], self.server.get(f"/digitaltwins/{encoded}/components/%73ensor").json)

    # ---- preconditions ----

    def test_if_none_match_creates_only(self):
        body = twin("Room", sensor={"$metadata": {}})
        self.assertEqual(200, self.server.put("/digitaltwins/n", body, If_None_Match="*").status)
        message = self.refused(self.server.put("/digitaltwins/n", body, If_None_Match="*"), 412, "PreconditionFailed")
        self.assertEqual("If-None-Match: * header was specified but a twin with the id n was found. Please specify a different twin id.", message)
        message = self.refused(self.server.put("/digitaltwins/n", body, If_None_Match="XXX"), 400, "InvalidArgument")
        self.assertEqual("Invalid If-None-Match header value. Allowed value(s): If-None-Match: *", message)

    def test_if_match_guards_patches_and_deletions(self):
        made = self.room(temp=1)
        patch = [{"op": "replace", "path": "/temp", "value": 2}]
        other = 'W/"7e67a355-f19c-4c19-8a10-2d69b2d2253f"'
        self.refused(self.server.patch("/digitaltwins/r1", patch, If_Match=other), 412, "PreconditionFailed")
        patched = self.server.patch("/digitaltwins/r1", patch, If_Match=made.etag)
        self.assertEqual((204, b""), (patched.status, patched.body))
        self.assertRegex(patched.etag, GUID)
        self.assertEqual(patched.etag, self.server.get("/digitaltwins/r1").etag)
        self.refused(self.server.patch("/digitaltwins/r1", patch, If_Match=made.etag), 412, "PreconditionFailed")
        self.assertEqual(204, self.server.patch("/digitaltwins/r1", patch, If_Match="*").status)
        for path, body in (("/digitaltwins/r1", patch), ("/digitaltwins/r1/components/sensor", [{"op": "add", "path": "/serial", "value": "x"}])):
            message = self.refused(self.server.patch(path, body, If_Match="XXX"), 400, "InvalidArgument")
            self.assertEqual("Invalid If-Match header value. Allowed value(s): If-Match: {etag} or If-Match: *", message)
        self.refused(self.server.delete("/digitaltwins/r1", If_Match="XXX"), 400, "InvalidArgument")
        self.refused(self.server.delete("/digitaltwins/r1", If_Match=made.etag), 412, "PreconditionFailed")
        self.assertEqual(204, self.server.delete("/digitaltwins/r1", If_Match=self.server.get("/digitaltwins/r1").etag).status)
        self.refused(self.server.delete("/digitaltwins/r1", If_Match="*"), 404, "DigitalTwinNotFound")

    def test_of_writers_with_the_same_etag_one_wins(self):
        for round_number in range(5):
            etag = self.room(temp=0).etag
            start = threading.Barrier(8)

            def write(number, etag=etag, start=start):
                start.wait()
                return number, self.server.patch("/digitaltwins/r1", [{"op": "replace", "path": "/temp", "value": number}], If_Match=etag)

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(write, range(1, 9)))
            with self.subTest(round=round_number):
                self.assertEqual([204] + [412] * 7, sorted(answer.status for _, answer in answers))
                winner, = [(number, answer.etag) for number, answer in answers if answer.status == 204]
                now = self.server.get("/digitaltwins/r1")
                self.assertEqual(winner, (now.json["temp"], now.etag))

    def test_of_creators_of_one_id_one_wins(self):
        start = threading.Barrier(8)

        def create(number):
            start.wait()
            return self.server.put("/digitaltwins/one", twin("Room", sensor={"$metadata": {}}, temp=number), If_None_Match="*").status

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual([200] + [412] * 7, sorted(pool.map(create, range(8))))

    # ---- patches ----

    def test_a_patch_adds_replaces_and_removes(self):
        self.room(temp=1, tags={"a": "1", "b": "2"})
        answer = self.server.patch("/digitaltwins/r1", [
            {"op": "add", "path": "/name", "value": "n"}, {"op": "replace", "path": "/temp", "value": 2.5}, {"op": "remove", "path": "/tags/a"},
            {"op": "add", "path": "/tags/c~1d", "value": "3"}, {"op": "add", "path": "/sensor/serial", "value": "S"}])
        self.assertEqual(204, answer.status, answer)
        now = self.server.get("/digitaltwins/r1").json
        self.assertEqual(("n", 2.5, {"b": "2", "c/d": "3"}, "S"), (now["name"], now["temp"], now["tags"], now["sensor"]["serial"]))

    def test_a_patch_that_is_wrong_changes_nothing(self):
        before = self.room(temp=1).json
        for patch, message in (
                ([{"op": "move", "path": "/temp", "from": "/name"}], "Unsupported operation type move."),
                ([{"op": "test", "path": "/temp", "value": 1}], "Unsupported operation type test."),
                ([{"path": "/temp", "value": 1}], "Parameter op must not be empty."),
                ([{"op": "add", "path": "/temp", "value": 2}, {"op": "remove", "path": "/name"}],
                 "The target location specified by path segment 'name' was not found.")):
            with self.subTest(patch=patch):
                answer = self.server.patch("/digitaltwins/r1", patch)
                self.assertEqual(message + PATCH_HINT, self.refused(answer, 400, "JsonPatchInvalid"))
        for patch in ({}, "x", 1, [1], [[]], [{"op": "add"}], [{"op": "add", "path": 1, "value": 1}], [{"op": "add", "path": "temp", "value": 1}],
                      [{"op": "add", "path": "/tags/a~2", "value": "x"}],
                      [{"op": "add", "path": "/temp"}], [{"op": 1, "path": "/temp"}], [{"op": "add", "path": "/$dtId", "value": "x"}]):
            with self.subTest(patch=patch):
                self.assertEqual(400, self.server.patch("/digitaltwins/r1", adt.json.dumps(patch)).status)
        for value in ("warm", None, {}, [1]):
            with self.subTest(value=value):
                self.assertEqual(400, self.server.patch("/digitaltwins/r1", [{"op": "add", "path": "/temp", "value": value}]).status)
        self.assertEqual(before, self.server.get("/digitaltwins/r1").json)

    def test_a_patch_changes_the_model(self):
        etag = self.room(temp=1).etag
        answer = self.server.patch("/digitaltwins/r1", [{"op": "replace", "path": "/$metadata/$model", "value": "dtmi:t:Hall;1"},
                                                        {"op": "add", "path": "/seats", "value": 12}], If_Match=etag)
        self.assertEqual(204, answer.status, answer)
        now = self.server.get("/digitaltwins/r1")
        self.assertEqual(("dtmi:t:Hall;1", 12, answer.etag), (now.json["$metadata"]["$model"], now.json["seats"], now.etag))
        answer = self.server.patch("/digitaltwins/r1", [{"op": "replace", "path": "/$metadata/$model", "value": "dtmi:t:Room;1"}])
        self.assertEqual(400, answer.status, answer)  # seats is none of a room's

    def test_source_times_are_kept(self):
        self.room(temp=1)
        answer = self.server.patch("/digitaltwins/r1", [
            {"op": "replace", "path": "/temp", "value": 2},
            {"op": "add", "path": "/$metadata/temp/sourceTime", "value": "2024-05-06T07:08:09.1234567Z"}])
        self.assertEqual(204, answer.status, answer)
        self.assertEqual("2024-05-06T07:08:09.1234567Z", self.server.get("/digitaltwins/r1").json["$metadata"]["temp"]["sourceTime"])

    # ---- components ----

    def test_a_component_is_read_and_patched_under_the_twins_etag(self):
        made = self.room(sensor={"$metadata": {}, "serial": "A"})
        component = self.server.get("/digitaltwins/r1/components/sensor")
        self.assertEqual((200, made.etag, made.json["sensor"]), (component.status, component.etag, component.json))
        patched = self.server.patch("/digitaltwins/r1/components/sensor", [{"op": "replace", "path": "/serial", "value": "B"}], If_Match=made.etag)
        self.assertEqual((204, b""), (patched.status, patched.body))
        self.assertEqual(patched.etag, self.server.get("/digitaltwins/r1").etag)
        self.assertEqual("B", self.server.get("/digitaltwins/r1/components/sensor").json["serial"])
        self.refused(self.server.patch("/digitaltwins/r1/components/sensor", [{"op": "replace", "path": "/serial", "value": "C"}],
                                       If_Match=made.etag), 412, "PreconditionFailed")

    def test_components_that_are_not_there(self):
        self.room(temp=1)
        for name in ("none", "temp", "$metadata", "$dtId", "next"):
            with self.subTest(name=name):
                answer = self.server.get(f"/digitaltwins/r1/components/{name}")
                self.assertEqual(f"r1 does not have component {name} Please verify that the component path is correct. You can get "
                                 "components by getting the twin, See example https://aka.ms/TwinGetSwSmpl.",
                                 self.refused(answer, 404, "ComponentNotFound"))
                answer = self.server.patch(f"/digitaltwins/r1/components/{name}", [{"op": "add", "path": "/serial", "value": "x"}])
                self.assertEqual(f"Could not resolve path /{name}/serial." + PATCH_HINT, self.refused(answer, 400, "JsonPatchInvalid"))
        self.refused(self.server.get("/digitaltwins/none/components/sensor"), 404, "DigitalTwinNotFound")
        answer = self.server.patch("/digitaltwins/r1/components/sensor", [{"op": "replace", "path": "/none", "value": 1}])
        self.assertEqual(400, answer.status, answer)

    # ---- durability ----

    def test_what_was_answered_is_there_after_a_kill(self):
        answered, enough = [], threading.Event()

        def write(thread):
            with contextlib.suppress(ConnectionError, http.client.HTTPException, AssertionError, OSError):
                for number in range(100000):
                    etag = self.room(f"k{thread}-{number}", temp=0).etag
                    etag = self.server.patch(f"/digitaltwins/k{thread}-{number}", [{"op": "replace", "path": "/temp", "value": number}],
                                             If_Match=etag).etag
                    answered.append((f"k{thread}-{number}", etag))
                    if len(answered) > 200:
                        enough.set()

        writers = [threading.Thread(target=write, args=[thread]) for thread in range(8)]
        for writer in writers:
            writer.start()
        self.assertTrue(enough.wait(adt.DEADLINE_S))
        self.server.end(adt.signal.SIGKILL)
        for writer in writers:
            writer.join()
        self.server = self.start()
        for twin_id, etag in answered:
            answer = self.server.get(f"/digitaltwins/{twin_id}")
            self.assertEqual((200, etag, float(twin_id.split("-")[1])), (answer.status, answer.etag, answer.json["temp"]))

    def test_a_full_disk_ends_the_process_and_keeps_what_was_answered(self):
        self.server.end()
        server = self.start(file_size_max=1 << 20)
        kept = []
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            for number in range(10000):
                answer = server.put(f"/digitaltwins/d{number}", twin("Room", sensor={"$metadata": {}}, name="x" * 4000))
                if answer.status != 200:
                    self.refused(answer, 500, "InternalServerError")
                    break
                kept.append(f"d{number}")
        self.assertEqual(gemel.ENVIRONMENT, server.process.wait(adt.DEADLINE_S), "".join(server.log))
        self.assertGreater(len(kept), 10)
        server = self.start()
        there = {row["$dtId"] for row in server.query("SELECT * FROM DIGITALTWINS", 1000)}
        self.assertLessEqual(set(kept), there)
        self.assertLessEqual(len(there), len(kept) + 1)


class Limits(adt.Case):
    def test_twins_and_relationships_may_be_bounded(self):
        self.model("Room", {"temp": "double"}, relationships=["next"])
        server = self.serve(limits={"twins": 3, "relationships": 2, "twin_relationships": 1})
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda number: server.put(f"/digitaltwins/r{number}", twin("Room")), range(6)))
        self.assertEqual([200] * 3 + [400] * 3, sorted(answer.status for answer in answers))
        self.refused(next(answer for answer in answers if answer.status == 400), 400, "TwinLimitReached")
        self.assertEqual([{"COUNT": 3}], server.query("SELECT COUNT() FROM DIGITALTWINS"))
        ids = [row["$dtId"] for row in server.query("SELECT * FROM DIGITALTWINS")]
        self.assertEqual(200, server.make(ids[0], "Room", temp=2).status)  # a replacement
        body = {"$relationshipName": "next", "$targetId": ids[1]}
        self.assertEqual(200, server.put(f"/digitaltwins/{ids[0]}/relationships/a", body).status)
        self.refused(server.put(f"/digitaltwins/{ids[0]}/relationships/b", body), 400, "LimitExceeded")  # out of one twin
        self.refused(server.put(f"/digitaltwins/{ids[2]}/relationships/b", body), 400, "LimitExceeded")  # into one
        self.assertEqual(200, server.put(f"/digitaltwins/{ids[1]}/relationships/b", {**body, "$targetId": ids[2]}).status)
        self.refused(server.put(f"/digitaltwins/{ids[2]}/relationships/c", {**body, "$targetId": ids[0]}), 400, "LimitExceeded")  # in all
        self.assertEqual(204, server.delete(f"/digitaltwins/{ids[0]}/relationships/a").status)
        self.assertEqual(200, server.put(f"/digitaltwins/{ids[2]}/relationships/c", {**body, "$targetId": ids[0]}).status)


class Telemetry(adt.Case):
    def setUp(self):
        super().setUp()
        self.write("models/m.json", adt.json.dumps([
            adt.interface("Sensor", telemetry={"reading": "double"}),
            adt.interface("Room", {"temp": "double"}, components={"sensor": "Sensor"}, telemetry={"humidity": "double"})]))
        self.server = self.serve()
        self.server.make("r1", "Room", sensor={"$metadata": {}})

    def test_messages_are_taken(self):
        for path, message in (("/digitaltwins/r1/telemetry", {"humidity": 0.5}), ("/digitaltwins/r1/components/sensor/telemetry", {"reading": 3}),
                              ("/digitaltwins/r1/telemetry", {"other": "is the sender's own"})):
            answer = self.server.post(path, message, Message_Id="m1", Telemetry_Source_Time="2024-05-06T07:08:09.1Z")
            self.assertEqual((204, b""), (answer.status, answer.body))

    def test_what_is_wrong_is_refused(self):
        path = "/digitaltwins/r1/telemetry"
        self.refused(self.server.post(path, {"humidity": 0.5}), 400, "ValidationFailed")
        self.refused(self.server.post(path, {"humidity": "wet"}, Message_Id="1"), 400, "ValidationFailed")
        self.refused(self.server.post(path, {"humidity": 1}, Message_Id="1", Telemetry_Source_Time="noon"), 400, "ValidationFailed")
        self.assertEqual(400, self.server.post(path, "{", Message_Id="1").status)
        self.refused(self.server.post("/digitaltwins/none/telemetry", {}, Message_Id="1"), 404, "DigitalTwinNotFound")
        self.refused(self.server.post("/digitaltwins/r1/components/none/telemetry", {}, Message_Id="1"), 404, "ComponentNotFound")
        self.refused(self.server.post("/digitaltwins/r1/components/temp/telemetry", {}, Message_Id="1"), 404, "ComponentNotFound")
        self.assertEqual(413, self.server.post(path, {"x": "y" * (40 << 10)}, Message_Id="1").status)


if __name__ == "__main__":
    gemel.main()
