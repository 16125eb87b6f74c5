"""Event routes: made over the twin API, delivering to a webhook and a file while twins change; what happens when the other side
fails, delays, refuses, or the program is killed."""
import collections
import json
import signal
import threading
import time
import unittest
import urllib.error
import urllib.request

import adt
import gemel
import receiver

ROOM = adt.interface("Room", properties={"temp": "double", "label": "string"}, relationships={"near": {"since": "integer"}},
                     components={"door": "Door"}, telemetry={"noise": "double"})
HALL = adt.interface("Hall", properties={"temp": "double", "label": "string"})
DOOR = adt.interface("Door", properties={"open": "boolean"}, telemetry={"knock": "integer"})
QUICK = {"first": "20ms", "longest": "100ms"}
TWIN = "Microsoft.DigitalTwins.Twin."
RELATIONSHIP = "Microsoft.DigitalTwins.Relationship."


class Routes(adt.Case):
    def setUp(self):
        super().setUp()
        self.hook = receiver.Receiver()
        self.addCleanup(self.hook.close)
        for interface in (ROOM, HALL, DOOR):
            self.write(f"models/{interface['@id'].split(':')[2].split(';')[0]}.json", json.dumps(interface))

    def serve_routes(self, **endpoints):
        """Endpoints by name; `hook` and `log` are there always."""
        known = {"hook": {"webhook": {"url": self.hook.url, "retry": QUICK}}, "log": {"file": {"path": "./events.ndjson"}}}
        self.configure({}, api={"listen": "127.0.0.1:0"}, admin={"listen": "127.0.0.1:0"}, event_source="twins.example",
                       endpoints={**known, **endpoints})
        self.server = self.start()
        return self.server

    def restart(self):
        self.server = self.start()
        return self.server

    def route(self, route_id="r", endpoint="hook", filter="true"):
        answer = self.server.put(f"/eventroutes/{route_id}", {"endpointName": endpoint, "filter": filter})
        self.assertEqual(204, answer.status, answer)

    def admin_file(self):
        """Where the admin API is. It listens a moment after the twin API."""
        path, end = self.folder / "data/admin.json", time.monotonic() + receiver.DEADLINE_S
        while not path.exists():
            self.assertLess(time.monotonic(), end, "there is no admin.json")
            time.sleep(0.02)
        return json.loads(path.read_text())

    def admin(self, path, body=None):
        admin = self.admin_file()
        request = urllib.request.Request(admin["url"] + path, headers={"Authorization": f"Bearer {admin['token']}"},
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.loads(answer.read())

    def state(self, route_id="r"):
        return next(route for route in self.admin("/routes")["routes"] if route["id"] == route_id)

    def wait_state(self, condition, route_id="r", what="the route's state"):
        end = time.monotonic() + receiver.DEADLINE_S
        while not condition(self.state(route_id)):
            self.assertLess(time.monotonic(), end, (what, self.state(route_id)))
            time.sleep(0.05)

    def wait_taken(self, count):
        self.hook.wait(lambda: len(self.hook.taken) >= count, f"{count} events")
        return self.hook.taken

    def letters(self, route_id="r"):
        return self.admin(f"/routes/{route_id}/dead-letters")["dead_letters"]

    def lines(self, name="events.ndjson"):
        return [json.loads(line) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]


class Definitions(Routes):
    def test_a_route_is_made_shown_listed_replaced_and_deleted(self):
        server = self.serve_routes()
        self.assertEqual([], server.list("/eventroutes"))
        self.route("b", filter="type = 'x'")
        self.route("a", endpoint="log")
        self.assertEqual({"id": "b", "endpointName": "hook", "filter": "type = 'x'"}, server.get("/eventroutes/b").json)
        self.assertEqual(["a", "b"], [route["id"] for route in server.list("/eventroutes")])
        self.assertEqual(["a", "b"], [route["id"] for route in server.list("/eventroutes", max_items_per_page="1")])
        self.route("b", endpoint="log", filter="false")
        self.assertEqual({"id": "b", "endpointName": "log", "filter": "false"}, server.get("/EventRoutes/b").json)
        self.assertEqual(204, server.delete("/eventroutes/b").status)
        message = self.refused(server.delete("/eventroutes/b"), 404, "EventRouteNotFound")
        self.assertEqual("There is no route available that matches the provided input.", message)
        self.refused(server.get("/eventroutes/b"), 404, "EventRouteNotFound")

    def test_what_is_wrong_with_a_route_is_said(self):
        server = self.serve_routes()
        message = self.refused(server.put("/eventroutes/r", {"endpointName": "nowhere", "filter": "$eventType ="}), 400,
                               "EventRouteEndpointInvalid")
        self.assertTrue(message.startswith("The endpoint provided does not exist or is not active."), message)
        for filter, place in (("type ==", "column 7"), ("type", "column 1"), ("color = 'red'", "column 1"), ("$body", "column 1"),
                              ("(true", "column 6"), ("IS_NULL($body.a)", "column 1"), ("type IN ['a']", "column 6"),
                              ("type = \"a\"", "column 8")):
            message = self.refused(server.put("/eventroutes/r", {"endpointName": "hook", "filter": filter}), 400,
                                   "EventRouteFilterInvalid")
            self.assertIn(place, message, filter)
        self.refused(server.put("/eventroutes/r%2F1", {"endpointName": "hook", "filter": "true"}), 400, "EventRouteIdInvalid")
        self.refused(server.put("/eventroutes/" + "x" * 129, {"endpointName": "hook", "filter": "true"}), 400, "EventRouteIdInvalid")
        self.assertEqual([], server.list("/eventroutes"))

    def test_the_older_form_of_filters_is_understood(self):
        server = self.serve_routes()
        self.route(filter="$eventType = 'DigitalTwinTelemetryMessages' or $eventType = 'DigitalTwinLifecycleNotification'")
        server.make("a", "Room", door=adt_door())
        server.patch("/digitaltwins/a", [{"op": "add", "path": "/temp", "value": 1}])
        server.delete("/digitaltwins/a")
        self.assertEqual([TWIN + "Create", TWIN + "Delete"], [event["type"] for event in self.wait_taken(2)])

    def test_there_are_as_many_routes_as_the_limit_says(self):
        self.configure({}, api={"listen": "127.0.0.1:0", "limits": {"routes": 2}}, endpoints={"log": {"file": {"path": "e.ndjson"}}})
        self.server = self.start()
        self.route("a", endpoint="log")
        self.route("b", endpoint="log")
        self.refused(self.server.put("/eventroutes/c", {"endpointName": "log", "filter": "true"}), 400, "LimitExceeded")
        self.route("b", endpoint="log", filter="false")


def adt_door(**members):
    return {"$metadata": {}, **members}


class Shapes(Routes):
    def test_every_kind_of_event_has_the_documented_shape(self):
        server = self.serve_routes()
        server.make("before", "Room", door=adt_door())
        self.route()
        made = server.make("a", "Room", temp=20.5, door=adt_door(open=True)).json
        server.make("b", "Room", door=adt_door())
        server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": 21.5}])
        server.patch("/digitaltwins/a/components/door", [{"op": "replace", "path": "/open", "value": False}])
        link = server.link("a", "r1", "near", "b", since=3).json
        relationship = server.patch("/digitaltwins/a/relationships/r1", [{"op": "replace", "path": "/since", "value": 4}])
        server.post("/digitaltwins/a/telemetry", {"noise": 0.5}, Message_Id="m1", Telemetry_Source_Time="2026-01-02T03:04:05Z")
        server.post("/digitaltwins/a/components/door/telemetry", {"knock": 2}, Message_Id="m2")
        server.delete("/digitaltwins/a/relationships/r1")
        last = server.get("/digitaltwins/b").json
        server.delete("/digitaltwins/b")
        events = self.wait_taken(10)
        self.assertEqual([TWIN + "Create", TWIN + "Create", TWIN + "Update", TWIN + "Update", RELATIONSHIP + "Create",
                          RELATIONSHIP + "Update", "microsoft.iot.telemetry", "microsoft.iot.telemetry", RELATIONSHIP + "Delete",
                          TWIN + "Delete"], [event["type"] for event in events])
        self.assertEqual(10, len({event["id"] for event in events}))
        for event in events:
            self.assertEqual("1.0", event["specversion"])
            self.assertEqual("application/json", event["datacontenttype"])
            self.assertRegex(event["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$")
        twin, _, update, component, created, changed, telemetry, knock, removed, deleted = events
        self.assertEqual(("twins.example", "a"), (twin["source"], twin["subject"]))
        self.assertEqual(made, twin["data"])
        self.assertEqual(("a", {"modelId": "dtmi:t:Room;1", "patch": [{"op": "replace", "path": "/temp", "value": 21.5}]}),
                         (update["subject"], update["data"]))
        self.assertEqual([{"op": "replace", "path": "/door/open", "value": False}], component["data"]["patch"])
        self.assertEqual(("a/relationships/r1", link), (created["subject"], created["data"]))
        self.assertEqual(("a/relationships/r1", {"modelId": "dtmi:t:Room;1", "patch": [{"op": "replace", "path": "/since", "value": 4}]}),
                         (changed["subject"], changed["data"]))
        self.assertEqual(("m1", "twins.example/digitaltwins/a", "dtmi:t:Room;1", {"noise": 0.5}, "2026-01-02T03:04:05.0000000Z"),
                         (telemetry["id"], telemetry["source"], telemetry["dataschema"], telemetry["data"], telemetry["time"]))
        self.assertNotIn("subject", telemetry)
        self.assertEqual(("m2", "door", "dtmi:t:Door;1", {"knock": 2}),
                         (knock["id"], knock["subject"], knock["dataschema"], knock["data"]))
        self.assertEqual({**link, "since": 4, "$etag": relationship.etag}, removed["data"])
        self.assertEqual(("b", last), (deleted["subject"], deleted["data"]))
        self.assertEqual({"application/cloudevents+json; charset=utf-8"}, {request[1] for request in self.hook.requests})

    def test_the_model_of_an_update_is_the_one_at_that_time(self):
        server = self.serve_routes()
        self.hook.answer = lambda event, attempt: (503, {})
        self.route()
        server.make("a", "Hall", temp=1)
        server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": 2}])
        server.put("/digitaltwins/g", adt.twin("Hall", temp=1))
        server.patch("/digitaltwins/g", [{"op": "replace", "path": "/temp", "value": 2}])
        server.delete("/digitaltwins/g")
        answer = server.patch("/digitaltwins/a", [{"op": "replace", "path": "/$metadata/$model", "value": "dtmi:t:Room;1"},
                                                  {"op": "add", "path": "/door", "value": {"$metadata": {}}}])
        self.assertEqual(204, answer.status, answer)
        server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": 3}])
        self.assertEqual(0, server.end())  # what the route knew of them is gone
        self.hook.answer = lambda event, attempt: (200, {})
        self.restart()
        events = self.wait_taken(7)
        models = [(event["subject"], event["data"].get("modelId")) for event in events if event["type"] == TWIN + "Update"]
        self.assertEqual([("a", "dtmi:t:Hall;1"), ("g", "dtmi:t:Hall;1"), ("a", "dtmi:t:Room;1"), ("a", "dtmi:t:Room;1")], models)

    def test_filters_choose_by_fields_and_body(self):
        server = self.serve_routes()
        self.route("hot", endpoint="log", filter="type = 'Microsoft.DigitalTwins.Twin.Create' AND $body.temp >= 30")
        self.route("mine", filter="STARTS_WITH(subject, 'x-') AND NOT ENDS_WITH(type, 'Delete') AND $body.$metadata.$model != null "
                                  "OR CONTAINS(dataschema, 'Door')")
        for name, temp in (("x-1", 31), ("y-1", 30), ("y-2", 29.5)):
            server.make(name, "Room", temp=temp, door=adt_door())
        server.patch("/digitaltwins/x-1", [{"op": "replace", "path": "/temp", "value": 1}])
        server.post("/digitaltwins/y-1/components/door/telemetry", {"knock": 2}, Message_Id="m")
        server.delete("/digitaltwins/x-1")
        self.assertEqual(["x-1", "door"], [event["subject"] for event in self.wait_taken(2)])
        self.wait_state(lambda state: state["lag"] == 0, "hot")
        self.assertEqual(["x-1", "y-1"], [event["subject"] for event in self.lines()])


class Delivery(Routes):
    def patch(self, twin, value):
        answer = self.server.patch(f"/digitaltwins/{twin}", [{"op": "replace", "path": "/temp", "value": value}])
        self.assertEqual(204, answer.status, answer)

    def values(self, events, twin):
        """What patches set the twin's temp to, in the order that they were told."""
        return [event["data"]["patch"][0]["value"] for event in events if event["subject"] == twin and "patch" in event["data"]]

    def make_halls(self, *names):
        for name in names:
            self.server.make(name, "Hall", temp=0)

    def test_what_fails_comes_again_with_the_same_id_and_in_order(self):
        self.serve_routes()
        self.make_halls("a", "b")
        self.hook.answer = lambda event, attempt: (200 if attempt == 3 else 500, {})
        self.route()
        for value in range(1, 4):
            self.patch("a", value)
            self.patch("b", value)
        events = self.wait_taken(6)
        self.assertEqual([1, 2, 3], self.values(events, "a"))
        self.assertEqual([1, 2, 3], self.values(events, "b"))
        self.assertEqual({3}, set(self.hook.attempts.values()))
        self.wait_state(lambda state: state["failingSince"] is None and state["lag"] == 0)

    def test_retry_after_is_kept_to(self):
        self.serve_routes()
        self.make_halls("a")
        self.hook.answer = lambda event, attempt: (429, {"Retry-After": "1"}) if attempt == 1 else (200, {})
        self.route()
        self.patch("a", 1)
        self.wait_taken(1)
        first, second = (request[0] for request in self.hook.requests)
        self.assertGreaterEqual(second - first, 1)

    def test_a_refused_event_is_parked_with_the_later_ones_of_its_twin_until_it_is_redriven(self):
        self.serve_routes()
        self.make_halls("a", "b")
        self.hook.answer = lambda event, attempt: (400 if event["subject"] == "a" else 200, {})
        self.route()
        self.patch("a", 1)
        self.patch("b", 1)
        self.patch("a", 2)
        self.patch("b", 2)
        self.assertEqual([1, 2], self.values(self.wait_taken(2), "b"))
        self.wait_state(lambda state: state["deadLetters"] == 2 and state["lag"] == 0)
        letters = self.letters()
        self.assertEqual([("parked", 3, "answered 400"), ("held", 0, None)],
                         [(letter["status"], letter["attempts"], letter["error"]) for letter in letters])
        self.assertEqual([1, 2], self.values([letter["event"] for letter in letters], "a"))
        self.assertRegex(self.gemel("routes").out, r"r +hook +0 +2 +true")
        # one more, over a restart: it waits, too
        self.assertEqual(0, self.server.end())
        self.restart()
        self.patch("a", 3)
        self.patch("b", 3)
        self.wait_taken(3)
        self.wait_state(lambda state: state["deadLetters"] == 3)
        # refused again: nothing is lost
        self.assertEqual({"accepted": 3}, self.gemel("routes", "redrive", "r", letters[0]["num"], "--json").json())
        self.wait_state(lambda state: [letter["attempts"] for letter in self.letters()] == [4, 0, 0])
        self.assertEqual(["parked", "held", "held"], [letter["status"] for letter in self.letters()])
        self.hook.answer = lambda event, attempt: (200, {})
        self.assertEqual({"accepted": 3}, self.admin("/routes/r/redrive", {"twin": "a"}))
        events = self.wait_taken(6)
        self.assertEqual([1, 2, 3], self.values(events, "a"))
        self.wait_state(lambda state: state["deadLetters"] == 0)
        self.patch("a", 4)
        self.assertEqual([1, 2, 3, 4], self.values(self.wait_taken(7), "a"))

    def test_what_waits_behind_a_dropped_letter_is_delivered(self):
        self.serve_routes()
        self.make_halls("a")
        self.hook.answer = lambda event, attempt: (422 if event["data"]["patch"][0]["value"] == 1 else 200, {})
        self.route()
        for value in (1, 2, 3):
            self.patch("a", value)
        self.wait_state(lambda state: state["deadLetters"] == 3)
        self.assertEqual({"dropped": 1}, self.gemel("routes", "drop", "r", self.letters()[0]["num"], "--json").json())
        self.assertEqual([2, 3], self.values(self.wait_taken(2), "a"))
        self.wait_state(lambda state: state["deadLetters"] == 0)

    def test_an_event_is_given_up_after_attempts(self):
        self.serve_routes(hook={"webhook": {"url": self.hook.url, "retry": {**QUICK, "attempts": 2}}})
        self.make_halls("a", "b")
        self.hook.answer = lambda event, attempt: (500 if event["subject"] == "a" else 200, {})
        self.route()
        self.patch("a", 1)
        self.patch("b", 1)
        self.wait_taken(1)
        self.assertEqual([2], [letter["attempts"] for letter in self.letters()])

    def test_with_as_many_letters_as_there_may_be_the_route_waits(self):
        self.serve_routes(hook={"webhook": {"url": self.hook.url, "retry": {**QUICK, "attempts": 1, "max_letters": 1}}})
        self.make_halls("a", "b")
        self.hook.answer = lambda event, attempt: (500, {})
        self.route()
        for value in (1, 2):
            self.patch("a", value)
        self.wait_state(lambda state: state["deadLetters"] == 1 and state["error"] is not None)
        self.assertIn("as many dead letters as it may have", self.state()["error"])
        self.hook.answer = lambda event, attempt: (200, {})
        self.admin("/routes/r/redrive", {})
        self.assertEqual([1, 2], self.values(self.wait_taken(2), "a"))

    def test_a_stuck_endpoint_holds_up_its_own_route_only(self):
        slow = receiver.Receiver()
        self.addCleanup(slow.close)
        release = threading.Event()
        self.addCleanup(release.set)
        slow.answer = lambda event, attempt: (release.wait(20), (200, {}))[1]
        self.serve_routes(slow={"webhook": {"url": slow.url, "timeout": "30s"}})
        self.make_halls("a")
        self.route("slow", endpoint="slow")
        self.route("quick")
        self.route("file", endpoint="log")
        for value in range(20):
            self.patch("a", value)
        self.assertEqual(list(range(20)), self.values(self.wait_taken(20), "a"))
        self.wait_state(lambda state: state["lag"] == 0, "file")
        self.assertGreater(self.state("slow")["lag"], 10)
        # an end does not wait for it
        started = time.monotonic()
        self.assertEqual(0, self.server.end())
        self.assertLess(time.monotonic() - started, 10)

    def test_batches_carry_many_events_and_are_taken_apart_when_one_is_refused(self):
        self.serve_routes(hook={"webhook": {"url": self.hook.url, "batch": 50, "authorization": "Bearer x", "retry": QUICK}})
        self.make_halls("a", "b", "bad")
        self.hook.answer = lambda event, attempt: (503, {})
        self.route()
        for value in range(30):
            self.patch("a", value)
            if value == 10:
                self.patch("bad", 1)
        self.hook.answer = lambda event, attempt: (400 if event["subject"] == "bad" else 200, {})
        self.assertEqual(list(range(30)), self.values(self.wait_taken(30), "a"))
        self.wait_state(lambda state: state["deadLetters"] == 1)
        self.patch("b", 1)
        self.wait_taken(31)
        self.assertIn(("application/cloudevents-batch+json; charset=utf-8", "Bearer x"),
                      {(request[1], request[3]) for request in self.hook.requests})

    def test_a_route_begins_where_it_is_made_and_ends_where_it_is_deleted(self):
        self.serve_routes()
        self.make_halls("a")
        self.patch("a", 1)
        self.route()
        self.patch("a", 2)
        self.wait_taken(1)
        # with another definition it goes on where it was
        self.hook.answer = lambda event, attempt: (503, {})
        self.patch("a", 3)
        self.wait_state(lambda state: state["attempts"] > 0)
        self.route(filter="$body.modelId = 'dtmi:t:Hall;1'")
        self.hook.answer = lambda event, attempt: (200, {})
        self.assertEqual([2, 3], self.values(self.wait_taken(2), "a"))
        self.assertEqual(204, self.server.delete("/eventroutes/r").status)
        self.patch("a", 4)
        self.route()
        self.patch("a", 5)
        self.assertEqual([2, 3, 5], self.values(self.wait_taken(3), "a"))

    def test_a_route_whose_endpoint_went_goes_on_when_it_is_back(self):
        self.serve_routes()
        self.make_halls("a")
        self.route()
        with_hook = json.loads((self.folder / "gemel.yaml").read_text())
        with_hook["api"]["listen"] = self.server.url.removeprefix("https://")
        without = {**with_hook, "endpoints": {"log": with_hook["endpoints"]["log"]}}
        for settings in (without, with_hook):
            self.write("gemel.yaml", json.dumps(settings))
            self.server.process.send_signal(signal.SIGHUP)
            self.server.wait_for("reload.done")
            self.server.local.connection.close()  # the one before the reload
            self.server.local.connection = None
            if settings is without:
                self.wait_state(lambda state: state["error"] == "there is no endpoint `hook` in the configuration")
                self.patch("a", 1)
        self.assertEqual([1], self.values(self.wait_taken(1), "a"))
        self.wait_state(lambda state: state["error"] is None)

    def test_metrics_and_status_tell_of_routes(self):
        self.serve_routes()
        self.make_halls("a")
        self.hook.answer = lambda event, attempt: (500 if attempt == 1 else 200, {})
        self.route()
        self.patch("a", 1)
        self.wait_taken(1)
        self.wait_state(lambda state: state["lag"] == 0)
        admin = self.admin_file()
        with urllib.request.urlopen(admin["url"] + "/metrics", timeout=30) as answer:
            metrics = answer.read().decode()
        for line in ('gemel_route_events_total{route="r"} 1', 'gemel_route_failures_total{route="r"} 1',
                     'gemel_route_lag_changes{route="r"} 0', 'gemel_route_dead_letters{route="r"} 0'):
            self.assertIn(line + "\n", metrics)
        self.assertEqual("r", self.gemel("status", "--json").json()["routes"][0]["id"])
        self.assertIn("hook", self.gemel("status").out)


class Kill(Routes):
    def hammer(self, twins, stop, sent):
        value = max(sent.values(), default=0)
        try:
            while not stop.is_set():
                value += 1
                for twin in twins:
                    answer = self.server.patch(f"/digitaltwins/{twin}", [{"op": "replace", "path": "/temp", "value": value}])
                    if answer.status == 204:
                        sent[twin] = value
        except OSError:
            pass  # it was killed

    def test_after_a_kill_every_change_arrives_in_order_and_no_line_is_torn(self):
        server = self.serve_routes()
        twins = [f"t{i}" for i in range(5)]
        for name in twins:
            server.make(name, "Hall", temp=0)
        self.route("file", endpoint="log")
        self.route("hook")
        sent = {}
        for how_long in (0.4, 0.7):
            stop = threading.Event()
            thread = threading.Thread(target=self.hammer, args=(twins, stop, sent))
            thread.start()
            time.sleep(how_long)
            self.server.end(signal.SIGKILL)
            stop.set()
            thread.join()
            with open(self.folder / "events.ndjson", "ab") as file:
                file.write(b'{"torn":')  # what a write that a crash cut short leaves
            self.restart()
        self.wait_state(lambda state: state["lag"] == 0, "file")
        self.wait_state(lambda state: state["lag"] == 0, "hook")
        for events in (self.lines(), self.hook.taken):
            seen, ids = collections.defaultdict(list), {}
            for event in events:
                if event["id"] not in ids:  # again is fine, with the same content
                    ids[event["id"]] = event
                    if "patch" in event["data"]:
                        seen[event["subject"]].append(event["data"]["patch"][0]["value"])
                self.assertEqual(ids[event["id"]], event)
            for name in twins:
                values = seen[name]
                self.assertEqual(sorted(values), values, name)
                self.assertGreaterEqual(values[-1], sent[name], name)
                history = self.admin(f"/twins/{name}/history?limit=1000")["changes"]
                logged = [change["data"][0]["value"] for change in history if change["kind"] == "update"]
                self.assertEqual(logged[::-1], values, name)


class Files(Routes):
    def test_a_full_file_is_put_aside(self):
        self.serve_routes(log={"file": {"path": "./events.ndjson", "rotate": {"size": "4KiB", "keep": 2}}})
        self.server.make("a", "Hall", temp=0)
        self.route(endpoint="log")
        for value in range(60):
            self.server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": value}])
            if value % 5 == 0:
                self.wait_state(lambda state: state["lag"] == 0)
        self.wait_state(lambda state: state["lag"] == 0)
        names = sorted(path.name for path in self.folder.glob("events.ndjson*"))
        self.assertEqual(["events.ndjson", "events.ndjson.1", "events.ndjson.2"], names)
        values = [event["data"]["patch"][0]["value"] for name in names[::-1] for event in self.lines(name)]
        self.assertEqual(list(range(60))[-len(values):], values)

    def test_a_file_that_was_moved_away_is_begun_anew(self):
        self.serve_routes()
        self.server.make("a", "Hall", temp=0)
        self.route(endpoint="log")
        for value in (1, 2):
            self.server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": value}])
            self.wait_state(lambda state: state["lag"] == 0)
            (self.folder / "events.ndjson").rename(self.folder / f"moved-{value}")
        self.assertEqual([1, 1], [len(self.lines(f"moved-{value}")) for value in (1, 2)])


class Streams(Routes):
    def serve_stream(self, **stream):
        self.configure({}, api={"listen": "127.0.0.1:0"}, admin={"listen": "127.0.0.1:0"}, event_source="twins.example",
                       streams={"changes": {"partitions": 2, **stream}},
                       endpoints={"log": {"file": {"path": "./events.ndjson"}}, "changes": {"stream": {"name": "changes"}}})
        self.server = self.start()
        self.route("file", endpoint="log")
        self.route("stream", endpoint="changes")
        return self.server

    def in_stream(self):
        """Its events, by key."""
        events = collections.defaultdict(list)
        for line in self.gemel("tail", "changes", "--from", "oldest", "--json").out.splitlines():
            event = json.loads(line)
            events[event["key"]].append(event)
        return events

    def by_twin(self, events):
        twins = collections.defaultdict(list)
        for event in events:
            twin = event["subject"].split("/")[0] if "subject" in event else event["source"].rpartition("/")[2]
            twins[twin].append(event)
        return twins

    def test_a_stream_holds_the_events_of_each_twin_in_order(self):
        server = self.serve_stream()
        for name in ("a", "b"):
            server.make(name, "Room", temp=0, door=adt_door())
        server.put("/digitaltwins/a/relationships/r", {"$targetId": "b", "$relationshipName": "near"})
        server.patch("/digitaltwins/b", [{"op": "replace", "path": "/temp", "value": 2}])
        answer = server.post("/digitaltwins/a/telemetry", {"noise": 3}, Message_Id="m1", Telemetry_Source_Time="2026-01-02T03:04:05Z")
        self.assertEqual(204, answer.status, answer)
        for route in ("file", "stream"):
            self.wait_state(lambda state: state["lag"] == 0, route)
        wanted, found = self.by_twin(self.lines()), self.in_stream()
        self.assertEqual({"a": 3, "b": 2}, {name: len(events) for name, events in wanted.items()})
        self.assertEqual(wanted, {name: [event["body"] for event in events] for name, events in found.items()})
        for event in found["a"] + found["b"]:
            body = event["body"]
            self.assertEqual((body["type"], body["source"], body["id"]), (event["type"], event["origin"], event["id"]))
        self.assertTrue(found["a"][2]["time"].startswith("2026-01-02T03:04:05"), found["a"][2])

    def test_after_a_kill_every_event_is_there_once(self):
        server, sent = self.serve_stream(), 0
        server.make("a", "Hall", temp=0)
        for _ in range(2):
            for _ in range(30):
                sent += 1
                self.server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": sent}])
            self.server.end(signal.SIGKILL)
            self.restart()
        self.wait_state(lambda state: state["lag"] == 0, "stream")
        found = self.in_stream()["a"]
        self.assertEqual(list(range(1, sent + 1)), [event["body"]["data"]["patch"][0]["value"] for event in found[1:]])
        self.assertEqual(len(found), len({event["id"] for event in found}))

    def test_what_a_stream_cannot_take_is_a_dead_letter(self):
        server = self.serve_stream()
        for name in ("a", "b"):
            server.make(name, "Room", temp=0, door=adt_door())
        for name, message_id in (("a", "m" * 1025), ("a", "m"), ("b", "m")):
            answer = server.post(f"/digitaltwins/{name}/telemetry", {"noise": 3}, Message_Id=message_id)
            self.assertEqual(204, answer.status, answer)
        self.wait_state(lambda state: state["deadLetters"] == 2 and state["lag"] == 0, "stream")
        self.assertIn("its id has 1025 bytes", self.letters("stream")[0]["error"])
        self.assertEqual({"a": 1, "b": 2}, {name: len(events) for name, events in self.in_stream().items()})

    def test_a_stream_that_is_not_declared_is_said_at_once(self):
        self.configure({}, api={"listen": "127.0.0.1:0"}, endpoints={"x": {"stream": {"name": "nowhere"}}})
        self.assertIn("endpoints.x.stream.name: there is no stream `nowhere`", self.gemel("check", expect=gemel.USAGE).err)


class Offline(Routes):
    def test_routes_are_made_and_letters_seen_to_while_nothing_runs(self):
        self.serve_routes()
        self.server.make("a", "Hall", temp=0)
        self.assertEqual(0, self.server.end())
        self.gemel("routes", "put", "r", "--endpoint", "nowhere", expect=gemel.USAGE)
        self.gemel("routes", "put", "r", expect=gemel.USAGE)
        self.assertIn("column 1", self.gemel("routes", "put", "r", "--endpoint", "hook", "--filter", "type", expect=gemel.USAGE).err)
        self.gemel("routes", "put", "r", "--endpoint", "hook")
        self.gemel("routes", "put", "gone", "--endpoint", "log")
        self.gemel("routes", "delete", "gone")
        self.gemel("routes", "delete", "gone", expect=gemel.FAILED)
        self.assertEqual([("r", 0)], [(route["id"], route["lag"]) for route in self.gemel("routes", "--json").json()])
        self.hook.answer = lambda event, attempt: (400, {})
        self.restart()
        for value in (1, 2):
            self.server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": value}])
        self.wait_state(lambda state: state["deadLetters"] == 2)
        self.assertEqual(0, self.server.end())
        letters = self.gemel("routes", "letters", "r", "--json").json()
        self.gemel("routes", "redrive", "r", expect=gemel.USAGE)
        self.gemel("routes", "drop", "r", letters[0]["num"], "--all", expect=gemel.USAGE)
        self.assertEqual("1 dropped\n", self.gemel("routes", "drop", "r", letters[0]["num"]).out)
        self.assertEqual(["due"], [letter["status"] for letter in self.gemel("routes", "letters", "r", "--json").json()])
        self.assertEqual({"accepted": 1}, self.gemel("routes", "redrive", "r", "--all", "--json").json())
        self.hook.answer = lambda event, attempt: (200, {})
        self.restart()
        self.assertEqual(2, self.wait_taken(1)[0]["data"]["patch"][0]["value"])
        self.wait_state(lambda state: state["deadLetters"] == 0)


class Feed(Routes):
    def test_changes_are_read_onward_and_waited_for(self):
        server = self.serve_routes()
        server.make("a", "Hall", temp=0)
        first = self.admin("/changes?from=1")
        self.assertEqual((["create"], 2, 1, 1), ([change["kind"] for change in first["changes"]], first["next"], first["oldest"],
                                                first["newest"]))
        self.assertEqual(("a", 0, "development"), tuple(first["changes"][0][name] for name in ("twin", "pipeline", "actor")))
        self.assertEqual([], self.admin("/changes?from=2&wait=100ms")["changes"])
        waiting = []
        threads = [threading.Thread(target=lambda: waiting.append(self.admin("/changes?from=2&wait=30s"))) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": 1}])
        for thread in threads:
            thread.join()
        self.assertEqual([["update"]] * 3, [[change["kind"] for change in page["changes"]] for page in waiting])
        page = self.admin("/changes?from=1&limit=1")
        self.assertEqual((1, 2), (len(page["changes"]), page["next"]))
        for query in ("from=x", "limit=0", "limit=1001", "wait=2m", "wait=x", "what=1"):
            with self.assertRaises(urllib.error.HTTPError, msg=query) as failed:
                self.admin("/changes?" + query)
            self.assertEqual(400, failed.exception.code, query)
            failed.exception.close()

    def test_the_history_of_a_twin_comes_in_pages(self):
        server = self.serve_routes()
        server.make("a#b", "Hall", temp=0)
        for value in range(3):
            server.patch("/digitaltwins/a%23b", [{"op": "replace", "path": "/temp", "value": value}])
        page = self.admin("/twins/a%23b/history?limit=3")
        self.assertEqual(["update"] * 3, [change["kind"] for change in page["changes"]])
        rest = self.admin(f"/twins/a%23b/history?limit=3&before={page['next']}")
        self.assertEqual((["create"], None), ([change["kind"] for change in rest["changes"]], rest["next"]))
        with self.assertRaises(urllib.error.HTTPError) as failed:
            self.admin("/twins/nobody/history")
        self.assertEqual(404, failed.exception.code)
        failed.exception.close()

    def test_the_command_follows(self):
        server = self.serve_routes()
        server.make("a", "Hall", temp=0)
        patches = threading.Timer(0.3, lambda: [server.patch("/digitaltwins/a", [{"op": "replace", "path": "/temp", "value": value}])
                                                for value in range(3)])
        patches.start()
        changes = self.gemel("changes", "--follow", "--limit", "3", "--json").json_lines()
        patches.join()
        self.assertEqual([2, 3, 4], [change["num"] for change in changes])
        self.assertIn("create  a  development", self.gemel("changes", "--from", "1").out)


if __name__ == "__main__":
    gemel.main()
