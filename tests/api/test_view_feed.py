#!/usr/bin/env python3
"""Changes of views: whoever puts rows in place as they are told ends with what the view has, to the byte."""
import datetime
import json
import random
import signal
import socket
import threading
import time
import unittest

import adt
import gemel

NDJSON = {"Content_Type": "application/x-ndjson"}
BEGIN = datetime.datetime(2026, 11, 20, 17, tzinfo=datetime.timezone.utc)
SEED = 20261120


def at(second):
    return (BEGIN + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(machine, second, value, **more):
    return {"machine": {"machineId": machine}, "at": at(second), "value": value, **more}


def lines(events):
    return "".join(json.dumps(one) + "\n" for one in events)


class Model:
    """What a consumer keeps: the text of each row, by beginning of the window and key."""

    def __init__(self):
        self.rows = {}
        self.cursor = None
        self.resets = 0
        self.watermark = None
        self.kept_from = ""

    def put(self, text):
        row = json.loads(text)
        self.rows[row.get("start", ""), row["key"].encode()] = text

    def apply(self, message):
        self.cursor = message.get("id", self.cursor)
        kind = message.get("event")
        if kind == "reset":
            self.rows.clear()
            self.resets += 1
        elif kind == "watermark":
            told = json.loads(message["data"])
            self.watermark = told["watermark"]
            self.kept_from = told.get("keptFrom", "")
        else:
            self.put(message["data"])

    def page(self, page):
        """Of a long poll."""
        for row in page["value"]:
            self.put(json.dumps(row, separators=(",", ":"), ensure_ascii=False))
        self.cursor = page["cursor"]

    def text(self):
        kept = [text for (start, _), text in sorted(self.rows.items()) if start >= self.kept_from]
        return ('{"value":[' + ",".join(kept) + '],"continuationToken":null}').encode()


class ViewFeed(adt.Case):
    STREAMS = {"telemetry": {"key": "machine-{machine.machineId}", "time": "at", "partitions": 3}}
    VIEWS = {
        "latest": {"stream": "telemetry", "values": {"value": {"of": "value"}}},
        "per_minute": {"stream": "telemetry", "window": "1m", "lateness": "10s",
                       "values": {"value": {"of": "value", "as": ["count", "sum", "min", "max", "last", "p90"]}}},
        "hops": {"stream": "telemetry", "window": "1m", "hop": "20s", "lateness": "5s", "keep": "10m",
                 "values": {"value": {"of": "value", "as": ["count", "sum"]}}},
        "per_line": {"stream": "telemetry", "group": {"twin": "{key}", "via": ["partOf"]}, "window": "1m",
                     "values": {"value": {"of": "value", "as": ["count", "sum"]}}},
        "wide": {"stream": "telemetry", "values": {f"name{n}": {"of": "name"} for n in range(8)}},
        "by_kind": {"stream": "telemetry", "by": "kind", "values": {"value": {"of": "value"}}},
    }

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.model("Machine", {"name": "string"}, relationships=["partOf"])
        self.model("Line", {"name": "string"})
        self.clock = 0
        self.server = self.serve({"streams": self.STREAMS, "views": self.VIEWS})

    def tearDown(self):
        connection = getattr(self.server.local, "connection", None)
        if connection is not None:
            connection.close()

    # ---- events ----

    def push(self, events):
        answer = self.server.call("POST", "/streams/telemetry/events", lines(events), version=None, **NDJSON)
        self.assertEqual(200, answer.status, answer)

    def some(self, count, machines=20, late=0.1):
        """Events in the order of their times but for those that are late."""
        events = []
        for _ in range(count):
            self.clock += self.random.choice((0, 1, 1, 3))
            back = self.random.randrange(200) if self.random.random() < late else 0
            events.append(event(self.random.randrange(machines), max(0, self.clock - back), self.random.randrange(1000),
                                **({"kind": f"k{self.random.randrange(4)}"} if self.random.random() < .5 else {})))
        return events

    def lines_of_machines(self, machines=20):
        for line in range(3):
            self.server.make(f"line-{line}", "Line")
        for machine in range(machines):
            self.server.make(f"machine-{machine}", "Machine")
            self.server.link(f"machine-{machine}", "r", "partOf", f"line-{machine % 3}")

    def view(self, name):
        """What the view has, once it has all events."""
        deadline = time.monotonic() + 30
        while True:
            listed = {one["name"]: one for one in self.server.get("/views", version=None).json["value"]}
            if listed[name]["lag"] == 0 and not listed[name]["rebuilding"]:
                break
            self.assertLess(time.monotonic(), deadline, listed)
            time.sleep(0.01)
        answer = self.server.get(f"/views/{name}?limit=10000", version=None)
        self.assertEqual(200, answer.status, answer)
        return answer.body

    # ---- consumers ----

    def follow(self, view, cursor=None, query="?from=oldest"):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        headers = {"Authorization": f"Bearer {self.server.token}", "Accept": "text/event-stream"}
        connection.request("GET", f"/views/{view}/changes{query}", headers={**headers, **({"Last-Event-ID": cursor} if cursor else {})})
        answer = connection.getresponse()
        self.assertEqual((200, "text/event-stream"), (answer.status, answer.headers["Content-Type"]))
        return connection, answer

    @staticmethod
    def next_message(answer):
        message = {}
        while True:
            line = answer.readline()
            if not line.endswith(b"\n"):
                raise ConnectionError("cut off")
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "" and "data" in message:
                return message
            if name in ("id", "data", "event"):
                message[name] = value

    def read_until_equal(self, view, model, answer):
        wanted = self.view(view)
        texts = wanted.decode()[len('{"value":[{"key":'):-len('}],"continuationToken":null}')].split('},{"key":')
        left = {'{"key":' + text + "}" for text in texts} - set(model.rows.values())
        while left or model.text() != wanted:
            message = self.next_message(answer)
            model.apply(message)
            left.discard(message["data"])
        return wanted

    # ---- equal ----

    def check_view(self, name):
        model = Model()
        self.push(self.some(300))
        _, answer = self.follow(name)
        for _ in range(5):
            self.push(self.some(200))
        wanted = self.read_until_equal(name, model, answer)
        self.assertGreater(len(model.rows), 3)
        self.assertEqual(0, model.resets)
        return json.loads(wanted)["value"]

    def test_latest_values(self):
        self.assertEqual(20, len(self.check_view("latest")))

    def test_windows_with_late_data(self):
        rows = self.check_view("per_minute")
        self.assertTrue(any(row["corrections"] > 0 for row in rows))
        self.assertTrue(any(row["closed"] for row in rows) and not all(row["closed"] for row in rows))

    def test_windows_that_overlap_and_are_let_go(self):
        rows = self.check_view("hops")
        self.assertGreater(rows[0]["start"], at(0))

    def test_groups(self):
        self.lines_of_machines()
        rows = self.check_view("per_line")
        self.assertEqual({"line-0", "line-1", "line-2"}, {row["key"] for row in rows})

    def test_groups_that_change_count_as_the_view_counts_them(self):
        self.lines_of_machines(3)
        model = Model()
        _, answer = self.follow("per_line")
        self.push(self.some(100, machines=3))
        self.read_until_equal("per_line", model, answer)
        self.server.delete("/digitaltwins/machine-0/relationships/r")
        self.server.link("machine-0", "r", "partOf", "line-2")
        self.push(self.some(100, machines=3))
        self.read_until_equal("per_line", model, answer)

    def test_rows_by_a_path_of_the_body(self):
        self.assertEqual({"k0", "k1", "k2", "k3"}, {row["key"] for row in self.check_view("by_kind")})

    # ---- closing ----

    def test_a_window_that_closes_is_told_with_the_watermark(self):
        _, answer = self.follow("per_minute")
        self.push([event(1, 5, 10)])
        first = [self.next_message(answer) for _ in range(2)]
        self.assertEqual([False], [json.loads(one["data"])["closed"] for one in first if "event" not in one])
        self.push([event(1, 75, 20)])
        messages = [self.next_message(answer) for _ in range(3)]
        rows = {json.loads(one["data"])["start"]: json.loads(one["data"]) for one in messages if "event" not in one}
        self.assertTrue(rows[at(0)]["closed"])
        self.assertFalse(rows[at(60)]["closed"])
        told = [json.loads(one["data"]) for one in messages if one.get("event") == "watermark"]
        self.assertEqual([{"watermark": at(65)}], told)

    def test_a_partition_that_begins_late_opens_windows_again(self):
        model = Model()
        _, answer = self.follow("per_minute")
        self.push([event(1, second, 1) for second in (5, 65, 300)])
        self.read_until_equal("per_minute", model, answer)
        for machine in range(2, 12):
            self.push([event(machine, 30, 1)])
        rows = json.loads(self.read_until_equal("per_minute", model, answer))["value"]
        self.assertFalse(any(row["closed"] for row in rows))

    # ---- resuming ----

    def test_connections_cut_at_random_miss_nothing(self):
        for view in ("latest", "per_minute", "hops"):
            model = Model()
            for _ in range(12):
                connection, answer = self.follow(view, model.cursor)
                self.push(self.some(60))
                for _ in range(self.random.randrange(8)):  # rows that the events touched for sure
                    model.apply(self.next_message(answer))
                connection.close()
            _, answer = self.follow(view, model.cursor)
            self.read_until_equal(view, model, answer)
            self.assertEqual(0, model.resets)

    def test_a_server_that_is_killed_misses_nothing(self):
        self.lines_of_machines()
        models = {view: Model() for view in ("latest", "per_minute", "per_line")}
        for _ in range(3):
            answers = {view: self.follow(view, model.cursor)[1] for view, model in models.items()}
            self.push(self.some(200))
            for view, model in models.items():
                for _ in range(self.random.randrange(3)):
                    model.apply(self.next_message(answers[view]))
            self.push(self.some(100))
            self.server.end(signal.SIGKILL)
            self.server = self.start()
        for view, model in models.items():
            _, answer = self.follow(view, model.cursor)
            self.read_until_equal(view, model, answer)
            self.assertEqual(0, model.resets)

    def test_the_first_rows_can_be_cut_off_too(self):
        self.push(self.some(4000, machines=1000))
        model, wanted, connections = Model(), self.view("latest"), 0
        while model.text() != wanted:
            connection, answer = self.follow("latest", model.cursor)
            connections += 1
            for _ in range(300):
                model.apply(self.next_message(answer))
                if model.text() == wanted:
                    break
            connection.close()
        self.assertLess(2, connections)

    # ---- views made anew ----

    def test_a_view_made_anew_from_the_same_events_goes_on(self):
        self.lines_of_machines()
        for view in ("per_minute", "per_line"):
            model = Model()
            _, answer = self.follow(view)
            self.push(self.some(300))
            self.read_until_equal(view, model, answer)
            self.assertEqual(202, self.server.post(f"/views/{view}/rebuild", version=None).status)
            self.push(self.some(300))
            self.server.wait_for("view.rebuilt")
            self.push(self.some(100))
            self.read_until_equal(view, model, answer)
            self.assertEqual(0, model.resets)

    def test_a_view_made_anew_that_counts_for_others_is_another(self):
        """What keys belong to is asked anew for events behind the last save."""
        self.lines_of_machines(3)
        model = Model()
        _, answer = self.follow("per_line")
        self.push(self.some(100, machines=3))
        self.read_until_equal("per_line", model, answer)
        for machine in range(3):
            self.server.delete(f"/digitaltwins/machine-{machine}/relationships/r")
            self.server.link(f"machine-{machine}", "r", "partOf", "line-2")
        self.assertEqual(202, self.server.post("/views/per_line/rebuild", version=None).status)
        self.server.wait_for("view.rebuilt")
        self.push(self.some(100, machines=3))
        self.read_until_equal("per_line", model, answer)

    def test_a_view_of_other_settings_is_told_from_its_beginning(self):
        model = Model()
        _, answer = self.follow("per_minute")
        self.push(self.some(300))
        self.read_until_equal("per_minute", model, answer)
        self.assertEqual(0, self.server.end())
        views = {**self.VIEWS, "per_minute": {**self.VIEWS["per_minute"], "window": "2m"}}
        self.server = self.serve({"streams": self.STREAMS, "views": views})
        self.view("per_minute")
        refused = self.server.get(f"/views/per_minute/changes?from={model.cursor}", version=None)
        self.refused(refused, 410, "ViewChanged")
        _, answer = self.follow("per_minute", model.cursor)
        self.read_until_equal("per_minute", model, answer)
        self.assertEqual(1, model.resets)

    # ---- long polls ----

    def poll(self, view, query=""):
        answer = self.server.get(f"/views/{view}/changes{query}", version=None)
        self.assertEqual(200, answer.status, answer)
        return answer.json

    def test_long_polls_page_by_page(self):
        self.push(self.some(500))
        for limit in (1, 7, 1000):
            model = Model()
            cursor = "oldest"
            while True:
                page = self.poll("per_minute", f"?from={cursor}&limit={limit}")
                if not page["value"]:
                    break
                self.assertLessEqual(len(page["value"]), limit)
                model.page(page)
                cursor = page["cursor"]
            self.assertEqual(self.view("per_minute"), model.text())
            self.assertIn("watermark", page)
        self.push(self.some(50))
        self.view("per_minute")
        page = self.poll("per_minute", f"?from={cursor}&limit=10000")
        self.assertGreater(len(page["value"]), 0)
        model.page(page)
        while page["value"]:
            page = self.poll("per_minute", f"?from={page['cursor']}&limit=10000")
            model.page(page)
        self.assertEqual(self.view("per_minute"), model.text())

    def test_a_long_poll_ends_with_the_event(self):
        self.push([event(1, 1, 1)])
        self.view("latest")
        cursor = self.poll("latest", "?from=newest")["cursor"]
        got = []
        waiting = threading.Thread(target=lambda: got.append(self.poll("latest", f"?from={cursor}&wait=60s")))
        waiting.start()
        self.push([event(5, 2, 7)])
        waiting.join(30)
        self.assertEqual([{"key": "machine-5", "value": {"value": 7, "time": at(2)}}], got[0]["value"] if got else None)
        self.assertEqual([], self.poll("latest", f"?from={got[0]['cursor']}&wait=10ms")["value"])

    def test_one_key_alone(self):
        self.push(self.some(300))
        self.view("per_minute")
        rows = self.poll("per_minute", "?key=machine-7&limit=10000")["value"]
        self.assertEqual({"machine-7"}, {row["key"] for row in rows})
        wanted = self.server.get("/views/per_minute?key=machine-7&limit=10000", version=None).json["value"]
        self.assertEqual(wanted, rows)

    # ---- many ----

    def test_a_stuck_consumer_holds_up_nobody_and_is_seen(self):
        stuck = self.server.connect()
        stuck.connect()
        self.addCleanup(stuck.close)
        stuck.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.request("GET", "/views/wide/changes", headers={"Authorization": f"Bearer {self.server.token}",
                                                             "Accept": "text/event-stream"})  # and reads nothing
        model = Model()
        _, answer = self.follow("wide")
        for batch in range(12):  # more than fits between here and there
            self.push([event(machine, batch, batch, name="x" * 200 + str(batch)) for machine in range(1000)])
            self.read_until_equal("wide", model, answer)
        self.assertEqual(1000, len(model.rows))
        listed = {one["name"]: one for one in self.server.get("/views", version=None).json["value"]}["wide"]
        self.assertEqual((2, 0), (listed["followers"], listed["lag"]))
        self.assertGreater(listed["followerLag"], 0)

    # ---- what is wrong ----

    def test_cursors_that_are_none(self):
        self.push(self.some(50))
        self.view("latest")
        good = self.poll("latest", "?from=newest")["cursor"]
        identity, offsets, watermark = good.split(":")
        wrong = ["x", "1,2", identity, f"{identity}:{offsets}", f"{identity}:1,2:{watermark}", f"{identity}:1,2,99999:-",
                 f"{identity}:-1,0,0:-", f"{identity}:oldest:-", f"{identity[1:]}:{offsets}:-", f"{identity}:{offsets}:x",
                 f"{identity}:{offsets}:-:1", f"{identity}:{offsets}:-:-:-:!", f"{identity}:{offsets}:-:-:-:eA", good + ":"]
        for cursor in wrong:
            message = self.refused(self.server.get(f"/views/latest/changes?from={cursor}", version=None), 400, "InvalidArgument")
            self.assertIn("no cursor of view `latest`", message)
        self.refused(self.server.get("/views/nothing/changes", version=None), 404, "ViewNotFound")
        self.refused(self.server.get("/views/latest/changes?limit=0", version=None), 400, "InvalidArgument")
        self.refused(self.server.get("/views/latest/changes?wait=x", version=None), 400, "InvalidArgument")
        other = f"{'0' * 16}:{offsets}:{watermark}"
        self.refused(self.server.get(f"/views/latest/changes?from={other}", version=None), 410, "ViewChanged")

    def test_the_server_ends_with_followers_that_wait(self):
        self.follow("latest")
        waiting = threading.Thread(target=lambda: self.server.get("/views/latest/changes?from=newest&wait=5m", version=None))
        waiting.start()
        self.push([event(1, 1, 1)])
        self.assertEqual(0, self.server.end())
        waiting.join(30)
        self.assertFalse(waiting.is_alive())


if __name__ == "__main__":
    gemel.main()
