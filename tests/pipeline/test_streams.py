#!/usr/bin/env python3
"""From a stream to twins: newest wins by source time, also when the process dies, and again and again."""
import json
import random
import signal
import time

import adt
import gemel

MODEL = {"temp": "double", "note": "string"}
MAP = {"$dtId": "sensor-{$event.key}", "$model": "dtmi:t:Sensor;1", "$sourceTime": "{$event.time}", "temp": "temp", "note": "note"}
STREAMS = {"telemetry": {"key": "sensor", "time": "at", "partitions": 2, "id": "id"}}


def reading(sensor, second, temp, **more):
    return {"sensor": sensor, "at": f"2026-11-20T17:{second // 60:02d}:{second % 60:02d}Z", "temp": temp, **more}


def pipeline(schedule=None, **source):
    more = {"schedule": schedule} if schedule else {}
    return {"source": {"stream": {"name": "telemetry", **source}}, "map": MAP, "sink": "twins", **more}


class Once(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Sensor", MODEL)
        self.configure({"sensors": pipeline()}, streams=STREAMS)

    def append(self, *readings):
        text = "".join(json.dumps(one) + "\n" for one in readings)
        return self.gemel("append", "telemetry", "--json", input=text.encode()).json()

    def test_readings_become_properties_with_their_source_time(self):
        self.append(reading(1, 5, 20.5, note="a"), reading(2, 6, 21))
        run = self.run_pipeline("sensors")
        self.assertEqual((2, 2), (run.read, run.created))
        twin = self.query("SELECT * FROM DIGITALTWINS WHERE $dtId = 'sensor-1'")[0]
        self.assertEqual((20.5, "a"), (twin["temp"], twin["note"]))
        self.assertEqual("2026-11-20T17:00:05Z", twin["$metadata"]["temp"]["sourceTime"])

    def test_a_pass_goes_on_where_the_last_one_was(self):
        self.append(reading(1, 5, 20))
        self.run_pipeline("sensors")
        self.append(reading(1, 6, 21), reading(1, 7, 22))
        run = self.run_pipeline("sensors")
        self.assertEqual((1, 1), (run.read, run.updated))
        self.assertEqual(0, self.run_pipeline("sensors").read)
        self.assertEqual(22, self.twin("sensor-1")["temp"])

    def test_late_readings_change_nothing(self):
        self.append(reading(1, 50, 20))
        self.run_pipeline("sensors")
        self.append(reading(1, 40, 99))
        run = self.run_pipeline("sensors")
        self.assertEqual((1, 0), (run.stale, run.updated))
        self.append(reading(1, 60, 21), reading(1, 55, 99))
        self.run_pipeline("sensors")
        self.assertEqual(21, self.twin("sensor-1")["temp"])

    def test_every_event_is_delivered_when_that_is_wanted(self):
        self.configure({"sensors": pipeline(latest=False)}, streams=STREAMS)
        self.append(*(reading(1, n, n) for n in range(30)), reading(2, 1, 7))
        run = self.run_pipeline("sensors")
        self.assertEqual((31, 2, 29), (run.read, run.created, run.updated))
        self.assertEqual(29, self.twin("sensor-1")["temp"])

    def test_a_bad_event_holds_nobody_up(self):
        self.append(reading(1, 1, "hot"), reading(2, 2, 3))
        run = self.run_pipeline("sensors")
        self.assertEqual((1, 1), (run.created, run.parked))
        self.append(reading(1, 3, 4))
        self.run_pipeline("sensors")
        self.assertEqual(4, self.twin("sensor-1")["temp"])
        self.assertEqual([], self.letters())

    def test_properties_that_an_event_does_not_have_stay(self):
        self.append(reading(1, 1, 4, note="n"))
        self.run_pipeline("sensors")
        event = reading(1, 2, 5)
        self.append(event)
        self.run_pipeline("sensors")
        self.assertEqual({"temp": 5, "note": "n"}, self.twin("sensor-1"))

    def test_events_that_retention_took_are_not_passed_over_in_silence(self):
        self.configure({"sensors": pipeline(lost="x")}, streams=STREAMS)
        self.assertIn("lost", self.gemel("check", expect=gemel.USAGE).err)
        self.configure({"sensors": {**pipeline(), "source": {"stream": {"name": "nothing"}}}}, streams=STREAMS)
        self.assertIn("`nothing`", self.gemel("check", expect=gemel.USAGE).err)

    def test_only_streams_are_continuous(self):
        self.sql("erp.db", "CREATE TABLE p (id INTEGER PRIMARY KEY)")
        self.configure({"p": gemel.table("erp.db", "p", "id", {"$dtId": "p-{id}", "$model": "dtmi:t:Sensor;1"}, schedule="continuous")})
        self.assertIn("continuous", self.gemel("check", expect=gemel.USAGE).err)


class Continuous(adt.Case):
    def serve(self):
        self.configure({"sensors": pipeline("continuous", linger="20ms")}, api={"listen": "127.0.0.1:0"}, streams=STREAMS)
        return self.start()

    def push(self, server, readings):
        body = "".join(json.dumps(one) + "\n" for one in readings)
        return server.call("POST", "/streams/telemetry/events", body, version=None, Content_Type="application/x-ndjson")

    def wait_for(self, server, expected):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            seen = {twin["$dtId"]: twin["temp"] for twin in server.query("SELECT * FROM DIGITALTWINS")}
            if seen == expected:
                return
            time.sleep(0.02)
        self.assertEqual(expected, seen)

    def test_newest_wins_whenever_the_process_dies(self):
        self.model("Sensor", MODEL)
        chance = random.Random(4)
        newest, acknowledged, number = {}, 0, 0
        for life in range(6):
            server = self.serve()
            for _ in range(chance.randrange(3, 12)):
                readings = []
                for _ in range(50):
                    sensor, second = chance.randrange(20), chance.randrange(3600)
                    readings.append(reading(sensor, second, number, id=f"r{number}"))
                    number += 1
                answer = self.push(server, readings)
                self.assertEqual(200, answer.status)
                acknowledged += 50
                if chance.random() < 0.3:
                    self.assertEqual({"appended": 0, "duplicates": 50}, self.push(server, readings).json)
                for one in readings:
                    before = newest.get(one["sensor"], ("", 0))
                    if one["at"] >= before[0]:
                        newest[one["sensor"]] = (one["at"], one["temp"])
            if life < 5:
                server.end(signal.SIGKILL)
        self.wait_for(server, {f"sensor-{sensor}": value for sensor, (_, value) in newest.items()})
        self.assertEqual(acknowledged, server.get("/streams/telemetry", version=None).json["events"])


if __name__ == "__main__":
    gemel.main()
