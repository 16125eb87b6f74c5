#!/usr/bin/env python3
"""A consumer that is slow, or stuck, holds up no other; and how far behind each is can be seen from outside."""
import json
import socket
import threading
import time
import urllib.request

import adt
import gemel
from link import free_port

NDJSON = {"Content_Type": "application/x-ndjson"}
EVENTS, BATCH, PAD = 12000, 500, 1000  # more than a connection that nobody reads holds
MAP = {"$dtId": "{$event.key}", "$model": "dtmi:t:Sensor;1", "$sourceTime": "{$event.time}", "n": "n"}


class Nobody:
    """A server that takes connections and says nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self.taken.append(self.listener.accept()[0])
            except OSError:
                return

    def close(self):
        self.listener.close()
        for one in self.taken:
            one.close()


class Consumers(adt.Case):
    def begin(self):
        self.model("Sensor", {"n": "integer"})
        self.nobody, self.admin = Nobody(), free_port()
        self.addCleanup(self.nobody.close)
        nowhere = f"http://127.0.0.1:{self.nobody.port}"
        source = {"source": {"stream": {"name": "telemetry", "linger": "20ms"}}, "schedule": "continuous", "map": MAP}
        self.configure(
            {"quick": {**source, "sink": "twins"}, "slow": {**source, "sink": {"adt": {"url": nowhere, "timeout": "5m"}}}},
            api={"listen": "127.0.0.1:0"}, admin={"listen": f"127.0.0.1:{self.admin}"},
            streams={"telemetry": {"key": "sensor", "partitions": 2, "forward": {"url": nowhere, "token": "gemel_none"}}},
            views={"newest": {"stream": "telemetry", "values": {"n": {}}}},
            endpoints={"stuck": {"webhook": {"url": nowhere, "timeout": "5m"}}, "file": {"file": {"path": "./changes.ndjson"}}})
        return self.start()

    def follow(self, server):
        """A client that is sent events."""
        connection = server.connect()
        connection.request("GET", "/streams/telemetry/events?from=oldest",
                           headers={"Authorization": f"Bearer {server.token}", "Accept": "text/event-stream"})
        self.addCleanup(connection.close)
        return connection

    def push(self, server):
        for first in range(0, EVENTS, BATCH):
            lines = "".join(json.dumps({"sensor": f"s{n % 5}", "n": n, "pad": "x" * PAD}) + "\n" for n in range(first, first + BATCH))
            answer = server.call("POST", "/streams/telemetry/events", lines, version=None, **NDJSON)
            self.assertEqual(200, answer.status, answer)

    def wait_until(self, condition):
        deadline = time.monotonic() + adt.DEADLINE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def lags(self):
        """(kind, name) → lag, of `gemel status`."""
        return {(one["kind"], one["name"]): one["lag"] for one in self.gemel("status", "--json").json()["consumers"]}

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics") as answer:
            text = answer.read().decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}

    def test_who_is_stuck_is_alone_with_it(self):
        server = self.begin()
        for route in ("stuck", "file"):
            self.assertEqual(204, server.put(f"/eventroutes/{route}", {"endpointName": route, "filter": "true"}).status)
        self.follow(server)  # and reads nothing
        reads = self.follow(server).getresponse()
        self.push(server)
        seen = 0
        while seen < EVENTS:
            seen += reads.readline().startswith(b"data:")
        nowhere = f"http://127.0.0.1:{self.nobody.port}"
        self.wait_until(lambda: self.lags()["pipeline", "quick"] == 0 and self.lags()["view", "newest"] == 0)
        self.wait_until(lambda: sorted(lag > 0 for (kind, _), lag in self.lags().items() if kind == "follower") == [False, True])
        self.assertEqual({"s0", "s1", "s2", "s3", "s4"}, set(twin["$dtId"] for twin in server.query("SELECT * FROM DIGITALTWINS")))
        lags = self.lags()
        self.assertEqual(EVENTS, lags["forward", nowhere])
        self.assertGreater(lags["pipeline", "slow"], 0)
        self.check_routes(server)
        self.check_metrics(lags)

    def check_routes(self, server):
        def behind():
            return {route["id"]: route["lag"] for route in self.gemel("status", "--json").json()["routes"]}
        self.wait_until(lambda: behind()["file"] == 0)
        self.assertGreater(behind()["stuck"], 0)
        self.assertGreater(len((self.folder / "changes.ndjson").read_text().splitlines()), 0)

    def check_metrics(self, lags):
        metrics = self.metrics()
        self.assertEqual(0, metrics['gemel_stream_lag{pipeline="quick"}'])
        self.assertGreater(metrics['gemel_stream_lag{pipeline="slow"}'], 0)
        self.assertEqual(0, metrics['gemel_view_lag_events{view="newest"}'])
        self.assertEqual(EVENTS, metrics['gemel_forward_lag_events{stream="telemetry"}'])
        self.assertEqual(0, metrics['gemel_route_lag_changes{route="file"}'])
        self.assertGreater(metrics['gemel_route_lag_changes{route="stuck"}'], 0)
        followers = {name: lag for (kind, name), lag in lags.items() if kind == "follower"}
        self.assertEqual(2, len(followers))
        self.assertEqual(followers, {name: metrics[f'gemel_follower_lag_events{{follower="{name}"}}'] for name in followers})

    def test_a_follower_that_leaves_is_shown_no_more(self):
        server = self.begin()
        connection = self.follow(server)
        reads = connection.getresponse()
        self.wait_until(lambda: ("follower", "telemetry/1") in self.lags())
        reads.close()
        connection.close()
        self.push(server)
        self.wait_until(lambda: ("follower", "telemetry/1") not in self.lags())
        self.assertNotIn('gemel_follower_lag_events{follower="telemetry/1"}', self.metrics())

    def test_without_the_process_it_is_told_from_what_is_saved(self):
        server = self.begin()
        self.push(server)
        self.wait_until(lambda: self.lags()["pipeline", "quick"] == 0 and self.lags()["view", "newest"] == 0)
        server.end()
        lags = self.lags()
        self.assertEqual((0, 0), (lags["pipeline", "quick"], lags["view", "newest"]))
        self.assertEqual(EVENTS, lags["forward", f"http://127.0.0.1:{self.nobody.port}"])
        self.assertRegex(self.gemel("status").out, r"newest +view +telemetry +0")


if __name__ == "__main__":
    gemel.main()
