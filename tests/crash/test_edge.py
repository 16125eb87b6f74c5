#!/usr/bin/env python3
"""Factories forward to a centre: five Gemels and a sixth as processes, links that are cut, bytes and all, and SIGKILLs at any moment.
Every event that a factory acknowledged is at the centre once, in order per key.

Twenty seconds of it; GEMEL_LONG=1 makes them ten minutes, GEMEL_EDGE_SECONDS any number. GEMEL_SEED repeats a series (as far as
time repeats).
"""
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import adt
import gemel
from link import Link, free_port

SECONDS = float(os.environ.get("GEMEL_EDGE_SECONDS", "600" if os.environ.get("GEMEL_LONG") else "20"))
SEED = int(os.environ.get("GEMEL_SEED") or random.SystemRandom().randrange(1 << 32))
EDGES, KEYS, BATCH = 5, 7, 40
CATCH_UP_S = 60 + SECONDS / 2
NDJSON = {"Content_Type": "application/x-ndjson"}
STREAM = {"origin": "gateway", "sequence": "seq", "type": "kind", "time": "at"}


class Site:
    """A Gemel with a folder of its own, which may be killed and started again on the same port."""

    def __init__(self, folder, streams):
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        root = {"data": "./data", "admin": {"enabled": False}, "api": {"listen": f"127.0.0.1:{self.port}"}, "streams": streams}
        (folder / "gemel.yaml").write_text(json.dumps(root))
        self.server = None
        self.start()

    def start(self):
        self.server = adt.Server(self.folder)

    def disconnect(self):
        connection = getattr(self.server.local, "connection", None)
        if connection is not None:
            connection.close()
            self.server.local.connection = None

    def kill(self):
        self.disconnect()
        self.server.end(signal.SIGKILL)

    def stop(self):
        self.disconnect()
        if self.server.process.poll() is None:
            code = self.server.end()
            assert code == 0, (code, "".join(self.server.log))

    def stream(self, name="telemetry"):
        answer = self.server.get(f"/streams/{name}", version=None)
        assert answer.status == 200, answer
        return answer.json

    def push(self, events):
        body = "".join(json.dumps(event) + "\n" for event in events)
        return self.server.call("POST", "/streams/telemetry/events", body, version=None, **NDJSON)

    def events(self):
        """All of them, in their partitions' order."""
        found, cursor = [], "oldest"
        while True:
            answer = self.server.get(f"/streams/telemetry/events?from={cursor}&limit=10000", version=None)
            assert answer.status == 200, answer
            if not answer.json["value"]:
                return found
            found += answer.json["value"]
            cursor = answer.json["cursor"]


class Producer(threading.Thread):
    """Sends batches to its factory, each until it is acknowledged: what is sent again has the same sequences."""

    def __init__(self, number, chance):
        super().__init__(daemon=True)
        self.number, self.chance, self.ending = number, chance, threading.Event()
        self.site, self.sequence, self.count, self.acknowledged = None, 0, [0] * KEYS, 0

    def batch(self):
        events = []
        for _ in range(self.chance.randrange(1, BATCH)):
            key = self.chance.randrange(KEYS)
            self.sequence += 1
            # Gateways have the same name in each factory, and count for themselves.
            events.append({"key": f"f{self.number}-m{key}", "n": self.count[key], "gateway": "gw", "seq": self.sequence,
                           "kind": "reading", "at": "2026-11-20T17:00:00Z", "pad": "x" * self.chance.randrange(200)})
            self.count[key] += 1
        return events

    def run(self):
        while not self.ending.is_set():
            events = self.batch()
            while not self.sent(events):
                time.sleep(0.05)
            self.acknowledged += len(events)
            self.ending.wait(self.chance.random() * 0.05)
        self.site.disconnect()

    def sent(self, events):
        try:
            return self.site.push(events).status == 200
        except Exception:  # killed meanwhile; http.client has many ways to say so
            self.site.disconnect()
            return False


