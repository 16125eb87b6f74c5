"""The world of a trust run: factories, their producers and a broker, a centre, and what lies between them.

    world = World(folder, plan)              # plan: edges, producers, batch, pause, seed
    world.begin()                            # everything runs
    world.site("centre").kill(); world.tend()
    world.settle()                           # producers end, everything catches up
    world.end()

Every process is this world's own. `tend` starts again what has ended, as a service manager does, and keeps what each said at its end.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

import adt
import clock
import gemel
import link
import mosquitto
from trust import readings

PRODUCER = pathlib.Path(__file__).with_name("producer.py")
SENSOR = {"temp": "double", "state": "string", "n": "integer", "name": "string"}
STREAM = {"key": "sensor", "time": "at", "type": "kind", "origin": "gateway", "sequence": "seq"}
VALUES = ["count", "sum", "mean", "min", "max", "stddev", "first", "last", "p50", "p99"]
VIEWS = {
    "newest": {"stream": "telemetry", "values": {"temp": {}, "state": {}, "n": {}, "power": {"of": "extra.power"}}},
    "minutes": {"stream": "telemetry", "window": "1m", "lateness": "30s",
                "values": {"temp": {"as": VALUES}, "power": {"of": "extra.power", "as": ["count", "sum", "p99"]}}},
    "hours": {"stream": "telemetry", "window": "1h", "hop": "15m", "lateness": "2m", "by": "kind", "values": {"temp": {"as": VALUES}}},
    "machines": {"stream": "telemetry", "window": "10m", "lateness": "1m", "group": {"twin": "{key}", "via": ["partOf"]},
                 "values": {"temp": {"as": VALUES}}},
}
START_S, SETTLE_S = 30, 240
DELIVERY_S = 120  # beyond the longest pause between a source's attempts to connect
DISK_SIZE = 256 << 20


class Disk:
    """Where a process keeps its data. Full, either because it is (a small file system of its own, where this user may mount one), or
    because no file may grow (a limit of the process)."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        libc = ctypes.CDLL(None, use_errno=True)
        self.libc, self.full = libc, False
        options = f"size={DISK_SIZE}".encode()
        self.mounted = os.geteuid() == 0 and libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, options) == 0

    def fill(self, process):
        self.full = True
        if not self.mounted:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            return
        with contextlib.suppress(OSError), open(self.folder / "filler", "ab", buffering=0) as filler:
            while True:
                filler.write(bytes(1 << 20))
        with contextlib.suppress(OSError), open(self.folder / "filler", "ab", buffering=0) as filler:
            while True:
                filler.write(bytes(512))

    def heal(self, process):
        self.full = False
        if self.mounted:
            (self.folder / "filler").unlink(missing_ok=True)
        elif process.poll() is None:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def end(self):
        if self.mounted:
            self.libc.umount2(str(self.folder).encode(), 2)


class Site:
    """A Gemel. `ends` is what each process of it that was not killed said at its end: (exit code, log)."""

    def __init__(self, folder, name, port):
        self.folder, self.name, self.port = folder / name, name, port
        self.folder.mkdir()
        self.disk = Disk(self.folder / "data")
        self.clock = clock.Clock(self.folder, needed=False)
        self.server, self.killed, self.ends, self.refused = None, False, [], 0

    def configure(self, **settings):
        self.admin = link.free_port()
        root = {"data": "./data", "admin": {"listen": f"127.0.0.1:{self.admin}"}, "api": {"listen": f"127.0.0.1:{self.port}"}, **settings}
        (self.folder / "gemel.yaml").write_text(json.dumps(root, indent=1))

    def start(self):
        self.server = adt.Server(self.folder, env=self.clock.environment())
        self.killed = False

    def kill(self):
        self.killed = True
        self.forget()
        self.server.end(signal.SIGKILL)

    def forget(self):
        connection = getattr(self.server.local, "connection", None)
        if connection is not None:
            connection.close()
            self.server.local.connection = None

    def tend(self):
        """True: it runs."""
        if self.server.process.poll() is None:
            return True
        if not self.killed:
            self.server.reader.join()
            self.ends.append((self.server.process.returncode, "".join(self.server.log[-40:])))
            self.killed = True
        try:
            self.start()
        except AssertionError as failure:
            if not self.disk.full:
                raise
            self.refused += 1
            assert "disk" in str(failure) or "space" in str(failure) or "File too large" in str(failure), failure
            return False
        return True

    def get(self, path, version=None):
        answer = self.server.get(path, version=version)
        assert answer.status == 200, answer
        return answer.json

    def end(self):
        if self.server is not None and self.server.process.poll() is None:
            self.forget()
            code = self.server.end()
            assert code == 0, (self.name, code, "".join(self.server.log[-40:]))

    def abandon(self):
        if self.server is not None and self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()
        self.disk.end()


