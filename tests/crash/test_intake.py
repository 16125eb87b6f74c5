#!/usr/bin/env python3
"""What was confirmed is in the stream, once: readings over HTTP and MQTT, while Gemel is killed and the broker restarts.

`gemel sample factory` sends and, afterwards, checks. A dozen kills; GEMEL_LONG=1 makes it two hundred, GEMEL_KILLS=n any number.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import adt
import gemel
import mosquitto

KILLS = int(os.environ.get("GEMEL_KILLS", "200" if os.environ.get("GEMEL_LONG") else "12"))
SEED = int(os.environ.get("GEMEL_SEED") or random.SystemRandom().randrange(1 << 32))
TOPICS = "factory/{factory}/line/{line}/machine/{machine}/sensor/{sensor}"


def stream(**source):
    conf = {"key": "sensor", "time": "time", "origin": "origin", "sequence": "sequence", "partitions": 2}
    return {"telemetry": {**conf, **({"from": {"plant": {"mqtt": source}}} if source else {})}}


class Intake(adt.Case):
    def setUp(self):
        super().setUp()
        self.model("Room", {"temp": "double"})

    def factory(self, to, *options, wait=True):
        words = [gemel.PROGRAM, "sample", "factory", str(to), "--sensors", "500", "--json", *options]
        process = subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self.ended(process) if wait else process

    def ended(self, process):
        try:
            out, err = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        self.assertEqual(0, process.returncode, err + out)
        return json.loads(out)

    def check(self, *options):
        """All of it, once, in order."""
        found = self.factory("data/streams/telemetry.db", "--check", *options)
        self.assertEqual(found["expected"], found["arrived"])
        return found

    def await_events(self, server, count):
        """Until the broker has nothing left that Gemel has not taken."""
        deadline = time.monotonic() + 120
        while True:
            page = server.get("/streams/telemetry", version=None)
            if page.status == 200 and page.json["taken"] >= count:
                server.local.connection.close()
                return
            self.assertLess(time.monotonic(), deadline, page)
            time.sleep(0.05)

    # ---- HTTP ----

    def http_options(self, server):
        return ["--token", server.token, "--ca", str(server.authority), "--connections", "3"]

    def test_readings_over_http_arrive_once(self):
        server = self.serve({"streams": stream()})
        load = ["--events", "20000", "--reorder", "2%", "--late", "2%", "--duplicates", "1%", "--faults", "missing=1%"]
        sent = self.factory(f"{server.url}/streams/telemetry/events", "--rate", "max", *load, *self.http_options(server))
        self.assertGreater(sent["readings"], 19000)
        found = self.factory(f"{server.url}/streams/telemetry/events", "--check", *load, *self.http_options(server))
        self.assertGreater(found["arrived"], 19000)
        server.end()
        self.assertGreater(self.check(*load)["arrived"], 19000)

    def test_a_view_shows_the_newest_readings_however_late_they_come(self):
        views = {"newest": {"stream": "telemetry", "values": {"value": {"of": "value"}}}}
        server = self.serve({"streams": stream(), "views": views})
        load = ["--events", "10000", "--reorder", "5%", "--late", "20%", "--late-max", "30s", "--faults", "missing=5%"]
        self.factory(f"{server.url}/streams/telemetry/events", "--rate", "max", *load, *self.http_options(server))
        rows = self.rows_of(server, "newest", 500)
        server.end()
        self.write("newest.jsonl", "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
        self.check("--newest", "newest.jsonl", *load)
        rows[17]["value"]["time"] = "2020-01-01T00:00:00Z"
        self.write("newest.jsonl", "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
        wrong = subprocess.run([gemel.PROGRAM, "sample", "factory", "data/streams/telemetry.db", "--sensors", "500", "--json", "--check",
                                "--newest", "newest.jsonl", *load], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual((1, 1), (wrong.returncode, json.loads(wrong.stdout)["newestWrong"]), wrong.stderr)

    def rows_of(self, server, view, count):
        """As soon as the view has caught up with its stream."""
        deadline = time.monotonic() + 60
        while server.get("/views", version=None).json["value"][0]["lag"] > 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        rows = server.get(f"/views/{view}?limit=10000", version=None).json["value"]
        self.assertEqual(count, len(rows))
        server.local.connection.close()
        return rows

    def test_readings_over_http_survive_kills(self):
        chance = random.Random(SEED)
        server = self.serve({"streams": stream()}, listen=f"127.0.0.1:{mosquitto.free_port()}")
        load = ["--events", "60000", "--rate", "6000", "--duplicates", "1%", "--interval", "1s"]
        sender = self.factory(f"{server.url}/streams/telemetry/events", *load, *self.http_options(server), wait=False)
        for _ in range(min(KILLS, 6)):
            time.sleep(chance.uniform(0.1, 1))
            server.end(signal.SIGKILL)
            server = self.start()
        self.ended(sender)
        server.end()
        self.check(*load)

    # ---- MQTT ----

    def broker(self, **more):
        broker = mosquitto.Broker(self.folder / "broker", **more)
        self.addCleanup(broker.end)
        return broker

    def test_readings_over_mqtt_survive_kills_and_a_broker_that_restarts(self):
        chance = random.Random(SEED)
        broker = self.broker()
        server = self.serve({"streams": stream(url=broker.url, topics=TOPICS, in_flight=300)})
        server.wait_for("mqtt.connected")
        load = ["--events", "30000", "--rate", "3000", "--duplicates", "1%", "--interval", "1s"]
        sender = self.factory(broker.url, *load, wait=False)
        for number in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.6))
            if number % 4 == 3:
                broker.halt()
                broker.resume()
            else:
                server.end(signal.SIGKILL)
                server = self.start()
        self.ended(sender)
        self.await_events(server, 30000)
        server.end()
        self.check(*load)

    def test_both_versions_and_packed_messages(self):
        broker = self.broker()
        for version in ("3.1.1", "5"):
            source = {"url": broker.url, "topics": "factory/#", "version": version}
            server = self.serve({"streams": stream(**source)})
            server.wait_for("mqtt.connected")
            load = ["--events", "5000", *(["--mqtt5"] if version == "5" else [])]
            self.factory(broker.url, "--rate", "max", "--batch", "6", *load)
            self.await_events(server, 5000)
            server.end()
            self.check(*load)
            shutil.rmtree(self.folder / "data/streams")

    def make_certificates(self):
        if shutil.which("openssl") is None:
            raise unittest.SkipTest("openssl is not installed")
        folder = self.folder / "certificates"
        folder.mkdir()

        def openssl(*words):
            subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA")
        (folder / "extension").write_text("subjectAltName = DNS:localhost\n")
        for name in ("server", "client"):
            common = "localhost" if name == "server" else "gemel"
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common}")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                    "-out", f"{name}.pem", "-extfile", "extension")
        return folder

    def test_tls_with_certificates_on_both_sides(self):
        folder = self.make_certificates()
        broker = self.broker(tls=True, settings=f"cafile {folder}/ca.pem\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n"
                                                "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n")
        mine = {"ca": "certificates/ca.pem", "certificate": "certificates/client.pem", "certificate_key": "certificates/client.key"}
        server = self.serve({"streams": stream(url=broker.url, topics=TOPICS, **mine)})
        server.wait_for("mqtt.connected")
        load = ["--events", "2000"]
        self.factory(broker.url, *load, "--rate", "max", "--ca", str(folder / "ca.pem"), "--certificate", str(folder / "client.pem"),
                     "--certificate-key", str(folder / "client.key"))
        self.await_events(server, 2000)
        server.end()
        self.check(*load)
        without = subprocess.run([gemel.PROGRAM, "sample", "factory", broker.url, "--events", "1", "--patience", "1s"], cwd=self.folder,
                                 capture_output=True, text=True, check=False)
        self.assertNotEqual(0, without.returncode)  # who has no certificate stays outside

    # ---- settings ----

    def test_settings_that_do_not_fit_together_are_told(self):
        wrong = [
            ({"url": "http://broker", "topics": "a"}, "mqtt://"),
            ({"url": "mqtt://broker", "topics": "a/#/b"}, "# stands at the end"),
            ({"url": "mqtt://broker", "topics": "a", "connections": 2}, "share"),
            ({"url": "mqtt://broker", "topics": "a", "ca": "x.pem"}, "mqtts://"),
            ({"url": "mqtt://broker", "topics": "a/{x}", "key": "{y}"}, "{y}"),
            ({"url": "mqtt://broker", "topics": "a", "refused": "nowhere"}, "nowhere"),
            ({"url": "mqtt://broker", "topics": "a", "password": "x"}, "user"),
        ]
        for source, word in wrong:
            self.configure({}, streams=stream(**source))
            done = self.gemel("check", "gemel.yaml", expect=2)
            self.assertIn(word, done.err + done.out)


if __name__ == "__main__":
    print(f"GEMEL_SEED={SEED}")
    gemel.main()
