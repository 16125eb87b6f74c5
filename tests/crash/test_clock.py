#!/usr/bin/env python3
"""Somebody sets the clock while Gemel runs: what lasts a span lasts that span, and nothing is lost, taken twice or refused."""
import json
import time

import adt
import clock
import gemel

NDJSON = {"Content_Type": "application/x-ndjson"}
STEPS = (-3600, 0, 3600, -600)  # hours and minutes, back and forth
MAP = {"$dtId": "{$event.key}", "$model": "dtmi:t:Sensor;1", "$sourceTime": "{$event.time}", "temp": "temp"}


class Set(adt.Case):
    def setUp(self):
        super().setUp()
        self.clock = clock.Clock(self.folder)
        self.number = 0

    def begin(self, pipelines, **settings):
        self.model("Sensor", {"temp": "double"})
        self.configure(pipelines, api={"listen": "127.0.0.1:0"}, **settings)
        return self.start(env=self.clock.environment())

    def streams(self, **more):
        return {"telemetry": {"key": "sensor", "time": "at", "origin": "gateway", "sequence": "seq", **more}}

    def push(self, server, **headers):
        """One more reading, and the one before again."""
        lines = "".join(json.dumps({"sensor": "s", "gateway": "gw", "seq": n, "temp": n, "at": f"2026-11-20T17:00:{n:02d}Z"}) + "\n"
                        for n in (self.number, self.number + 1) if n > 0)
        self.number += 1
        answer = server.call("POST", "/streams/telemetry/events", lines, version=None, **NDJSON, **headers)
        self.assertEqual((200, 1), (answer.status, answer.json["appended"]), answer)

    def wait_until(self, condition):
        deadline = time.monotonic() + adt.DEADLINE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_a_schedule_goes_on(self):
        self.sql("erp.db", "CREATE TABLE p (id INTEGER PRIMARY KEY, temp REAL); INSERT INTO p VALUES (1, 2.0)")
        server = self.begin({"p": gemel.table("erp.db", "p", "id", {"$dtId": "p-{id}", "$model": "dtmi:t:Sensor;1", "temp": "temp"},
                                              schedule="every 1s")})
        for step in STEPS:
            server.wait_for("run.done")
            self.clock.set(step)
            server.wait_for("clock.set")
            begun = time.monotonic()
            for _ in range(3):
                server.wait_for("run.done")
            self.assertGreater(time.monotonic() - begun, 1.0)  # not one behind the other, either

    def test_events_are_taken_folded_and_delivered(self):
        server = self.begin({"telemetry": {"source": {"stream": {"name": "telemetry", "linger": "20ms"}}, "map": MAP, "sink": "twins",
                                           "schedule": "continuous"}},
                            streams=self.streams(retain={"age": "2h"}),
                            views={"newest": {"stream": "telemetry", "values": {"temp": {}}}})
        for step in STEPS:
            self.clock.set(step)
            self.push(server)
            self.wait_until(lambda: [twin["temp"] for twin in server.query("SELECT * FROM DIGITALTWINS")] == [self.number])
            self.wait_until(lambda: server.get("/views/newest").json["value"][0]["temp"]["value"] == self.number)
        self.assertEqual(self.number, server.get("/streams/telemetry", version=None).json["events"])

    def test_a_process_that_begins_in_the_past_goes_on(self):
        self.clock.set(3600)
        server = self.begin({"telemetry": {"source": {"stream": {"name": "telemetry", "linger": "20ms"}}, "map": MAP, "sink": "twins",
                                           "schedule": "continuous"}}, streams=self.streams())
        self.push(server)
        self.assertEqual(0, server.end())
        self.clock.set(0)
        server = self.start(env=self.clock.environment())
        self.push(server)
        self.wait_until(lambda: [twin["temp"] for twin in server.query("SELECT * FROM DIGITALTWINS")] == [self.number])


if __name__ == "__main__":
    gemel.main()