class Producer:
    def __init__(self, folder, plan):
        self.plan, self.folder = plan, folder / plan["name"]
        self.folder.mkdir()
        self.process, self.finished = None, False
        self.journal = self.folder / "journal"
        plan["journal"], plan["ending"] = str(self.journal), str(self.folder / "ending")
        (self.folder / "plan.json").write_text(json.dumps(plan))

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([sys.executable, "-B", str(PRODUCER), str(self.folder / "plan.json")], stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tend(self):
        if self.process.poll() is None:
            return
        assert self.process.returncode == -signal.SIGKILL, (self.plan["name"], (self.folder / "log").read_text()[-2000:])
        self.start()

    def finish(self):
        (self.folder / "ending").touch()

    def sent(self):
        """How many events, once it has finished."""
        return sum(len(json.loads(line).get("events", ())) for line in self.journal.read_bytes().splitlines())


class World:
    def __init__(self, folder, plan):
        self.folder, self.plan = folder, plan
        self.sites, self.links, self.producers, self.broker = {}, {}, [], None
        self.begun, self.settling = time.monotonic(), False

    # ---- the beginning ----

    def begin(self):
        self.broker = mosquitto.Broker(self.folder / "broker", "allow_anonymous true\nautosave_on_changes true\nautosave_interval 1\n")
        self._plan_producers()
        self._make_centre()
        for number in range(self.plan["edges"]):
            self._make_edge(f"edge{number}")
        for site in self.sites.values():
            if site.name != "centre":
                site.server.wait_for("mqtt.connected")
        # From here on the broker knows who listens, whatever happens to it.
        self.broker.halt()
        self.broker.resume()
        for producer in self.producers:
            producer.plan.update(port=self.broker.port if producer.plan["kind"] == "mqtt" else self.sites[producer.plan["site"]].port,
                                 token=self.sites[producer.plan["site"]].server.token,
                                 ca=str(self.sites[producer.plan["site"]].server.authority))
            (producer.folder / "plan.json").write_text(json.dumps(producer.plan))
            producer.start()

    def _plan_producers(self):
        wanted = [(f"edge{edge}", kind) for edge in range(self.plan["edges"]) for kind in self.plan["kinds"]] + [("centre", "http")]
        for number, (site, kind) in enumerate(wanted):
            self.producers.append(Producer(self.folder, {
                "name": f"{site}-{kind}", "number": number, "site": site, "kind": kind, "keys": self.plan["keys"],
                "batch": self.plan["batch"], "pause": self.plan["pause"], "seed": self.plan["seed"], "begun": self.begun}))

    def groups(self):
        """Sensor → machine."""
        return {readings.key_of(producer.plan["name"], number): readings.machine_of(producer.plan["site"], number)
                for producer in self.producers for number in range(producer.plan["keys"])}

    def _make_centre(self):
        site = self.sites["centre"] = Site(self.folder, "centre", link.free_port())
        models = site.folder / "models"
        models.mkdir()
        for name, properties, relationships in (("Sensor", SENSOR, ["partOf"]), ("Machine", {"name": "string"}, [])):
            (models / f"{name}.json").write_text(json.dumps(adt.interface(name, properties, relationships)))
        self._write_things(site)
        known = {"key": "id"}
        site.configure(models="./models", streams={"telemetry": {"partitions": 3, "retain": {"age": "2h"}, **STREAM}}, views=VIEWS, pipelines={
            "machines": gemel.jsonl_pipeline({"path": "machines.jsonl", **known}, {
                "$dtId": "{id}", "$model": "dtmi:t:Machine;1", "name": "name"}, schedule="every 2s"),
            "sensors": gemel.jsonl_pipeline({"path": "sensors.jsonl", **known}, {
                "$dtId": "{id}", "$model": "dtmi:t:Sensor;1", "name": "name",
                "relationships": [{"name": "partOf", "target": "{machine}"}]}, schedule="every 2s"),
            "telemetry": {"source": {"stream": {"name": "telemetry", "linger": "50ms"}}, "schedule": "continuous", "sink": "twins", "map": {
                "$dtId": "{$event.key}", "$model": "dtmi:t:Sensor;1", "$sourceTime": "{$event.time}",
                "temp": "temp", "state": "state", "n": "n"}}})
        site.start()
        self.wait_until(lambda: len(self.twins()) == len(self.groups()) + len(set(self.groups().values())), "things become twins")

    def _write_things(self, site):
        groups = self.groups()
        machines = sorted(set(groups.values()))
        (site.folder / "machines.jsonl").write_text("".join(json.dumps({"id": one, "name": f"machine {one}"}) + "\n" for one in machines))
        (site.folder / "sensors.jsonl").write_text("".join(
            json.dumps({"id": key, "name": f"sensor {key}", "machine": machine}) + "\n" for key, machine in sorted(groups.items())))

    def _make_edge(self, name):
        centre = self.sites["centre"]
        site = self.sites[name] = Site(self.folder, name, link.free_port())
        way = self.links[name] = link.Link(centre.port)
        site.configure(streams={"telemetry": {
            "partitions": 2, "retain": {"age": "1h"}, **STREAM,
            "forward": {"url": f"https://127.0.0.1:{way.port}", "token": centre.server.token, "ca": str(centre.server.authority),
                        "as": name, "batch": "64KiB", "keep": {"age": "1d"}},
            "from": {"plant": {"mqtt": {"url": self.broker.url, "topics": f"plant/{name}/#", "client_id": name}}}}})
        site.start()

    # ---- while it runs ----

    def site(self, name):
        return self.sites[name]

    def tend(self):
        """True: everything runs."""
        for producer in self.producers if not self.settling else ():
            producer.tend()
        if self.broker.process.poll() is not None:
            self.broker.resume()
        return all([site.tend() for site in self.sites.values()])

    def twins(self):
        return {twin["$dtId"]: twin for twin in self.sites["centre"].server.query("SELECT * FROM DIGITALTWINS")}

    def wait_until(self, condition, what, seconds=SETTLE_S):
        deadline = time.monotonic() + seconds
        while not condition():
            if self.settling:
                self.tend()
            assert time.monotonic() < deadline, f"it did not happen in {seconds} s: {what}"
            time.sleep(0.1)

    # ---- the end ----

    def settle(self):
        for way in self.links.values():
            way.calm()
            way.heal()
        for site in self.sites.values():
            site.disk.heal(site.server.process)
            site.clock.set(0)
        self.wait_until(self.tend, "everything runs", START_S)
        self.settling = True
        for producer in self.producers:
            producer.finish()
        for producer in self.producers:
            self.wait_until(lambda: producer.process.poll() is not None, f"{producer.plan['name']}: everything is acknowledged")
            assert producer.process.returncode == 0, (producer.plan["name"], (producer.folder / "log").read_text()[-2000:])
        self._let_the_broker_deliver()
        for name in self.links:
            self.wait_until(lambda: self.sites[name].get("/streams/telemetry")["forward"]["lag"] == 0, f"{name}: everything is forwarded")
        self.wait_until(self._has_caught_up, "the centre has caught up")

    def _let_the_broker_deliver(self):
        """What it has acknowledged is on its way. When it takes too long, the checker says what is missing."""
        wanted = {name: sum(producer.sent() for producer in self.producers if producer.plan["site"] == name) for name in self.links}
        until = time.monotonic() + DELIVERY_S
        while any(self.sites[name].get("/streams/telemetry")["taken"] < count for name, count in wanted.items()):
            if time.monotonic() > until:
                return
            time.sleep(0.1)

    def _has_caught_up(self):
        centre = self.sites["centre"]
        views = centre.get("/views", version=adt.VERSION)["value"]
        assert not any("error" in view for view in views), views
        done = subprocess.run([gemel.PROGRAM, "status", "--json"], cwd=centre.folder, capture_output=True, check=True)
        consumers = json.loads(done.stdout)["consumers"]
        return len(consumers) == len(VIEWS) + 1 and all(one["lag"] == 0 for one in consumers)

    def end(self):
        for site in self.sites.values():
            site.end()

    def abandon(self):
        """Whatever state it is in; what was a process here is none any more."""
        for producer in self.producers:
            if producer.process is not None and producer.process.poll() is None:
                producer.kill()
        for way in self.links.values():
            way.close()
        for site in self.sites.values():
            site.abandon()
        if self.broker is not None:
            self.broker.end()
