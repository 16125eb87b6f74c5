#!/usr/bin/env python3
"""A producer: a process that sends readings and may be killed at any moment.

    producer.py PLAN.json

Everything it is going to send stands in its journal before it is sent, and what it was told stands there after it was told: a line
each, {"batch", "events"} or {"acked"}. Started again it sends what nobody has acknowledged, with the same sequences or the same
idempotency key, and goes on. Once the file is there that the plan names as `ending` it sends nothing new, and ends when all is
acknowledged.

Over MQTT a broker's acknowledgement says that the message has arrived, not that it has been written down: Mosquitto writes when it is
through with all that arrived together. So a batch counts as acknowledged when a later one is.
"""
import http.client
import json
import os
import pathlib
import random
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import mqtt  # noqa: E402
from trust import readings  # noqa: E402

TIMEOUT_S = 5
PAUSE_S = 0.1


class Journal:
    def __init__(self, path):
        self.path = path
        self.sent, self.open = {}, {}
        data = path.read_bytes() if path.exists() else b""
        whole = data[:data.rfind(b"\n") + 1]
        for line in whole.splitlines():
            entry = json.loads(line)
            if "events" in entry:
                self.sent[entry["batch"]] = self.open[entry["batch"]] = entry["events"]
            elif "acked" in entry:
                self.open.pop(entry["acked"], None)
        self.file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        os.ftruncate(self.file, len(whole))  # a line that was cut: what it would have said was not done

    def write(self, entry):
        data = json.dumps(entry).encode() + b"\n"
        if os.write(self.file, data) != len(data):
            raise OSError("the journal cannot be written")

    def add(self, events):
        batch = len(self.sent)
        self.write({"batch": batch, "events": events})
        self.sent[batch] = self.open[batch] = events

    def acknowledge(self, batch):
        self.write({"acked": batch})
        self.open.pop(batch, None)


class Http:
    def __init__(self, plan):
        self.plan = plan
        self.context = ssl.create_default_context(cafile=plan["ca"])
        self.connection = None

    def deliver(self, journal, batches):
        for batch in batches:
            self._post(batch, journal.sent[batch])
            journal.acknowledge(batch)

    def _post(self, batch, events):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.plan["port"], timeout=TIMEOUT_S, context=self.context)
        headers = {"Authorization": f"Bearer {self.plan['token']}", "Content-Type": "application/x-ndjson"}
        if self.plan["kind"] == "keyed":
            headers["Idempotency-Key"] = f"{self.plan['name']}-{batch}"
        try:
            self.connection.request("POST", "/streams/telemetry/events", "".join(json.dumps(event) + "\n" for event in events), headers)
            answer = self.connection.getresponse()
            body = answer.read()
        except BaseException:
            self.forget()
            raise
        if answer.status != 200:
            self.forget()
            raise OSError(f"{answer.status} {body[:200]!r}")
        told = json.loads(body)
        assert told["appended"] + told["duplicates"] == len(events), told

    def settle(self, journal):
        pass

    def forget(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Mqtt:
    def __init__(self, plan):
        self.plan, self.publisher, self.unproven = plan, None, []

    def deliver(self, journal, batches):
        if self.publisher is None:
            self.publisher = mqtt.Publisher(self.plan["port"], self.plan["name"])
            self.unproven = []
        for batch in batches:
            if batch in self.unproven:
                continue
            for event in journal.sent[batch]:
                self.publisher.send(f"plant/{self.plan['site']}/{event['sensor']}", json.dumps(event).encode())
            self.publisher.confirmed()
            self._prove(journal)
            self.unproven = [batch]

    def _prove(self, journal):
        for batch in self.unproven:
            journal.acknowledge(batch)
        self.unproven = []

    def settle(self, journal):
        """Nobody listens to it: what counts is that it is confirmed."""
        if self.unproven:
            self.publisher.send("nobody/listens", b"{}")
            self.publisher.confirmed()
            self._prove(journal)

    def forget(self):
        if self.publisher is not None:
            self.publisher.close()
            self.publisher = None
        self.unproven = []


def work(plan, journal, way):
    made = readings.Readings(plan, random.Random(f"{plan['seed']} {len(journal.sent)}"), [journal.sent[batch] for batch in sorted(journal.sent)])
    while True:
        ending = os.path.exists(plan["ending"])
        if not ending and len(journal.open) < 2:
            seconds = time.monotonic() - plan["begun"]
            journal.add(made.batch(seconds, made.chance.randrange(1, plan["batch"])))
        try:
            way.deliver(journal, list(journal.open))
            if ending:
                way.settle(journal)
        except (OSError, http.client.HTTPException, ValueError) as failure:  # killed meanwhile, or cut off, or full
            print(f"{time.time():.3f} {type(failure).__name__}: {failure}", file=sys.stderr, flush=True)
            way.forget()
            time.sleep(PAUSE_S)
            continue
        if ending and not journal.open:
            return
        time.sleep(plan["pause"] * made.chance.random() * 2)


def main():
    plan = json.loads(pathlib.Path(sys.argv[1]).read_text())
    journal = Journal(pathlib.Path(plan["journal"]))
    work(plan, journal, Mqtt(plan) if plan["kind"] == "mqtt" else Http(plan))


if __name__ == "__main__":
    main()
