#!/usr/bin/env python3
"""Commands: checked whole, appended once, race-free; states of entities; twins follow."""
import http.client
import json
import random
import signal
import threading
import time

import adt
import gemel

STREAMS = {
    "factories": {"versions": True, "state": "merge", "types": {"registered": {"required": {"factoryId": "integer", "name": "string"}}}},
    "machines": {
        "versions": True, "state": "merge", "partitions": 2,
        "types": {
            "registered": {"required": {"machineId": "integer", "factoryId": "integer", "serialNumber": "string"},
                           "optional": {"place.hall": "string", "place.row": "integer", "status": "string", "supervisor": "string"}},
            "maintained": {"required": {"machineId": "integer", "lastMaintenanceDate": "date"}, "optional": {"hours": "double"}},
            "stopped": {"required": {"machineId": "integer"}, "optional": {"status": "string"}},
        },
    },
    "counters": {"versions": True},
    "readings": {"time": "at"},
}
COMMANDS = {
    "register_factory": {"stream": "factories", "key": "factory-{factoryId}", "event": "registered", "when": "new"},
    "register_machine": {
        "stream": "machines", "key": "machine-{machineId}", "event": "registered", "when": "new", "help": "Puts a machine into service.",
        "fields": {"machineId": {"min": 1, "max": 99999}, "serialNumber": {"pattern": "^[A-Z]{2}[0-9]+$", "max": 8},
                   "status": {"values": ["running", "stopped"]}},
        "refers": [{"entity": "factory-{factoryId}", "stream": "factories"}],
    },
    "adopt_machine": {
        "stream": "machines", "key": "machine-{machineId}", "event": "registered", "when": "new",
        "refers": [{"twin": "factory-{factoryId}", "model": "dtmi:t:Factory;1"}, {"twin": "person-{supervisor}"}],
    },
    "record_maintenance": {
        "stream": "machines", "key": "machine-{machineId}", "event": "maintained", "when": "existing",
        "require": "status = 'running' AND (NOT IS_DEFINED(lastMaintenanceDate) OR $command.lastMaintenanceDate >= lastMaintenanceDate)",
    },
    "stop_machine": {"stream": "machines", "key": "machine-{machineId}", "event": "stopped", "when": "existing", "require": "status != 'stopped'"},
    "count": {"stream": "counters", "key": "{name}", "event": "counted"},
    "count_on": {"stream": "counters", "key": "{name}", "event": "counted", "when": "existing"},
    "read": {"stream": "readings", "key": "sensor-{sensor}", "event": "reading", "fields": {"value": {"type": "double", "required": True}}},
}
MACHINE = {"machineId": 7, "factoryId": 1, "serialNumber": "AB12", "status": "running"}


def pipeline(stream, model, mapping):
    return {"source": {"stream": {"name": stream, "linger": "20ms"}}, "sink": "twins", "schedule": "continuous",
            "map": {"$dtId": "{$event.key}", "$model": f"dtmi:t:{model};1", **mapping}}


