#!/usr/bin/env python3
"""A disk that takes nothing more: what was acknowledged is there, the process ends and says why, and goes on when there is room.

A limit of the process on the size of files plays the disk: it needs no rights and fails at the same places.
"""
import json
import resource
import signal

import adt
import gemel

NDJSON = {"Content_Type": "application/x-ndjson"}
STREAMS = {"telemetry": {"key": "sensor", "sequence": "seq", "origin": "gateway"}}


def readings(first, count):
    return "".join(json.dumps({"sensor": f"s{n % 5}", "gateway": "gw", "seq": n + 1, "pad": "x" * 200}) + "\n"
                   for n in range(first, first + count))


def limit(server, size):
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class Full(adt.Case):
    def push(self, server, first, count):
        """The status, 0 when there was no answer."""
        try:
            return server.call("POST", "/streams/telemetry/events", readings(first, count), version=None, **NDJSON).status
        except OSError:
            return 0

    def events(self, server):
        found, cursor = [], "oldest"
        while True:
            page = server.get(f"/streams/telemetry/events?from={cursor}&limit=10000", version=None).json
            if not page["value"]:
                return found
            found += [event["body"]["seq"] for event in page["value"]]
            cursor = page["cursor"]

    def fill(self, server):
        """How many were acknowledged before there was no room."""
        acknowledged = 0
        while True:
            status = self.push(server, acknowledged, 100)
            if status != 200:
                self.assertIn(status, (0, 503))
                return acknowledged
            acknowledged += 100

    def test_a_stream_without_room_ends_the_process_and_loses_nothing(self):
        server = self.serve({"streams": STREAMS})
        self.assertEqual(200, self.push(server, 0, 100))
        limit(server, 1)
        self.assertIn(self.push(server, 100, 100), (0, 503))
        self.assertEqual(gemel.ENVIRONMENT, server.process.wait(adt.DEADLINE_S))
        server.reader.join()
        self.assertRegex(server.log[-1], r"gemel run: .*telemetry\.db: .*check its disk")
        again = self.start()
        self.assertEqual(list(range(1, 101)), self.events(again))
        self.assertEqual(200, self.push(again, 0, 300))
        self.assertEqual(list(range(1, 301)), self.events(again))

    def test_a_limit_that_is_met_bit_by_bit_is_no_different(self):
        server = self.serve({"streams": STREAMS})
        limit(server, 300000)
        acknowledged = self.fill(server)
        self.assertEqual(gemel.ENVIRONMENT, server.process.wait(adt.DEADLINE_S))
        again = self.start()
        self.assertEqual(list(range(1, acknowledged + 1)), self.events(again)[:acknowledged])
        self.assertEqual(200, self.push(again, 0, acknowledged + 500))
        self.assertEqual(list(range(1, acknowledged + 501)), self.events(again))

    def test_the_signal_of_a_file_that_may_not_grow_ends_nothing(self):
        self.configure({}, api={"listen": "127.0.0.1:0"}, streams=STREAMS)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # as a shell has it, and its children
        try:
            server = self.start()
        finally:
            signal.signal(signal.SIGXFSZ, before)
        limit(server, 1)
        self.push(server, 0, 100)
        self.assertEqual(gemel.ENVIRONMENT, server.process.wait(adt.DEADLINE_S))


if __name__ == "__main__":
    gemel.main()
