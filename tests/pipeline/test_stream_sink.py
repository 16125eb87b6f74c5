#!/usr/bin/env python3
"""Pipelines write streams: what changed in a table becomes events, and events of one stream go on into another; each once, in
order per key, also when the process is killed at any moment. A dozen kills; GEMEL_LONG=1 makes it two hundred, GEMEL_KILLS=n any
number; GEMEL_SEED repeats a series as far as threads repeat.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import adt
import gemel
from commits import Commits

KILLS = int(os.environ.get("GEMEL_KILLS", "200" if os.environ.get("GEMEL_LONG") else "12"))
SEED = int(os.environ.get("GEMEL_SEED") or random.SystemRandom().randrange(1 << 32))
EASY = {"missing": {"delete_after_runs": 1, "max_share": "100%"}}


def from_table(sink=None, **more):
    return {"source": {"sql": {"url": "sqlite:erp.db", "table": "part", "key": "id"}},
            "sink": {"stream": {"name": "changes", **(sink or {})}}, **EASY, **more}


def from_stream(sink=None, source="telemetry", **more):
    return {"source": {"stream": {"name": source}}, "sink": {"stream": {"name": "hot", **(sink or {})}}, **more}


class Case(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string"})

    def tail(self, stream, *options):
        return self.gemel("tail", stream, "--json", *options).json_lines()

    def told(self, stream="changes"):
        """(key, type, body) of each event, in order per key: keys come in order of their first event."""
        order, events = {}, self.tail(stream)
        for event in events:
            order.setdefault(event["key"], len(order))
        events.sort(key=lambda event: order[event["key"]])
        return [(event["key"], event.get("type"), event["body"]) for event in events]

    def append(self, stream, *events):
        text = "".join(json.dumps(event) + "\n" for event in events)
        return self.gemel("append", stream, "--json", input=text.encode()).json()

    def refused(self, pipelines, word, **settings):
        self.configure(pipelines, **settings)
        self.assertIn(word, self.gemel("check", expect=gemel.USAGE).err)


class FromTables(Case):
    STREAMS = {"changes": {"partitions": 2}}

    def setUp(self):
        super().setUp()
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name, size); INSERT INTO part VALUES (1, 'a', 1), (2, 'b', 2)")
        self.use(from_table())

    def use(self, pipeline, **streams):
        self.configure({"parts": pipeline}, streams={**self.STREAMS, **streams})

    def run_parts(self, *arguments, expect=gemel.DONE):
        return self.run_all("--pipeline", "parts", *arguments, expect=expect)["parts"]

    def test_what_is_new_changed_and_gone_becomes_an_event_and_nothing_else_does(self):
        run = self.run_parts()
        self.assertEqual((2, 2), (run.read, run.created))
        first = [("1", "created", {"id": 1, "name": "a", "size": 1}), ("2", "created", {"id": 2, "name": "b", "size": 2})]
        self.assertEqual(sorted(first), sorted(self.told()))
        self.assertEqual((2, 0), (lambda run: (run.unchanged, run.written))(self.run_parts()))
        self.assertEqual(2, len(self.tail("changes")))
        self.sql("erp.db", "UPDATE part SET size = 9 WHERE id = 2; DELETE FROM part WHERE id = 1; INSERT INTO part VALUES (3, 'c', 3)")
        run = self.run_parts()
        self.assertEqual((1, 1, 1), (run.created, run.updated, run.deleted))
        self.assertEqual([("1", "created"), ("1", "deleted"), ("2", "created"), ("2", "updated"), ("3", "created")],
                         sorted((key, kind) for key, kind, _ in self.told()))
        self.assertIn(("1", "deleted", {"key": "1"}), self.told())
        self.assertIn(("2", "updated", {"id": 2, "name": "b", "size": 9}), self.told())
        self.assertEqual({"parts"}, {event["origin"] for event in self.tail("changes")})

    def test_a_row_that_changes_back_is_told_each_time_and_one_that_returns_is_new(self):
        for size in (1, 5, 1):
            self.sql("erp.db", f"UPDATE part SET size = {size} WHERE id = 1")
            self.run_parts()
        self.sql("erp.db", "DELETE FROM part WHERE id = 1")
        self.run_parts()
        self.sql("erp.db", "INSERT INTO part VALUES (1, 'a', 1)")
        self.run_parts()
        self.assertEqual([("created", 1), ("updated", 5), ("updated", 1), ("deleted", None), ("created", 1)],
                         [(kind, body.get("size")) for key, kind, body in self.told() if key == "1"])

    def test_key_type_time_and_body_are_configurable(self):
        self.use(from_table({"key": "part-{number}", "type": "part.{kind}", "time": "at", "deleted": "part.gone"},
                            map={"number": "id", "kind": {"value": "bolt"}, "at": {"value": "2026-11-20T17:00:00Z"},
                                 "label": {"template": "{name}/{size}"}}))
        self.run_parts()
        self.assertEqual([("part-1", "part.bolt", "a/1"), ("part-2", "part.bolt", "b/2")],
                         sorted((key, kind, body["label"]) for key, kind, body in self.told()))
        self.assertEqual({"2026-11-20T17:00:00Z"}, {event["time"] for event in self.tail("changes")})
        self.sql("erp.db", "DELETE FROM part WHERE id = 2")
        self.run_parts()
        self.assertIn(("part-2", "part.gone", {"key": "2"}), self.told())

    def test_what_moves_to_another_key_is_gone_from_the_former_one(self):
        self.use(from_table({"key": "name"}))
        self.run_parts()
        self.sql("erp.db", "UPDATE part SET name = 'z' WHERE id = 1")
        run = self.run_parts()
        self.assertEqual(1, run.updated)
        self.assertEqual([("a", "created"), ("a", "deleted"), ("b", "created"), ("z", "created")],
                         sorted((key, kind) for key, kind, _ in self.told()))

    def test_other_steps_that_make_the_same_write_nothing(self):
        self.run_parts()
        self.use(from_table(map={"id": "id", "name": "name", "size": "size"}))
        run = self.run_parts()
        self.assertEqual((2, 0), (run.same, run.written))
        self.use(from_table(map={"id": "id", "size": "size"}))
        self.assertEqual(2, self.run_parts().updated)
        self.assertEqual({"id": 1, "size": 1}, [body for key, _, body in self.told() if key == "1"][-1])

    def test_a_resync_tells_only_what_differs(self):
        self.run_parts()
        run = self.run_parts("--resync")
        self.assertEqual((2, 0), (run.same, run.written))
        self.assertEqual(2, len(self.tail("changes")))

    def test_a_stream_that_was_made_anew_gets_everything_with_a_resync(self):
        self.run_parts()
        for path in (self.folder / "data/streams").glob("changes.db*"):
            path.unlink()
        self.sql("erp.db", "INSERT INTO part VALUES (3, 'c', 3)")
        self.assertEqual(1, self.run_parts().written)
        self.assertEqual(2, self.run_parts("--resync").created)
        self.assertEqual([("1", "created"), ("2", "created"), ("3", "created")],
                         sorted((key, kind) for key, kind, _ in self.told()))

    def test_an_older_copy_of_the_store_or_the_stream_is_not_passed_over_in_silence(self):
        self.run_parts()
        for name in ("store.db", "streams/changes.db"):
            with self.subTest(name=name):
                copy = (self.folder / "data" / name).read_bytes()
                self.sql("erp.db", "UPDATE part SET size = size + 1")
                self.run_parts()
                (self.folder / "data" / name).write_bytes(copy)
                self.sql("erp.db", "UPDATE part SET size = size + 1")
                self.assertIn("older copy", self.run_parts(expect=gemel.FAILED).error["message"])
                self.run_parts("--resync")
                sizes = {row[0]: row[1] for row in self.rows("SELECT id, size FROM part")}
                for key, size in sizes.items():
                    self.assertEqual(size, [body for at, _, body in self.told() if at == str(key)][-1]["size"])

    def rows(self, statement):
        database = sqlite3.connect(self.folder / "erp.db")
        try:
            return database.execute(statement).fetchall()
        finally:
            database.close()

    def test_deletions_pass_the_gates(self):
        self.use({**from_table(), "missing": {"delete_after_runs": 2, "max_share": "40%"}})
        self.sql("erp.db", "INSERT INTO part VALUES (3, 'c', 3), (4, 'd', 4), (5, 'e', 5)")
        self.run_parts()
        self.sql("erp.db", "DELETE FROM part WHERE id < 4")
        self.assertEqual(("waiting", 0), (lambda run: (run.sweep, run.deleted))(self.run_parts()))
        blocked = self.run_parts()
        self.assertEqual(("blocked", 0), (blocked.sweep, blocked.deleted))
        self.assertIn("60.0 %", blocked.reason)
        self.assertNotIn("deleted", {kind for _, kind, _ in self.told()})
        self.gemel("runs", "approve", blocked.num)
        self.assertEqual(["1", "2", "3"], sorted(key for key, kind, _ in self.told() if kind == "deleted"))
        self.assertEqual(0, self.run_parts().written)

    def test_an_empty_source_deletes_nothing(self):
        self.run_parts()
        self.sql("erp.db", "DELETE FROM part")
        self.assertEqual(("blocked", 0), (lambda run: (run.sweep, run.deleted))(self.run_parts()))

    def test_a_plan_says_what_would_be_told_and_tells_nothing(self):
        plan = self.gemel("plan", "parts", "--json").json()
        self.assertEqual(2, plan["report"]["counts"]["created"])
        self.assertEqual([], self.tail("changes") if (self.folder / "data/streams/changes.db").exists() else [])
        self.run_parts()
        self.sql("erp.db", "UPDATE part SET size = 7 WHERE id = 1; DELETE FROM part WHERE id = 2")
        plan = self.gemel("plan", "parts", "--json").json()["report"]["counts"]
        self.assertEqual((1, 1), (plan["updated"], plan["deleted"]))
        self.assertEqual(2, len(self.tail("changes")))
        self.assertEqual(2, self.run_parts().written)

    def test_verification_compares_the_source_with_the_last_event_of_each_object(self):
        self.run_parts()
        self.assert_equal_to_source("parts")
        self.sql("erp.db", "UPDATE part SET size = 7 WHERE id = 1; INSERT INTO part VALUES (9, 'x', 9)")
        report = self.gemel("verify", "parts", "--json", expect=gemel.FAILED).json()
        self.assertEqual([("different", "1"), ("missing", "9")],
                         sorted((one["kind"], one["key"]) for one in report["differences"]))

    def test_what_the_stream_does_not_take_is_a_dead_letter(self):
        self.use(from_table({"time": "size", "key": "name"}))
        self.sql("erp.db", "INSERT INTO part VALUES (3, '', 3), (4, 'd', 'late'), (5, NULL, 5)")
        run = self.run_parts()
        self.assertEqual((2, 3), (run.created, run.parked))
        letters = {letter["key"]: letter["error"] for letter in self.letters()}
        self.assertEqual({"3", "4", "5"}, set(letters))
        self.assertIn("`size`: a time", letters["4"])
        self.assertIn("`name`: a text", letters["5"])
        self.sql("erp.db", "UPDATE part SET name = 'c' WHERE id = 3; UPDATE part SET size = 4 WHERE id = 4")
        run = self.run_parts()
        self.assertEqual((2, 1), (run.created, run.parked))
        self.assertEqual(["5"], [letter["key"] for letter in self.letters()])

    def test_letters_are_redriven_through_the_steps_as_they_are(self):
        self.use(from_table(steps=[{"jq": "if .id == 2 then error(\"no\") else . end"}]))
        self.assertEqual((1, 1), (lambda run: (run.created, run.parked))(self.run_parts()))
        self.use(from_table(steps=[{"jq": "."}]))
        self.assertEqual({"applied": 1, "failed": 0, "held": 0},
                         self.gemel("dead-letters", "redrive", "parts", "--all", "--json").json())
        self.assertEqual(["1", "2"], sorted(key for key, _, _ in self.told()))
        self.assertEqual([], self.letters())
        run = self.run_parts()
        self.assertEqual((0, 2), (run.written, len(self.tail("changes"))))

    def test_types_that_the_stream_declares_are_kept(self):
        types = {"created": {"required": {"size": "double"}}, "updated": {}, "deleted": {}}
        self.use(from_table(), changes={"types": types})
        self.sql("erp.db", "INSERT INTO part VALUES (3, 'c', NULL)")
        self.assertEqual((2, 1), (lambda run: (run.created, run.parked))(self.run_parts()))
        self.assertIn("`size` of a `created`", self.letters()[0]["error"])
        self.refused({"parts": from_table({"deleted": "gone"})}, "`gone` is none of them", streams={"changes": {"types": types}})

    def test_the_sink_cannot_change_its_kind_but_it_may_change_its_stream(self):
        self.run_parts()
        self.use(from_table({"name": "others"}), others={})
        self.assertEqual(2, self.run_parts().created)
        self.assertEqual(2, len(self.tail("others")))
        self.use({**from_table(), "map": {"$dtId": "p-{id}", "$model": "dtmi:t:Part;1", "name": "name"}, "sink": "twins"}, others={})
        self.assertIn("into a stream so far", self.run_parts(expect=gemel.FAILED).error["message"])
        self.gemel("forget", "parts")
        self.assertEqual(2, self.run_parts().created)

    def test_what_is_forgotten_is_told_to_be_gone_when_that_is_wanted(self):
        self.run_parts()
        self.gemel("forget", "parts", "--delete")
        self.assertEqual(["1", "2"], sorted(key for key, kind, _ in self.told() if kind == "deleted"))
        self.assertEqual(2, self.run_parts().created)

    def test_what_is_wrong_is_found_offline(self):
        wrong = {"there is no stream `nothing`": from_table({"name": "nothing"}),
                 "`key`": from_table({"key": "part-{id"}),
                 "unknown setting": from_table({"keys": "id"}),
                 "there is no stream `none`": from_stream(source="none", sink={"name": "changes"}),
                 "reads the stream `changes` and writes it": from_stream(source="changes", sink={"name": "changes"})}
        for word, pipeline in wrong.items():
            with self.subTest(word=word):
                self.refused({"p": pipeline}, word, streams=self.STREAMS)


class FromStreams(Case):
    STREAMS = {"telemetry": {"key": "sensor", "time": "at", "type": "kind", "origin": "gateway", "sequence": "seq", "partitions": 2},
               "hot": {"partitions": 2}}

    def use(self, **pipeline):
        self.configure({"warm": from_stream(**pipeline)}, streams=self.STREAMS)

    def run_warm(self, *arguments, expect=gemel.DONE):
        return self.run_all("--pipeline", "warm", *arguments, expect=expect)["warm"]

    @staticmethod
    def reading(sensor, temp, second=0, **more):
        return {"sensor": sensor, "at": f"2026-11-20T17:{second // 60:02d}:{second % 60:02d}Z", "temp": temp, **more}

    def test_every_event_passes_in_order_also_several_of_a_key_and_late_ones(self):
        self.use(steps=[{"filter": "temp > 10"}])
        chance = random.Random(7)
        events = [self.reading(f"s{chance.randrange(5)}", chance.randrange(30), chance.randrange(3600), n=n) for n in range(500)]
        self.append("telemetry", *events[:300])
        first = self.run_warm()
        self.assertEqual((300, 0, 0), (first.read, first.stale, first.unchanged))
        self.append("telemetry", *events[300:])
        self.run_warm()
        self.assertEqual(0, self.run_warm().read)
        for sensor in {event["sensor"] for event in events}:
            expected = [event for event in events if event["sensor"] == sensor and event["temp"] > 10]
            self.assertEqual(expected, [event["body"] for event in self.tail("hot", "--key", sensor)])
        database = sqlite3.connect(self.folder / "data/store.db")
        self.assertEqual((0,), database.execute("SELECT COUNT(*) FROM sync_state").fetchone())
        database.close()

    def test_an_event_goes_on_as_it_came(self):
        self.use()
        body = '{"sensor":"s1","at":"2026-11-20T17:00:00Z","kind":"reading","gateway":"g","seq":5,"x":1.50,"y":[1e2,  "\\u00e9"]}'
        self.gemel("append", "telemetry", input=body.encode() + b"\n")
        self.run_warm()
        event, = self.tail("hot")
        before, = self.tail("telemetry")
        for name in ("key", "type", "time", "origin", "sequence", "body"):
            self.assertEqual(before.get(name), event.get(name), name)
        self.assertIn(body, self.gemel("tail", "hot").out)

    def test_steps_and_map_make_other_bodies_and_keys(self):
        self.use(sink={"key": "line-{line}", "type": "{$event.type}.hot"}, steps=[{"jq": ".temp += 1"}],
                 map={"line": "line", "temp": "temp", "sensor": "$event.key"})
        self.append("telemetry", self.reading("s1", 5, line=3, kind="reading"))
        self.run_warm()
        event, = self.tail("hot")
        self.assertEqual(("line-3", "reading.hot", {"line": 3, "temp": 6, "sensor": "s1"}), (event["key"], event["type"], event["body"]))
        self.assertEqual("2026-11-20T17:00:00Z", event["time"])

    def test_a_body_that_jq_made_has_no_trace_of_the_source_event(self):
        self.use(steps=[{"jq": ".temp += 1"}])
        self.append("telemetry", self.reading("s1", 5))
        self.run_warm()
        self.assertEqual([self.reading("s1", 6)], [event["body"] for event in self.tail("hot")])

    FUSSY = {"steps": [{"jq": "if .temp == 13 then error(\"thirteen\") else . end"}]}

    def test_a_bad_event_holds_back_its_key_until_its_letter_is_gone(self):
        self.use(**self.FUSSY)
        self.append("telemetry", self.reading("a", 1), self.reading("a", 13), self.reading("b", 13), self.reading("a", 2),
                    self.reading("c", 3), self.reading("a", 13))
        run = self.run_warm()
        self.assertEqual((2, 4), (run.created, run.parked))
        self.append("telemetry", self.reading("a", 4), self.reading("c", 5))
        run = self.run_warm()
        self.assertEqual((1, 1), (run.created, run.parked))
        self.assertEqual([("a", "parked"), ("b", "parked"), ("a", "held"), ("a", "parked"), ("a", "held")],
                         [(letter["key"], letter["status"]) for letter in sorted(self.letters(), key=lambda one: one["num"])])
        self.assertEqual({"applied": 0, "failed": 2, "held": 3},
                         self.gemel("dead-letters", "redrive", "warm", "--all", "--json", expect=gemel.FAILED).json())
        self.use(steps=[{"jq": "."}])
        self.assertEqual({"applied": 5, "failed": 0, "held": 0},
                         self.gemel("dead-letters", "redrive", "warm", "--all", "--json").json())
        self.append("telemetry", self.reading("a", 6))
        self.assertEqual((1, 0), (lambda run: (run.created, run.parked))(self.run_warm()))
        bodies = [event["body"]["temp"] for event in self.tail("hot", "--key", "a")]
        self.assertEqual([1, 13, 2, 13, 4, 6], bodies)
        self.assertEqual([13], [event["body"]["temp"] for event in self.tail("hot", "--key", "b")])

    def test_a_letter_that_is_dropped_holds_back_nothing_any_more(self):
        self.use(**self.FUSSY)
        self.append("telemetry", self.reading("a", 13), self.reading("a", 2))
        self.assertEqual(2, self.run_warm().parked)
        self.gemel("dead-letters", "drop", "warm", "--key", "a")
        self.append("telemetry", self.reading("a", 3))
        self.run_warm()
        self.assertEqual([3], [event["body"]["temp"] for event in self.tail("hot")])

    def test_a_redriven_event_is_what_it_was(self):
        self.use(**self.FUSSY)
        self.gemel("append", "telemetry", input=b'{"sensor":"a","temp":13,"kind":"k","gateway":"g","seq":7,"at":"2026-11-20T17:00:00.000000001Z"}\n')
        self.run_warm()
        self.use()
        self.gemel("dead-letters", "redrive", "warm", "--all")
        before, after = self.tail("telemetry")[0], self.tail("hot")[0]
        for name in ("key", "type", "time", "origin", "sequence", "body"):
            self.assertEqual(before.get(name), after.get(name), name)

    def test_what_is_too_large_is_a_dead_letter(self):
        self.use(steps=[{"jq": "if .temp == 1 then .text = (\"x\" * 1100000) else . end"}])
        self.append("telemetry", self.reading("a", 1), self.reading("b", 2))
        self.assertEqual((1, 1), (lambda run: (run.created, run.parked))(self.run_warm()))
        self.assertIn("1048576 bytes", self.letters()[0]["error"])

    def test_a_resync_passes_nothing_on_again_and_a_plan_nothing_at_all(self):
        self.use()
        self.append("telemetry", self.reading("a", 1), self.reading("a", 2))
        self.assertEqual(2, self.gemel("plan", "warm", "--json").json()["report"]["counts"]["created"])
        self.run_warm()
        self.assertEqual(0, self.run_warm("--resync").read)
        self.assertEqual(2, len(self.tail("hot")))
        self.assertIn("no whole to compare", self.gemel("verify", "warm", expect=None).err)

    def test_a_pipeline_that_was_forgotten_passes_everything_on_anew(self):
        self.use(**self.FUSSY)
        self.append("telemetry", self.reading("a", 1), self.reading("b", 13))
        self.run_warm()
        self.gemel("forget", "warm")
        self.assertEqual([], self.letters())
        self.assertEqual((1, 1), (lambda run: (run.created, run.parked))(self.run_warm()))
        self.assertEqual([1, 1], [event["body"]["temp"] for event in self.tail("hot")])


class Continuous(adt.Case):
    def test_events_go_on_while_gemel_runs(self):
        streams = {"telemetry": {"key": "sensor"}, "hot": {}, "hotter": {}}
        self.model("Part", {"name": "string"})
        self.configure({"warm": {**from_stream(steps=[{"filter": "temp > 10"}]), "schedule": "continuous"},
                        "warmer": {**from_stream(source="hot", sink={"name": "hotter"}, steps=[{"filter": "temp > 20"}]),
                                   "schedule": "continuous"}},
                       api={"listen": "127.0.0.1:0"}, streams=streams)
        server = self.start()
        expected = []
        for n in range(30):
            readings = [{"sensor": f"s{k}", "temp": (n * 7 + k) % 40, "n": n} for k in range(3)]
            expected += [one for one in readings if one["temp"] > 20]
            body = "".join(json.dumps(one) + "\n" for one in readings)
            self.assertEqual(200, server.call("POST", "/streams/telemetry/events", body, version=None,
                                              Content_Type="application/x-ndjson").status)
        end = time.monotonic() + 30
        seen = []
        while len(seen) < len(expected) and time.monotonic() < end:
            time.sleep(0.05)
            seen = [one["body"] for one in server.get("/streams/hotter/events?from=oldest&limit=1000", version=None).json["value"]]
        self.assertEqual(expected, seen)


    def test_letters_are_redriven_while_gemel_runs(self):
        """A run that never ends makes way for who works on its pipeline."""
        steps = [{"jq": "if .temp == 13 then error(\"no\") else . end"}]
        self.configure({"warm": {**from_stream(steps=steps), "schedule": "continuous"}}, streams={"telemetry": {"key": "sensor"}, "hot": {}},
                       api={"listen": "127.0.0.1:0"}, admin={"listen": "127.0.0.1:0"})
        server = self.start()

        def push(*temps):
            body = "".join(json.dumps({"sensor": "s", "temp": temp}) + "\n" for temp in temps)
            self.assertEqual(200, server.call("POST", "/streams/telemetry/events", body, version=None,
                                              Content_Type="application/x-ndjson").status)

        def seen():
            return [one["body"]["temp"] for one in server.get("/streams/hot/events?from=oldest&limit=1000", version=None).json["value"]]

        def wait_for(what):
            end = time.monotonic() + 30
            while not what():
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)

        push(1, 13, 2)
        wait_for(lambda: len(self.letters()) == 2)
        begin = time.monotonic()
        self.assertEqual({"applied": 0, "failed": 1, "held": 1},
                         self.gemel("dead-letters", "redrive", "warm", "--all", "--json", expect=gemel.FAILED).json())
        self.gemel("dead-letters", "drop", "warm", min(letter["num"] for letter in self.letters()))
        self.assertEqual({"applied": 1, "failed": 0, "held": 0},
                         self.gemel("dead-letters", "redrive", "warm", "--all", "--json").json())
        self.assertLess(time.monotonic() - begin, 20)
        push(3)
        wait_for(lambda: len(seen()) == 3)
        self.assertEqual([1, 2, 3], seen())
        server.local.connection.close()


class Kills(Case):
    """Tables change between runs that are killed; between two changes one run is left alone."""
    ROWS, EVENTS = 24000, 9000  # several batches each
    FILES = ("store.db", "streams/changes.db", "streams/hot.db", "streams/few.db")
    STREAMS = {"changes": {"partitions": 2}, "telemetry": {"partitions": 2, "key": "sensor"}, "hot": {"partitions": 2},
               "few": {}}

    def setUp(self):
        super().setUp()
        print(f"GEMEL_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.rows, self.number, self.sent, self.places, self.in_doubt = {}, 0, [], [0, 0], 0
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, v INTEGER)")
        self.configure({"parts": from_table(steps=[{"filter": "id <> 17"}]),
                        "warm": from_stream(steps=[{"jq": "if .v % 5000 == 13 then error(\"no\") else . end"}],
                                            errors={"max_letters": 1000000}),
                        "few": from_stream(source="changes", sink={"name": "few"}, steps=[{"filter": "v >= 0"}])},
                       streams=self.STREAMS, concurrency=3)

    def change(self):
        """Some rows come, change and go; which events that makes."""
        expected = []
        for key in self.chance.sample(range(self.ROWS), self.ROWS // 2):
            self.number += 1
            if key not in self.rows:
                expected.append((str(key), "created", {"id": key, "v": self.number}))
            elif self.chance.random() < 0.3:
                expected.append((str(key), "deleted", {"key": str(key)}))
            else:
                expected.append((str(key), "updated", {"id": key, "v": self.number}))
            if expected[-1][1] == "deleted":
                del self.rows[key]
            else:
                self.rows[key] = self.number
        self.sql("erp.db", "DELETE FROM part")
        self.sql("erp.db", "INSERT INTO part VALUES (?, ?)", *self.rows.items())
        return [event for event in expected if event[0] != "17"]

    def send(self):
        events = []
        for _ in range(self.EVENTS):
            self.number += 1
            events.append({"sensor": f"s{self.chance.randrange(3000)}", "v": self.number})
        self.append("telemetry", *events)
        self.sent += events

    def start(self):
        return subprocess.Popen([gemel.PROGRAM, "run", "--once"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def measure(self):
        """How many commits each file sees in a run that nothing disturbs."""
        commits = {name: Commits(self.folder / "data", name) for name in self.FILES}
        process = self.start()
        while process.poll() is None:
            for one in commits.values():
                one.look()
            time.sleep(0.0002)
        self.assertEqual(gemel.DONE, process.returncode)
        self.commits_max = {name: max(one.look(), 1) for name, one in commits.items()}

    def disturb(self):
        """One run, killed around a commit of one of the files. False: it had ended before."""
        name = self.chance.choice(self.FILES)
        target, pause_s = self.chance.randrange(self.commits_max[name] + 1), self.chance.choice((0, 0, 0.001, 0.01)) * self.chance.random()
        commits = Commits(self.folder / "data", name)
        process = self.start()
        while commits.look() < target and process.poll() is None:
            time.sleep(0.0001)
        time.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        met = process.wait(gemel.DEADLINE_S) == -signal.SIGKILL
        self.in_doubt += met and self.waiting() > 0
        return met

    def check_table(self, expected):
        """What came since the last look."""
        history, keys = {}, {}
        for event in self.tail("changes", "--from", ",".join(str(place) for place in self.places)):
            keys.setdefault(event["key"], []).append((event["type"], event["body"]))
            self.places[event["partition"]] = event["offset"] + 1
        for key, kind, body in expected:
            history.setdefault(key, []).append((kind, body))
        self.assertEqual(history, keys)

    def check_streams(self):
        """What passed and what is parked is what was sent; nothing of a key passes what is parked before it."""
        sent, passed, parked = {}, {}, {}
        for event in self.sent:
            sent.setdefault(event["sensor"], []).append(event["v"])
        for key, _, body in self.told("hot"):
            passed.setdefault(key, []).append(body["v"])
        for letter in sorted(self.letters("warm"), key=lambda one: one["num"]):
            parked.setdefault(letter["key"], []).append(letter["record"]["v"])
        for key, values in sent.items():
            self.assertEqual(values, passed.get(key, []) + parked.get(key, []), key)
            self.assertTrue(all(value % 5000 != 13 for value in passed.get(key, [])))
        self.assertEqual(set(), (set(passed) | set(parked)) - set(sent))
        self.assertTrue(parked)

    def check_few(self):
        expected, seen = {}, {}
        for key, kind, body in self.told():
            if kind != "deleted":
                expected.setdefault(key, []).append((kind, body))
        for key, kind, body in self.told("few"):
            seen.setdefault(key, []).append((kind, body))
        self.assertEqual(expected, seen)

    def test_each_event_is_there_once_and_in_order_whenever_the_process_is_killed(self):
        self.send()
        expected = self.change()
        self.measure()
        self.check_table(expected)
        kills = 0
        while kills < KILLS:
            self.send()
            expected = self.change()
            for _ in range(self.chance.randrange(1, 5)):
                kills += self.disturb()
            self.gemel("run", "--once")
            self.check_table(expected)
        self.gemel("run", "--once")
        self.check_few()
        self.check_streams()
        self.assert_equal_to_source("parts")
        self.assertEqual(0, self.waiting())
        self.assertGreater(self.in_doubt, 0, "no kill met events on their way")

    def waiting(self):
        """Parts of the outbox: what the stream has, or has not. Looked at in a copy, so that the next run finds what the kill left."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for path in (self.folder / "data").glob("store.db*"):
                shutil.copy(path, folder)
            database = sqlite3.connect(pathlib.Path(folder) / "store.db")
            try:
                return database.execute("SELECT COUNT(*) FROM outbox").fetchone()[0]
            except sqlite3.OperationalError:
                return 0  # killed before there was a table
            finally:
                database.close()


if __name__ == "__main__":
    gemel.main()