class Commands(adt.Case):
    PIPELINES = {
        "factories": pipeline("factories", "Factory", {"name": "name"}),
        "machines": pipeline("machines", "Machine", {
            "serialNumber": "serialNumber", "status": "status", "lastMaintenanceDate": "lastMaintenanceDate",
            "relationships": [{"name": "locatedIn", "target": "factory-{factoryId}"}, {"name": "watchedBy", "target": "person-{supervisor}"}]}),
    }

    def setUp(self):
        super().setUp()
        self.model("Factory", {"name": "string"})
        self.model("Person", {"name": "string"})
        self.model("Machine", {"serialNumber": "string", "status": "string", "lastMaintenanceDate": "date"}, ["locatedIn", "watchedBy"])
        self.configure(self.PIPELINES, api={"listen": "127.0.0.1:0"}, admin={"listen": "127.0.0.1:0"}, streams=STREAMS, commands=COMMANDS)
        self.server = self.start()

    def tearDown(self):
        connection = getattr(self.server.local, "connection", None)
        if connection is not None:
            connection.close()
            self.server.local.connection = None

    def do(self, name, body, server=None, **headers):
        return (server or self.server).call("POST", f"/commands/{name}", json.dumps(body), version=None, Content_Type="application/json", **headers)

    def done(self, name, body, status=200, **headers):
        answer = self.do(name, body, **headers)
        self.assertEqual(status, answer.status, answer)
        return answer.json

    def entity(self, stream, key, query=""):
        answer = self.server.get(f"/streams/{stream}/entities/{key}{query}", version=None)
        return answer.json if answer.status == 200 else None

    def bodies(self, stream):
        return [event["body"] for event in self.server.get(f"/streams/{stream}/events?limit=10000", version=None).json["value"]]

    def factory(self, number=1):
        self.done("register_factory", {"factoryId": number, "name": f"Factory {number}"}, 201)

    # ---- what there is ----

    def test_commands_are_listed_with_their_schemas(self):
        listed = {one["name"]: one for one in self.server.get("/commands", version=None).json["value"]}
        self.assertEqual(set(COMMANDS), set(listed))
        machine = listed["register_machine"]
        self.assertEqual(("machines", "registered", "new", "Puts a machine into service."), tuple(machine[k] for k in ("stream", "event", "when", "help")))
        schema = machine["schema"]
        self.assertEqual(["machineId", "factoryId", "serialNumber"], schema["required"])
        self.assertEqual({"type": "integer", "format": "int32", "minimum": 1, "maximum": 99999}, schema["properties"]["machineId"])
        self.assertEqual(["running", "stopped"], schema["properties"]["status"]["enum"])
        self.assertEqual({"hall", "row"}, set(schema["properties"]["place"]["properties"]))
        self.assertFalse(schema["additionalProperties"])

    # ---- checking ----

    def problems(self, answer):
        self.assertEqual((400, "InvalidCommand"), answer.error, answer)
        return {one["target"]: one["message"] for one in answer.json["error"]["details"]}

    def test_every_problem_is_told_at_once(self):
        found = self.problems(self.do("register_machine", {
            "machineId": 100000, "serialNumber": "ab", "status": "idle", "factroyId": 1, "place": {"row": "x", "shelf": 1}}))
        self.assertEqual({"machineId", "serialNumber", "status", "factroyId", "factoryId", "place.row", "place.shelf"}, set(found))
        self.assertEqual("at most 99999 are wanted, found 100000", found["machineId"])
        self.assertEqual("it is not known here; did you mean `factoryId`?", found["factroyId"])
        self.assertEqual("it is not known here; known are: hall, row", found["place.shelf"])
        self.assertEqual("one of running, stopped is wanted, found \"idle\"", found["status"])
        self.assertIn("there is none", found["factoryId"])
        self.assertEqual([], self.bodies("machines"))

    def test_bodies_that_are_none(self):
        self.assertEqual({"": "an object is wanted"}, self.problems(self.do("count", [1])))
        self.assertIn("", self.problems(self.server.call("POST", "/commands/count", "{", version=None)))
        self.assertIn("duplicate", self.problems(self.server.call("POST", "/commands/count", '{"name":"a","name":"b"}', version=None))[""])
        self.assertIn("name", self.problems(self.do("count", {})))
        self.assertIn("name", self.problems(self.do("count", {"name": {}})))
        self.assertIn("name", self.problems(self.do("count", {"name": "x" * 2000})))
        self.assertEqual({"place"}, set(self.problems(self.do("register_machine", {**MACHINE, "place": 3}))))
        self.assertEqual((404, "CommandNotFound"), self.do("nothing", {}).error)

    def test_only_writers_do_commands(self):
        self.assertEqual(401, self.server.send("POST", "/commands/count", '{"name":"a"}').status)
        self.assertEqual(401, self.server.send("GET", "/commands").status)

    # ---- what must be so ----

    def test_new_and_existing(self):
        self.factory()
        self.assertEqual({"key": "machine-7", "version": 1, "partition": 0, "offset": 0},
                         {**self.done("register_machine", MACHINE, 201), "partition": 0})
        again = self.do("register_machine", MACHINE)
        self.assertEqual(((409, "EntityExists"), '"1"'), (again.error, again.etag))
        self.assertEqual((404, "EntityNotFound"), self.do("record_maintenance", {"machineId": 8, "lastMaintenanceDate": "2026-11-20"}).error)
        self.assertEqual(2, self.done("record_maintenance", {"machineId": 7, "lastMaintenanceDate": "2026-11-20"})["version"])

    def test_versions_that_moved(self):
        self.done("count", {"name": "a"}, 201)
        self.assertEqual(2, self.done("count", {"name": "a"}, If_Match='"1"')["version"])
        for name in ("count", "count_on"):
            answer = self.do(name, {"name": "a"}, If_Match='"1"')
            self.assertEqual(((409, "VersionConflict"), '"2"'), (answer.error, answer.etag))
            self.assertIn("Read it again", answer.message)
        self.assertEqual((400, "InvalidArgument"), self.do("count", {"name": "a"}, If_Match='"x"').error)
        self.assertIn("If-Match", self.problems(self.do("read", {"sensor": 1, "value": 2}, If_Match='"1"')))

    def test_conditions_over_state_and_command(self):
        self.factory()
        self.done("register_machine", MACHINE, 201)
        self.done("record_maintenance", {"machineId": 7, "lastMaintenanceDate": "2026-11-20"})
        answer = self.do("record_maintenance", {"machineId": 7, "lastMaintenanceDate": "2026-11-19"})
        self.assertEqual((409, "ConditionFailed"), answer.error)
        self.assertIn("lastMaintenanceDate", answer.message)
        self.done("stop_machine", {"machineId": 7, "status": "stopped"})
        self.assertEqual((409, "ConditionFailed"), self.do("stop_machine", {"machineId": 7, "status": "stopped"}).error)
        self.assertEqual((409, "ConditionFailed"), self.do("record_maintenance", {"machineId": 7, "lastMaintenanceDate": "2026-11-21"}).error)

    def test_what_is_referred_to_has_to_be_there(self):
        self.assertEqual((409, "ReferenceNotFound"), self.do("register_machine", MACHINE).error)
        self.assertEqual((409, "ReferenceNotFound"), self.do("adopt_machine", MACHINE).error)
        self.factory()
        self.done("register_machine", MACHINE, 201)
        self.twins_become(lambda twins: "factory-1" in twins)
        other = {**MACHINE, "machineId": 8}
        self.assertEqual((409, "ReferenceNotFound"), self.do("adopt_machine", {**other, "supervisor": "eve"}).error)
        self.server.put("/digitaltwins/factory-2", adt.twin("Person"))
        answer = self.do("adopt_machine", {**other, "factoryId": 2})
        self.assertEqual((409, "ReferenceNotFound"), answer.error)
        self.assertIn("dtmi:t:Factory;1", answer.message)
        self.done("adopt_machine", other, 201)

    def test_a_stream_without_versions_takes_readings(self):
        answer = self.done("read", {"sensor": 4, "value": 1.5, "at": "2026-11-20T17:00:00Z"})
        self.assertEqual({"key": "sensor-4", "partition": 0, "offset": 0}, answer)
        event = self.server.get("/streams/readings/events", version=None).json["value"][0]
        self.assertEqual(("sensor-4", "reading", "2026-11-20T17:00:00Z", "development"), tuple(event[k] for k in ("key", "type", "time", "origin")))
        self.assertEqual({"value", "when"}, set(self.problems(self.do("read", {"sensor": 4, "value": "1", "when": 2}))))
        self.assertEqual({""}, set(self.problems(self.do("read", {"sensor": 4, "value": 1, "at": "noon"}))))

    # ---- once ----

    def test_a_command_that_is_sent_again_is_answered_as_the_first_time(self):
        self.factory()
        first = self.do("register_machine", MACHINE, Idempotency_Key="k")
        self.done("stop_machine", {"machineId": 7, "status": "stopped"})
        for _ in range(2):
            again = self.do("register_machine", dict(reversed(MACHINE.items())), Idempotency_Key="k")
            self.assertEqual((201, first.json, '"1"'), (again.status, again.json, again.etag))
            self.assertEqual("true", again.headers["Idempotency-Replayed"])
            self.server.end(signal.SIGKILL)
            self.server = self.start()
        self.assertEqual((422, "IdempotencyKeyReused"), self.do("register_machine", {**MACHINE, "machineId": 9}, Idempotency_Key="k").error)
        reading = {"sensor": 1, "value": 1}
        self.assertEqual(self.done("read", reading, Idempotency_Key="k"), self.done("read", reading, Idempotency_Key="k"))
        self.done("read", reading, Idempotency_Key="l")
        self.assertEqual(2, len(self.bodies("readings")))

    def test_what_was_refused_is_looked_at_anew(self):
        self.assertEqual(409, self.do("register_machine", MACHINE, Idempotency_Key="k").status)
        self.factory()
        self.done("register_machine", MACHINE, 201, Idempotency_Key="k")

    # ---- states ----

    def test_the_state_is_what_the_events_come_to(self):
        self.factory()
        self.done("register_machine", {**MACHINE, "place": {"hall": "A", "row": 1}}, 201)
        self.done("record_maintenance", {"machineId": 7, "lastMaintenanceDate": "2026-11-20"})
        events = [{"type": "stopped", "machineId": 7, "status": None}, {"type": "registered", **MACHINE, "place": {"row": 2}}]
        self.server.call("POST", "/streams/machines/entities/machine-7/events", json.dumps(events), version=None, Content_Type="application/json")
        entity = self.entity("machines", "machine-7")
        self.assertEqual((4, 5, []), (entity["version"], entity["first"], entity["events"]))
        self.assertEqual({**MACHINE, "type": "registered", "lastMaintenanceDate": "2026-11-20", "place": {"hall": "A", "row": 2}}, entity["state"])
        self.assertEqual(4, len(self.entity("machines", "machine-7", "?after=0")["events"]))
        put = self.server.put("/streams/machines/snapshots/machine-7", {"version": 1, "state": {}}, version=None)
        self.assertEqual((400, "InvalidArgument"), put.error)

    def test_a_state_is_made_of_events_that_were_there_before(self):
        self.server.end()
        self.configure({}, api={"listen": "127.0.0.1:0"}, streams={"log": {"versions": True}})
        self.server = self.start()
        for n in range(600):
            self.server.call("POST", "/streams/log/entities/e/events", json.dumps({"n": n, f"m{n % 7}": n}), version=None, Content_Type="application/json")
        self.server.end()
        self.configure({}, api={"listen": "127.0.0.1:0"}, streams={"log": {"versions": True, "state": "merge"}})
        self.server = self.start()
        expected = {"n": 599, **{f"m{n % 7}": n for n in range(593, 600)}}
        for _ in range(2):
            self.assertEqual((600, expected), (lambda e: (e["version"], e["state"]))(self.entity("log", "e")))
        self.server.call("POST", "/streams/log/entities/e/events", '{"n":null}', version=None, Content_Type="application/json")
        del expected["n"]
        self.assertEqual((601, expected), (lambda e: (e["version"], e["state"]))(self.entity("log", "e")))

    # ---- twins follow ----

    def twins_become(self, wanted, seconds=30):
        end = time.monotonic() + seconds
        while True:
            twins = {twin["$dtId"]: twin for twin in self.server.query("SELECT * FROM DIGITALTWINS")}
            if wanted(twins):
                return twins
            self.assertLess(time.monotonic(), end, twins)
            time.sleep(0.02)

    def targets(self, twin):
        return {one["$relationshipName"]: one["$targetId"] for one in self.server.get(f"/digitaltwins/{twin}/relationships").json["value"]}

    def test_twins_and_their_relationships_follow(self):
        self.server.put("/digitaltwins/person-eve", adt.twin("Person"))
        self.factory()
        self.done("register_machine", {**MACHINE, "supervisor": "eve"}, 201)
        for day in ("2026-11-20", "2026-11-21"):
            self.done("record_maintenance", {"machineId": 7, "lastMaintenanceDate": day})
        twins = self.twins_become(lambda twins: twins.get("machine-7", {}).get("lastMaintenanceDate") == "2026-11-21")
        self.assertEqual(("AB12", "running"), (twins["machine-7"]["serialNumber"], twins["machine-7"]["status"]))
        self.assertEqual({"locatedIn": "factory-1", "watchedBy": "person-eve"}, self.targets("machine-7"))
        found = self.server.query("SELECT F FROM DIGITALTWINS M JOIN F RELATED M.locatedIn WHERE M.$dtId = 'machine-7'")
        self.assertEqual("factory-1", found[0]["F"]["$dtId"])
        self.factory(2)
        moved = {"type": "registered", **MACHINE, "factoryId": 2}
        self.server.call("POST", "/streams/machines/entities/machine-7/events", json.dumps(moved), version=None, Content_Type="application/json")
        self.done("stop_machine", {"machineId": 7, "status": "stopped"})
        self.twins_become(lambda twins: twins["machine-7"]["status"] == "stopped")
        self.assertEqual({"locatedIn": "factory-2", "watchedBy": "person-eve"}, self.targets("machine-7"))

    # ---- races and crashes ----

    def test_each_acknowledged_command_of_a_race_is_there_once(self):
        done, refused = [], []

        def work(worker):
            for n in range(40):
                body = {"name": "race", "by": worker, "n": n}
                answer = self.do("count" if n % 2 else "count_on", body)
                (done if answer.status < 300 else refused).append((answer.status, answer.json, body))

        self.done("count", {"name": "race"}, 201)
        self.join(self.in_threads(8, work))
        events = self.entity("counters", "race", "?limit=10000")["events"]
        self.assertEqual({503} if refused else set(), {status for status, _, _ in refused})
        self.assertGreater(len(done), 300)
        self.assertEqual(len(done) + 1, len(events))
        for _, answer, body in done:
            self.assertEqual(body, events[answer["version"] - 1]["body"])

    def test_one_of_many_makes_what_is_new(self):
        self.factory()
        answers = []
        self.join(self.in_threads(8, lambda worker: answers.append(self.do("register_machine", {**MACHINE, "serialNumber": f"AB{worker}"}))))
        self.assertEqual([201] + [409] * 7, sorted(answer.status for answer in answers))
        self.assertEqual(1, self.entity("machines", "machine-7")["version"])

    @staticmethod
    def join(threads):
        for thread in threads:
            thread.join(60)

    def in_threads(self, count, work):
        threads = [threading.Thread(target=self.then_close, args=(work, n)) for n in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def then_close(self, work, worker):
        try:
            work(worker)
        finally:
            self.tearDown()  # of this thread

    def test_a_storm_of_commands_survives_kills_each_once(self):
        chance = random.Random(5)
        answers, lock, stop = {}, threading.Lock(), threading.Event()

        def work(worker):
            for n in range(60):
                body = {"name": f"storm-{n % 3}", "command": f"{worker}-{n}"}
                while not stop.is_set():
                    try:
                        answer = self.do("count", body, server=self.server, Idempotency_Key=body["command"])
                    except (OSError, http.client.HTTPException):
                        self.tearDown()  # nobody is there, or the answer was cut
                        time.sleep(0.005)
                        continue
                    if answer.status < 300:
                        with lock:
                            answers[body["command"]] = (body, answer.json)
                        break
                    assert answer.status in (429, 503), answer

        threads, kills = self.in_threads(6, work), 0
        while any(thread.is_alive() for thread in threads) and kills < 20:
            with lock:
                goal = len(answers) + chance.randrange(40)
            while len(answers) < goal and any(thread.is_alive() for thread in threads):
                time.sleep(0.001)
            self.server.end(signal.SIGKILL)
            kills += 1
            self.server = self.start()
        self.join(threads)
        stop.set()
        self.assertGreater(kills, 4)
        self.assertEqual(360, len(answers))
        events = {f"storm-{n}": self.entity("counters", f"storm-{n}", "?limit=10000")["events"] for n in range(3)}
        self.assertEqual(sorted(answers), sorted(event["body"]["command"] for of in events.values() for event in of))
        for body, answer in answers.values():
            self.assertEqual(body, events[answer["key"]][answer["version"] - 1]["body"])

    # ---- the command line ----

    def test_the_command_line_works_with_and_without_a_server(self):
        self.assertIn("register_machine", self.gemel("commands").out)
        for server in (True, False):
            if not server:
                self.server.end()
            n = 1 if server else 2
            self.assertEqual(f"register_factory: factory-{n}, version 1\n",
                             self.gemel("command", "register_factory", json.dumps({"factoryId": n, "name": "F"})).out)
            self.write("body.json", json.dumps({**MACHINE, "machineId": n, "factoryId": n}))
            done = self.gemel("command", "register_machine", "@body.json", "--once", f"k{n}", "--json").json()
            self.assertEqual((f"machine-{n}", 1), (done["key"], done["version"]))
            self.assertEqual(done, self.gemel("command", "register_machine", "-", "--once", f"k{n}", "--json", input=(self.folder / "body.json").read_bytes()).json())
            failed = self.gemel("command", "register_machine", '{"machineId": 0, "factroyId": 1}', expect=gemel.FAILED)
            self.assertIn("factroyId: it is not known here; did you mean `factoryId`?", failed.err)
            self.assertIn("machineId: at least 1", failed.err)
            moved = self.gemel("command", "stop_machine", json.dumps({"machineId": n}), "--if-match", "5", expect=gemel.FAILED)
            self.assertIn("has version 1, not 5", moved.err)
            self.gemel("command", "stop_machine", json.dumps({"machineId": n, "status": "stopped"}), "--if-match", "1")
            self.gemel("command", "nothing", expect=gemel.USAGE)
            self.gemel("command", "count", "{}", "--if-match", "x", expect=gemel.USAGE)


class Wrong(gemel.Case):
    def refused(self, command, streams=None):
        self.configure({}, streams=streams or STREAMS, commands={"c": command})
        return self.gemel("check", expect=gemel.USAGE).err

    def test_configurations_that_cannot_be(self):
        machine = {"stream": "machines", "key": "m-{machineId}", "event": "registered"}
        for text, command in (
                ("there is no stream `none`", {**machine, "stream": "none"}),
                ("declares no type `lost`", {**machine, "event": "lost"}),
                ("write `event:`", {"stream": "machines", "key": "x"}),
                ("are no entities", {"stream": "readings", "key": "x", "when": "new"}),
                ("have no state", {"stream": "counters", "key": "x", "require": "a = 1"}),
                ("require", {**machine, "require": "a ="}),
                ("IS_OF_MODEL", {**machine, "require": "IS_OF_MODEL('dtmi:t:M;1')"}),
                ("`}`", {**machine, "key": "m-{machineId"}),
                ("declares it as integer", {**machine, "fields": {"machineId": {"type": "string"}}}),
                ("write its `type`", {**machine, "fields": {"more": {"required": True}}}),
                ("no number", {**machine, "fields": {"machineId": {"min": "x"}}}),
                ("is for texts", {**machine, "fields": {"machineId": {"pattern": "x"}}}),
                ("pattern", {**machine, "fields": {"serialNumber": {"pattern": "("}}}),
                ("no value of its type", {**machine, "fields": {"machineId": {"values": ["x"]}}}),
                ("is an object", {**machine, "fields": {"serialNumber.part": {"type": "string"}}}),
                ("refers", {**machine, "refers": [{"twin": "a", "entity": "b", "stream": "machines"}]}),
                ("refers", {**machine, "refers": [{"entity": "b", "stream": "readings"}]}),
                ("when", {**machine, "when": "sometimes"})):
            with self.subTest(text=text):
                self.assertIn(text, self.refused(command))
        self.assertIn("versions", self.refused({**machine}, {"machines": {"state": "merge", "types": {"registered": {}}}}))


if __name__ == "__main__":
    gemel.main()
