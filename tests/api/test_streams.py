#!/usr/bin/env python3
"""Streams over HTTP: events in every form, taken once; pages, long polls and server-sent events."""
import gzip
import json
import shutil
import signal
import subprocess
import threading
import unittest

import adt
import gemel

NDJSON = {"Content_Type": "application/x-ndjson"}


def lines(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


def reading(machine, n=0, **more):
    return {"machine": {"machineId": machine}, "n": n, "at": f"2026-11-20T17:00:{n % 60:02d}Z", **more}


class Streams(adt.Case):
    STREAMS = {
        "telemetry": {"key": "machine.machineId", "time": "at", "partitions": 2, "sequence": "seq", "origin": "gateway"},
        "cloud": {},
        "orders": {"versions": True, "types": {"placed": {"required": {"amount": "double"}}, "paid": {}}},
    }

    def setUp(self):
        super().setUp()
        self.model("Room", {"temp": "double"})
        self.server = self.serve({"streams": self.STREAMS})

    def tearDown(self):
        connection = getattr(self.server.local, "connection", None)
        if connection is not None:
            connection.close()

    def push(self, stream, body, **headers):
        headers = headers or NDJSON
        return self.server.call("POST", f"/streams/{stream}/events", body, version=None, **headers)

    def read(self, stream, query=""):
        answer = self.server.get(f"/streams/{stream}/events{query}", version=None)
        self.assertEqual(200, answer.status, answer)
        return answer.json

    def bodies(self, stream):
        return [event["body"] for event in self.read(stream, "?limit=10000")["value"]]

    # ---- forms ----

    def test_lines_are_appended_as_they_came(self):
        answer = self.push("telemetry", lines(reading(1, 1), reading(2, 2)))
        self.assertEqual((200, {"appended": 2, "duplicates": 0}), (answer.status, answer.json))
        events = {event["key"]: event for event in self.read("telemetry")["value"]}
        self.assertEqual({"1", "2"}, set(events))
        self.assertEqual(reading(1, 1), events["1"]["body"])
        self.assertEqual("2026-11-20T17:00:02Z", events["2"]["time"])

    def test_arrays_and_single_values(self):
        self.assertEqual(2, self.push("telemetry", json.dumps([reading(1), reading(2)]), Content_Type="application/json").json["appended"])
        self.assertEqual(1, self.push("telemetry", json.dumps(reading(3), indent=2), Content_Type="application/json; charset=utf-8").json["appended"])
        self.assertEqual(3, len(self.bodies("telemetry")))

    def test_cloud_events_in_three_modes(self):
        event = {"specversion": "1.0", "id": "a", "source": "/gw", "type": "reading", "subject": "m1", "time": "2026-11-20T17:00:00Z", "data": {"t": 1}}
        self.assertEqual(1, self.push("cloud", json.dumps(event), Content_Type="application/cloudevents+json").json["appended"])
        batch = [event, {**event, "id": "b"}]
        self.assertEqual({"appended": 1, "duplicates": 1},
                         self.push("cloud", json.dumps(batch), Content_Type="application/cloudevents-batch+json").json)
        answer = self.push("cloud", '{"t":3}', Content_Type="application/json", ce_specversion="1.0", ce_id="c", ce_source="/gw",
                           ce_type="reading", ce_subject="m%201", ce_time="2026-11-20T17:00:03Z")
        self.assertEqual({"appended": 1, "duplicates": 0}, answer.json)
        events = self.read("cloud")["value"]
        self.assertEqual([("m1", "a"), ("m1", "b"), ("m 1", "c")], [(one["key"], one["id"]) for one in events])
        self.assertEqual({"t": 3}, events[2]["body"])
        self.assertEqual({"/gw"}, {one["origin"] for one in events})
        del event["id"]
        self.refused(self.push("cloud", json.dumps(event), Content_Type="application/cloudevents+json"), 400, "InvalidEvents")

    def test_compressed_bodies(self):
        body = lines(*(reading(n, n) for n in range(1000))).encode()
        answer = self.push("telemetry", gzip.compress(body), Content_Encoding="gzip", **NDJSON)
        self.assertEqual(1000, answer.json["appended"])
        half = gzip.compress(body)[:-20]
        self.refused(self.push("telemetry", half, Content_Encoding="gzip", **NDJSON), 400, "InvalidArgument")
        self.refused(self.push("telemetry", body, Content_Encoding="gzip", **NDJSON), 400, "InvalidArgument")
        self.refused(self.push("telemetry", body, Content_Encoding="br", **NDJSON), 400, "InvalidArgument")
        bomb = gzip.compress(b" " * (40 << 20))
        self.refused(self.push("telemetry", bomb, Content_Encoding="gzip", **NDJSON), 413, "RequestEntityTooLarge")
        self.assertEqual(1000, len(self.bodies("telemetry")))

    @unittest.skipUnless(shutil.which("zstd"), "needs zstd")
    def test_zstd_bodies(self):
        body = lines(*(reading(n, n) for n in range(100))).encode()
        packed = subprocess.run(["zstd", "-q", "-c"], input=body, stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(100, self.push("telemetry", packed, Content_Encoding="zstd", **NDJSON).json["appended"])
        self.refused(self.push("telemetry", packed[:-5], Content_Encoding="zstd", **NDJSON), 400, "InvalidArgument")

    # ---- what is wrong ----

    def test_wrong_events_are_named_and_nothing_is_taken(self):
        body = lines(reading(1)) + "{\n" + lines({"n": 1}, reading(2))
        answer = self.push("telemetry", body)
        self.refused(answer, 400, "InvalidEvents")
        self.assertEqual(["event 2:", "event 3:"], [one["message"][:8] for one in answer.json["error"]["details"]])
        self.assertEqual([], self.bodies("telemetry"))
        answer = self.server.call("POST", "/streams/telemetry/events?partial=true", body, version=None, **NDJSON)
        self.assertEqual((2, 2), (answer.json["appended"], answer.json["wrongCount"]))
        self.assertEqual([2, 3], [one["number"] for one in answer.json["wrong"]])

    def test_streams_and_types_that_are_not_there(self):
        self.refused(self.push("nothing", "{}"), 404, "StreamNotFound")
        self.refused(self.push("telemetry", "<a/>", Content_Type="application/xml"), 415, "UnsupportedMediaType")
        answer = self.push("orders", lines({"key": "o1", "type": "placed", "amount": "much"}, {"key": "o1", "type": "lost"}))
        self.refused(answer, 400, "InvalidEvents")
        messages = [one["message"] for one in answer.json["error"]["details"]]
        self.assertEqual(["event 1: `amount` of a `placed`: double is wanted", "event 2: its type `lost` is not declared"], messages)

    def test_only_writers_write(self):
        answer = self.server.send("POST", "/streams/telemetry/events", lines(reading(1)), {"Content-Type": "application/x-ndjson"})
        self.assertEqual(401, answer.status)
        self.assertEqual(401, self.server.send("GET", "/streams").status)

    # ---- once ----

    def test_a_repeated_request_is_taken_once(self):
        body = lines(reading(1, 1), reading(1, 1))
        for duplicates in (0, 2, 2):
            answer = self.push("telemetry", body, Idempotency_Key="k-1", **NDJSON)
            self.assertEqual({"appended": 2 - duplicates, "duplicates": duplicates}, answer.json)
        self.assertEqual(2, self.push("telemetry", body, Idempotency_Key="k-2", **NDJSON).json["appended"])

    def test_sequences_of_an_origin_are_taken_once_for_ever(self):
        body = lines(*(reading(1, n, gateway="g", seq=n) for n in (1, 3, 2, 3)))
        self.assertEqual({"appended": 3, "duplicates": 1}, self.push("telemetry", body).json)
        self.server.end(signal.SIGKILL)
        self.server = self.start()
        self.assertEqual({"appended": 0, "duplicates": 4}, self.push("telemetry", body).json)

    # ---- entities ----

    def entity(self, key, body, path="events", method="POST", **headers):
        return self.server.call(method, f"/streams/orders/entities/{key}/{path}", body, version=None, **(headers or NDJSON))

    def test_an_append_that_expects_another_version_is_refused(self):
        answer = self.entity("o%2F1", lines({"type": "placed", "amount": 5}), Content_Type="application/json", If_Match='"0"')
        self.assertEqual((200, 1, '"1"'), (answer.status, answer.json["version"], answer.etag))
        self.refused(self.entity("o%2F1", lines({"type": "paid"}), Content_Type="application/json", If_Match='"0"'), 409, "VersionConflict")
        self.assertEqual(3, self.entity("o%2F1", lines({"type": "paid"}, {"type": "paid"}), If_Match='"1"', **NDJSON).json["version"])
        entity = self.server.get("/streams/orders/entities/o%2F1", version=None).json
        self.assertEqual((3, 1, ["placed", "paid", "paid"]), (entity["version"], entity["first"], [one["type"] for one in entity["events"]]))
        self.refused(self.server.get("/streams/orders/entities/none", version=None), 404, "EntityNotFound")
        self.refused(self.server.get("/streams/cloud/entities/none", version=None), 400, "InvalidArgument")

    def test_a_repeated_append_is_no_conflict(self):
        for duplicates in (0, 1):
            answer = self.entity("o1", lines({"type": "paid"}), If_Match='"0"', Idempotency_Key="k", **NDJSON)
            self.assertEqual((200, {"appended": 1 - duplicates, "duplicates": duplicates, "version": 1}), (answer.status, answer.json))
        self.refused(self.entity("o1", lines({"type": "paid"}), If_Match='"0"', Idempotency_Key="other", **NDJSON), 409, "VersionConflict")

    def test_a_snapshot_stands_for_the_events_before_it(self):
        for n in range(50):
            self.entity("o1", lines({"type": "placed", "amount": n}, *({"type": "paid"} for _ in range(n % 3))))
        version = self.server.get("/streams/orders/entities/o1?limit=0", version=None).json["version"]
        self.assertEqual(99, version)
        put = self.server.put("/streams/orders/snapshots/o1", {"version": 90, "state": {"sum": 1}}, version=None)
        self.assertEqual(200, put.status, put)
        self.server.put("/streams/orders/snapshots/o1", {"version": 80, "state": {"sum": 0}}, version=None)
        self.refused(self.server.put("/streams/orders/snapshots/o1", {"version": 100, "state": 1}, version=None), 409, "VersionConflict")
        self.server.end(signal.SIGKILL)
        self.server = self.start()
        entity = self.server.get("/streams/orders/entities/o1", version=None).json
        self.assertEqual((90, {"sum": 1}), (entity["snapshot"]["version"], entity["snapshot"]["state"]))
        self.assertEqual((91, 9), (entity["first"], len(entity["events"])))
        every = self.server.get("/streams/orders/entities/o1?after=0", version=None).json
        self.assertEqual(list(range(50)), [one["body"]["amount"] for one in every["events"] if one["type"] == "placed"])
        self.assertEqual({"sum": 1}, self.server.get("/streams/orders/snapshots/o1", version=None).json["state"])
        self.refused(self.server.get("/streams/orders/snapshots/none", version=None), 404, "EntityNotFound")

    # ---- giving out ----

    def test_pages_go_on_at_their_cursor(self):
        self.push("telemetry", lines(*(reading(n, n) for n in range(50))))
        cursor, seen = "oldest", []
        while True:
            page = self.read("telemetry", f"?from={cursor}&limit=7")
            if not page["value"]:
                break
            seen += [event["body"]["n"] for event in page["value"]]
            cursor = page["cursor"]
        self.assertEqual(list(range(50)), sorted(seen))
        self.assertEqual([], self.read("telemetry", "?from=newest")["value"])
        one = self.read("telemetry", "?key=7")["value"]
        self.assertEqual([7], [event["body"]["n"] for event in one])
        self.refused(self.server.get("/streams/telemetry/events?from=x", version=None), 400, "InvalidArgument")

    def test_a_long_poll_ends_with_the_commit(self):
        cursor = self.read("telemetry")["cursor"]
        got = []
        waiting = threading.Thread(target=lambda: got.append(self.read("telemetry", f"?from={cursor}&wait=60s")))
        waiting.start()
        self.push("telemetry", lines(reading(5)))
        waiting.join(30)
        self.assertEqual(["5"], [event["key"] for event in got[0]["value"]])
        self.assertEqual([], self.read("telemetry", f"?from={got[0]['cursor']}&wait=10ms")["value"])

    def events(self, path, **headers):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.server.token}", "Accept": "text/event-stream", **headers})
        answer = connection.getresponse()
        self.assertEqual((200, "text/event-stream"), (answer.status, answer.headers["Content-Type"]))
        return connection, answer

    @staticmethod
    def next_event(answer):
        event = {}
        while True:
            line = answer.readline().decode().rstrip("\n")
            if line == "" and "data" in event:
                return event
            name, _, value = line.partition(": ")
            if name:
                event[name] = value

    def test_server_sent_events_resume_where_they_were(self):
        connection, answer = self.events("/streams/telemetry/events?from=oldest")
        self.push("telemetry", lines(reading(1, 1)))
        first = self.next_event(answer)
        self.push("telemetry", lines(reading(1, 2)))
        second = self.next_event(answer)
        self.assertEqual([1, 2], [json.loads(one["data"])["body"]["n"] for one in (first, second)])
        connection.close()
        _, answer = self.events("/streams/telemetry/events", **{"Last-Event-ID": first["id"]})
        self.assertEqual(2, json.loads(self.next_event(answer)["data"])["body"]["n"])

    def test_many_events_reach_a_follower_in_order(self):
        _, answer = self.events("/streams/telemetry/events?key=1")
        for batch in range(20):
            self.push("telemetry", lines(*(reading(1, batch * 500 + n, pad="x" * 200) for n in range(500))))
        got = [json.loads(self.next_event(answer)["data"])["body"]["n"] for _ in range(10000)]
        self.assertEqual(list(range(10000)), got)

    def test_changes_of_twins_are_a_feed_too(self):
        _, answer = self.events("/changes?from=newest")
        self.server.make("r1", "Room", temp=1)
        self.assertEqual("r1", json.loads(self.next_event(answer)["data"])["twin"])
        page = self.server.get("/changes?from=1", version=None).json
        self.assertIn("r1", [change.get("twin") for change in page["value"]])

    def test_the_server_ends_with_followers_that_wait(self):
        self.events("/streams/telemetry/events")
        self.events("/changes")
        # answered, or refused when it comes too late
        waiting = threading.Thread(target=lambda: self.server.get("/streams/cloud/events?wait=5m", version=None))
        waiting.start()
        self.push("telemetry", lines(reading(1)))
        self.assertEqual(0, self.server.end())
        waiting.join(30)
        self.assertFalse(waiting.is_alive())

    def test_streams_are_listed_with_their_figures(self):
        self.push("telemetry", lines(reading(1), reading(2)))
        listed = {one["name"]: one for one in self.server.get("/streams", version=None).json["value"]}
        self.assertEqual(set(self.STREAMS), set(listed))
        self.assertEqual((2, 2), (listed["telemetry"]["events"], listed["telemetry"]["partitions"]))
        self.assertEqual(listed["telemetry"], self.server.get("/streams/telemetry", version=None).json)


if __name__ == "__main__":
    gemel.main()