class Edge(adt.Case):
    def centre(self, name="centre"):
        site = Site(self.folder / name, {"telemetry": {"partitions": 3}})
        self.addCleanup(lambda: site.stop())
        return site

    def edge(self, name, centre, port=None, forward=None, **stream):
        forward = {"url": f"https://127.0.0.1:{port or centre.port}", "token": centre.server.token,
                   "ca": str(centre.server.authority), "as": name, **(forward or {})}
        site = Site(self.folder / name, {"telemetry": {"partitions": 2, **STREAM, "forward": forward, **stream}})
        self.addCleanup(lambda: site.stop())
        return site

    def wait_until(self, what, seconds=CATCH_UP_S):
        deadline = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), deadline, "it did not happen in time")
            time.sleep(0.05)

    def arrives(self, edge):
        self.wait_until(lambda: edge.stream()["forward"]["lag"] == 0)

    # ---- the long one ----

    def disturb(self, centre, edges, links):
        """One thing that goes wrong, or right."""
        number = self.chance.randrange(EDGES)
        what = self.chance.random()
        if what < 0.4:
            links[number].cut()
        elif what < 0.75:
            links[number].heal()
        elif what < 0.92:
            edges[number].kill()
            edges[number].start()
            self.kills += 1
        else:
            centre.kill()
            centre.start()
            self.kills += 1

    def check(self, events, producers):
        seen = {}
        for event in events:
            self.assertEqual(("gw", "reading", "2026-11-20T17:00:00Z"), (event["origin"], event["type"], event["time"]))
            self.assertEqual(event["sequence"], event["body"]["seq"])
            seen.setdefault(event["key"], []).append(event["body"]["n"])
        for producer in producers:
            for key, count in enumerate(producer.count):
                self.assertEqual(list(range(count)), seen.pop(f"f{producer.number}-m{key}", []), (producer.number, key))
        self.assertEqual({}, seen)

    def test_everything_arrives_once_and_in_order(self):
        print(f"{SECONDS:.0f} seconds; repeat with GEMEL_SEED={SEED}", flush=True)
        self.chance, self.kills = random.Random(SEED), 0
        centre = self.centre()
        links = [Link(centre.port, random.Random(SEED + 1 + n)) for n in range(EDGES)]
        for link in links:
            self.addCleanup(link.close)
        edges = [self.edge(f"factory-{n}", centre, links[n].port, {"batch": "16KiB", "rate": 20000}) for n in range(EDGES)]
        producers = [Producer(n, random.Random(SEED + 100 + n)) for n in range(EDGES)]
        for producer, edge in zip(producers, edges):
            producer.site = edge
            producer.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.disturb(centre, edges, links)
            time.sleep(self.chance.random() * 0.6)
        for producer in producers:
            producer.ending.set()
        for producer in producers:
            producer.join(60)
            self.assertFalse(producer.is_alive())
        for link in links:
            link.calm()
            link.heal()
        for edge in edges:
            self.arrives(edge)
            self.assertEqual(0, edge.stream()["forward"]["lost"])
        sent = sum(producer.acknowledged for producer in producers)
        print(f"{sent} events, {self.kills} kills", flush=True)
        self.assertGreater(sent, 1000)
        self.check(centre.events(), producers)

    # ---- single cases ----

    def some(self, first, count):
        return [{"key": f"m{n % 5}", "n": n, "gateway": "gw", "seq": n + 1, "kind": "reading", "at": "2026-11-20T17:00:00Z"}
                for n in range(first, first + count)]

    def numbers(self, site):
        return sorted(event["body"]["n"] for event in site.events())

    def test_a_new_centre_gets_everything_that_is_kept(self):
        centre = self.centre()
        edge = self.edge("factory", centre)
        self.assertEqual(200, edge.push(self.some(0, 500)).status)
        self.arrives(edge)
        centre.stop()
        os.rename(self.folder / "centre/data/streams", self.folder / "gone")
        centre.start()
        self.assertEqual(200, edge.push(self.some(500, 20)).status)
        edge.server.wait_for("forward.again")
        self.wait_until(lambda: len(centre.events()) == 520)
        self.assertEqual(list(range(520)), self.numbers(centre))
        self.assertEqual(0, edge.stream()["forward"]["lost"])

    def test_an_edge_that_begins_anew_is_no_duplicate_of_the_former(self):
        centre = self.centre()
        edge = self.edge("factory", centre)
        self.assertEqual(200, edge.push(self.some(0, 100)).status)
        self.arrives(edge)
        edge.stop()
        os.rename(self.folder / "factory/data/streams", self.folder / "gone")
        edge.start()
        self.assertEqual(200, edge.push(self.some(100, 100)).status)
        self.wait_until(lambda: len(centre.events()) == 200)
        self.assertEqual(list(range(200)), self.numbers(centre))

    def test_a_refusal_is_shown_and_told_once(self):
        centre = self.centre()
        edge = self.edge("factory", centre, forward={"token": "gemel_wrong"})
        self.assertEqual(200, edge.push(self.some(0, 10)).status)
        self.wait_until(lambda: edge.stream()["forward"]["failures"] >= 3)
        self.assertIn("401", edge.stream()["forward"]["error"])
        self.assertEqual([{"name": "forward", "lag": 10, "lost": 0}], edge.stream()["consumers"])
        self.assertEqual(1, sum("forward.failed" in line for line in edge.server.log))

    def test_what_is_caught_up_keeps_to_its_rate(self):
        centre = self.centre()
        link = Link(centre.port)
        self.addCleanup(link.close)
        link.cut()
        edge = self.edge("factory", centre, link.port, {"rate": 3000})
        self.assertEqual(200, edge.push(self.some(0, 13000)).status)
        edge.stop()
        edge.start()  # what came in before is backlog
        link.heal()
        begun = time.monotonic()
        self.arrives(edge)
        self.assertGreater(time.monotonic() - begun, 1.0)
        self.assertEqual(list(range(13000)), self.numbers(centre))

    def test_events_keep_what_a_strict_reader_would_refuse(self):
        """Members that come twice are JSON all the same: taken by the factory, and so by the centre."""
        centre = self.centre()
        edge = self.edge("factory", centre)
        body = '{"key":"m","n":0,"gateway":"gw","seq":1,"at":"2026-11-20T17:00:00Z","twice":1,"twice":2}\n'
        self.assertEqual(200, edge.server.call("POST", "/streams/telemetry/events", body, version=None, **NDJSON).status)
        self.arrives(edge)
        self.assertEqual(1, len(centre.events()))
        edge.stop()
        listed = json.loads(subprocess.run([gemel.PROGRAM, "streams", "--json"], cwd=edge.folder, capture_output=True, check=True).stdout)
        self.assertEqual({"lag": 0, "lost": 0}, listed[0]["forward"])

    def test_what_is_gone_before_it_was_sent_is_told(self):
        """A chunk that is damaged on the factory's disk: the rest arrives, and what is missing is counted, also after a restart."""
        centre = self.centre()
        edge = self.edge("factory", centre, centre.port, {"token": "gemel_wrong"}, partitions=1)
        for first in (0, 3000, 6000):
            self.assertEqual(200, edge.push(self.some(first, 3000)).status)
        edge.stop()
        with contextlib.closing(sqlite3.connect(edge.folder / "data/streams/telemetry.db")) as database:
            places = [place for place, in database.execute("SELECT place FROM chunks ORDER BY place")]
            self.assertGreater(len(places), 1)
            lost = database.execute("SELECT count FROM chunks WHERE place = ?", places[:1]).fetchone()[0]
            database.execute("UPDATE chunks SET checksum = checksum + 1 WHERE place = ?", places[:1])
            database.commit()
        root = json.loads((edge.folder / "gemel.yaml").read_text())
        root["streams"]["telemetry"]["forward"]["token"] = centre.server.token
        (edge.folder / "gemel.yaml").write_text(json.dumps(root))
        edge.start()
        self.arrives(edge)
        self.assertEqual(list(range(lost, 9000)), self.numbers(centre))
        self.assertEqual(lost, edge.stream()["forward"]["lost"])
        self.assertEqual(1, sum("forward.lost" in line for line in edge.server.log))
        edge.stop()
        edge.start()
        self.assertEqual(lost, edge.stream()["forward"]["lost"])

    def test_parcels_that_are_none_are_refused(self):
        centre = self.centre()
        for body in (b"", b"GMP1", b"GMP1" + bytes(60), os.urandom(200)):
            answer = centre.server.call("POST", "/streams/telemetry/events", body, version=None,
                                        Content_Type="application/vnd.gemel.parcel")
            self.refused(answer, 400, "InvalidArgument")


if __name__ == "__main__":
    gemel.main()
