#!/usr/bin/env python3
"""The admin API of a running `gemel run`, asked directly and by the commands that need the data directory it holds."""
import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import stat
import subprocess
import time
import unittest
import urllib.parse

import gemel

DEADLINE_S = 30
PRODUCT = {"$dtId": "p-{id}", "$model": "dtmi:t:Product;1", "name": "name", "price": {"from": "price", "type": "double"}}


class Daemon:
    """`gemel run` in the background; its log is read, so that nothing is waited for but what happens."""

    def __init__(self, folder):
        self.process = subprocess.Popen([gemel.PROGRAM, "run"], cwd=folder, stderr=subprocess.PIPE, text=True)
        self.log = []
        try:
            line = self.wait_for("admin.listening")
            self.port = int(re.search(r"url=http://127\.0\.0\.1:(\d+)", line).group(1))
            self.token = json.loads((folder / "data/admin.json").read_text())["token"]
        except BaseException:
            self.end(signal.SIGKILL)
            raise

    def wait_for(self, event):
        """The next log line with that in it."""
        for line in self.process.stderr:
            self.log.append(line)
            if event in line:
                return line
        raise AssertionError(f"no {event} in the log:\n{''.join(self.log)}")

    def end(self, how=signal.SIGTERM):
        """The exit code; what it says at its end is added to the log."""
        self.process.send_signal(how)
        try:
            self.log.append(self.process.communicate(timeout=DEADLINE_S)[1])
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode

    def send(self, method, path, body=None, **headers):
        """Status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path, expect=200, **headers):
        status, _, body = self.send("GET", path, **headers)
        assert status == expect, (status, body)
        return json.loads(body)

    def post(self, path, body=None, expect=200):
        data = json.dumps(body) if isinstance(body, dict) else body
        status, _, body = self.send("POST", path, data, Authorization=f"Bearer {self.token}")
        assert status == expect, (status, body)
        return json.loads(body)

    def run(self, pipeline):
        """Runs a pipeline and waits for its end. A run that the log calls done is under way for a moment still."""
        soon(lambda: self.post(f"/pipelines/{pipeline}/run", expect=202))
        self.wait_for("run.done")


def soon(attempt):
    """What it returns once it succeeds: for what follows at once, but is not told."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return attempt()
        except (AssertionError, ConnectionError):
            if time.monotonic() > deadline:
                raise


def read_all(client):
    client.settimeout(DEADLINE_S)
    return b"".join(iter(lambda: client.recv(1 << 16), b""))


class Admin(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Product", {"name": "string", "price": "double"})
        self.rows = [{"id": i, "name": f"n{i}", "price": i / 2} for i in range(1, 11)]
        self.show()
        self.set_up()

    def show(self, rows=None):
        self.write("products.jsonl", self.rows if rows is None else rows)

    def set_up(self, admin=None):
        self.configure({"products": gemel.jsonl_pipeline({"path": "products.jsonl", "key": "id"}, PRODUCT,
                                                         missing={"delete_after_runs": 1, "max_share": "20%"},
                                                         errors={"stop_share": "90%"})},
                       admin=admin or {"listen": "127.0.0.1:0"})

    def start(self, wait=True):
        daemon = Daemon(self.folder)
        self.addCleanup(lambda: daemon.process.poll() is None and daemon.end(signal.SIGKILL))
        if wait and not any("run.done" in line for line in daemon.log):
            daemon.wait_for("run.done")
        return daemon

    # ---- who may ask, and where ----

    def test_the_file_is_the_owners_and_goes_with_the_process(self):
        daemon = self.start()
        path = self.folder / "data/admin.json"
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        self.assertEqual({"url": f"http://127.0.0.1:{daemon.port}", "token": daemon.token}, json.loads(path.read_text()))
        self.assertRegex(daemon.token, r"^[0-9a-f]{64}$")
        self.assertEqual(0, daemon.end(), "".join(daemon.log))
        self.assertFalse(path.exists())

    def test_the_file_of_a_killed_process_is_removed_by_who_comes_next(self):
        self.start().end(signal.SIGKILL)
        path = self.folder / "data/admin.json"
        self.assertTrue(path.exists())
        self.run_all()
        self.assertFalse(path.exists())

    def test_writing_needs_the_token(self):
        daemon = self.start()
        wrong = "0" * 64
        for headers in ({}, {"Authorization": daemon.token}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {wrong}"},
                        {"Authorization": f"Bearer {daemon.token}x"}, {"Authorization": f"Basic {daemon.token}"}):
            with self.subTest(headers=headers):
                status, got, body = daemon.send("POST", "/pipelines/products/run", "{}", **headers)
                self.assertEqual((401, "Bearer"), (status, got["WWW-Authenticate"]))
                self.assertEqual("unauthorized", json.loads(body)["error"]["code"])
        self.assertEqual(1, len(daemon.get("/runs")["runs"]))

    def test_hosts_of_other_names_are_refused(self):
        daemon = self.start()
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8070", "10.0.0.1", ""):
            with self.subTest(host=host):
                self.assertEqual("forbidden", daemon.get("/runs", 403, Host=host)["error"]["code"])
        for host in ("localhost", "localhost:1", "127.0.0.1", "127.1.2.3:80", "[::1]:8070"):
            with self.subTest(host=host):
                daemon.get("/health", Host=host)

    def test_an_address_that_is_taken_is_told_with_the_cure(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.configure({}, admin={"listen": address})
            done = self.gemel("run", expect=gemel.USAGE)
        self.assertIn(f"admin.listen: {address}: another process listens there", done.err)
        self.assertIn("admin.enabled: false", done.err)

    def test_it_can_be_off(self):
        self.set_up(admin={"enabled": False})
        process = subprocess.Popen([gemel.PROGRAM, "run"], cwd=self.folder, stderr=subprocess.PIPE, text=True)
        try:
            log = next(line for line in process.stderr if "run.done" in line)
            self.assertIn("products", log)
            self.assertFalse((self.folder / "data/admin.json").exists())
            done = self.gemel("plan", expect=gemel.ENVIRONMENT)
            self.assertIn(f"process {process.pid} holds it", done.err)
        finally:
            process.kill()
            process.communicate()

    # ---- looking ----

    def test_health_and_metrics(self):
        daemon = self.start()
        self.assertEqual("up", daemon.get("/health")["status"])
        status, headers, body = daemon.send("HEAD", "/health")
        self.assertEqual((200, b""), (status, body))
        status, headers, body = daemon.send("GET", "/metrics")
        self.assertEqual((200, "text/plain; version=0.0.4; charset=utf-8"), (status, headers["Content-Type"]))
        self.assertIn(b'gemel_records_read_total{pipeline="products"} 10\n', body)

    def test_it_is_ready_once_every_pipeline_has_succeeded(self):
        (self.folder / "products.jsonl").unlink()
        daemon = self.start(wait=False)
        daemon.wait_for("run.failed")
        answer = daemon.get("/ready", 503)
        self.assertEqual((False, ["pipeline products has not succeeded yet"]), (answer["ready"], answer["reasons"]))
        self.show()
        daemon.run("products")
        self.assertEqual({"ready": True, "reasons": []}, daemon.get("/ready"))

    def test_pipelines_and_runs(self):
        daemon = self.start()
        daemon.run("products")
        pipeline, = daemon.get("/pipelines")["pipelines"]
        self.assertEqual(("products", True, None, 10, 0), tuple(
            pipeline[name] for name in ("pipeline", "enabled", "schedule", "objects", "dead_letters")))
        self.assertEqual(2, pipeline["last_run"]["num"])
        runs = daemon.get("/runs")["runs"]
        self.assertEqual([(2, "manual", 10), (1, "schedule", 0)],
                         [(run["num"], run["cause"], run["counts"]["unchanged"]) for run in runs])
        self.assertEqual(runs, self.gemel("runs", "--json").json())
        self.assertEqual(runs[:1], daemon.get("/runs?pipeline=products&limit=1")["runs"])
        self.assertEqual("not-found", daemon.get("/runs?pipeline=none", 404)["error"]["code"])

    def test_dead_letters_by_page_and_key(self):
        key = "a/b c&d"
        self.show([{"id": key, "name": 1, "price": "dear"}, *({"id": i, "name": "n", "price": "dear"} for i in range(3)), *self.rows[4:]])
        daemon = self.start()
        letters = daemon.get("/dead-letters")["dead_letters"]
        self.assertEqual([key, "0", "1", "2"], [letter["key"] for letter in letters])
        self.assertEqual(letters, self.letters())
        page = daemon.get("/dead-letters?pipeline=products&limit=3")
        self.assertEqual((letters[:3], letters[2]["num"]), (page["dead_letters"], page["next"]))
        page = daemon.get(f"/dead-letters?limit=3&after={page['next']}")
        self.assertEqual((letters[3:], None), (page["dead_letters"], page["next"]))
        self.assertEqual(letters[:1], daemon.get("/dead-letters?key=" + urllib.parse.quote_plus(key))["dead_letters"])
        self.assertEqual([], daemon.get("/dead-letters?key=")["dead_letters"])

    # ---- hostile requests ----

    def test_what_is_not_there_is_an_error(self):
        daemon = self.start()
        for path in ("/", "/healthy", "/health/x", "//health", "/pipelines/products", "/pipelines//run", "/%68ealth", "/..", "/runs/1"):
            with self.subTest(path=path):
                self.assertEqual("not-found", daemon.get(path, 404)["error"]["code"])
        for path in ("/pipelines/none/run", "/pipelines/none/plan", "/pipelines/pro%2Fducts/run", "/runs/99/approve", "/runs/x/approve"):
            with self.subTest(path=path):
                self.assertEqual("not-found", daemon.post(path, expect=404)["error"]["code"])
        self.assertIn("did you mean `products`", daemon.post("/pipelines/product/run", expect=404)["error"]["message"])
        for method, path, allowed in (("POST", "/health", "GET"), ("DELETE", "/runs", "GET"), ("GET", "/pipelines/products/run", "POST")):
            with self.subTest(method=method, path=path):
                status, headers, _ = daemon.send(method, path)
                self.assertEqual((405, allowed), (status, headers["Allow"]))

    def test_wrong_parameters_and_bodies_are_refused(self):
        daemon = self.start()
        for path in ("/runs?limit=0", "/runs?limit=1001", "/runs?limit=-1", "/runs?limit=x", "/runs?limit=", "/runs?limits=3",
                     "/runs?pipeline=%zz", "/runs?pipeline=%00", "/runs?pipeline=%ff", "/dead-letters?after=x"):
            with self.subTest(path=path):
                self.assertEqual("invalid", daemon.get(path, 400)["error"]["code"])
        for body in ("[]", "null", "{", '{"num":1,"num":1}', '{"number":1}', '{"num":"1"}', '{"num":0}', '{"num":1.5}',
                     '{"num":18446744073709551615}', '{"key":1}', '{"num":1,"key":"1"}', b'{"key":"\xff"}', "[" * 100000):
            with self.subTest(body=body[:40]):
                self.assertEqual("invalid", daemon.post("/pipelines/products/drop-letters", body, 400)["error"]["code"])
        for path, body in (("plan", '{"resync":1}'), ("verify", '{"check":{}}'), ("verify", '{"check":"{}"}'), ("run", '{"x":1}')):
            with self.subTest(path=path, body=body):
                daemon.post(f"/pipelines/products/{path}", body, 400)

    def test_huge_bodies_are_refused(self):
        daemon = self.start()
        body = json.dumps({"key": "x" * (2 << 20)})
        self.assertEqual("too-large", daemon.post("/pipelines/products/redrive", body, 413)["error"]["code"])
        with socket.create_connection(("127.0.0.1", daemon.port), DEADLINE_S) as client:
            client.sendall(b"POST /pipelines/products/redrive HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 413 "))
        with socket.create_connection(("127.0.0.1", daemon.port), DEADLINE_S) as client:
            client.sendall(b"POST /pipelines/products/redrive HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
            with self.assertRaises((ConnectionError, TimeoutError)):  # it may not go on for ever
                for _ in range(64):
                    client.sendall(chunk)
        self.assertEqual("up", daemon.get("/health")["status"])

    def test_nonsense_and_huge_headers_do_no_harm(self):
        daemon = self.start()
        for nonsense in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET /health HTTP/9.9\r\n\r\n", b"X" * 100000 + b"\r\n\r\n",
                         b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                         b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000 + b"\r\n\r\n"):
            with self.subTest(nonsense=nonsense[:30]), socket.create_connection(("127.0.0.1", daemon.port), DEADLINE_S) as client:
                client.settimeout(2)
                with contextlib.suppress(OSError):  # it may hang up on this, or wait for more
                    client.sendall(nonsense)
                    client.shutdown(socket.SHUT_WR)
                    self.assertNotIn(b" 200 ", client.recv(100))
        self.assertEqual("up", daemon.get("/health")["status"])

    def test_more_connections_than_it_takes_are_closed_and_nothing_breaks(self):
        daemon = self.start()
        clients = [socket.create_connection(("127.0.0.1", daemon.port), DEADLINE_S) for _ in range(80)]
        ready, _, _ = select.select(clients, [], [], DEADLINE_S)
        with contextlib.suppress(ConnectionError):
            self.assertEqual(b"", ready[0].recv(1))
        for client in clients:
            client.close()
        self.assertEqual("up", soon(lambda: daemon.get("/health"))["status"])

    # ---- doing ----

    def test_what_waits_for_a_run_is_bounded_and_ends_with_the_process(self):
        source = {"url": "postgresql://127.0.0.1:1/none", "table": "t", "key": "id"}  # nobody listens there: it is tried again and again
        self.configure({"slow": gemel.sql_pipeline(source, PRODUCT, retry={"first": "10m", "longest": "10m"})},
                       admin={"listen": "127.0.0.1:0"})
        daemon = self.start(wait=False)
        if not any("run.start" in line for line in daemon.log):
            daemon.wait_for("run.start")
        self.assertEqual("running", daemon.get("/pipelines")["pipelines"][0]["state"])
        self.assertEqual("conflict", daemon.post("/pipelines/slow/run", expect=409)["error"]["code"])
        clients = []
        for _ in range(17):
            client = socket.create_connection(("127.0.0.1", daemon.port), DEADLINE_S)
            self.addCleanup(client.close)
            client.sendall(b"POST /pipelines/slow/plan HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                           b"Authorization: Bearer " + daemon.token.encode() + b"\r\nContent-Length: 0\r\n\r\n")
            clients.append(client)
        ready, _, _ = select.select(clients, [], [], DEADLINE_S)
        self.assertEqual(1, len(ready))
        self.assertIn(b"16 operations are under way", read_all(ready[0]))
        self.assertEqual("up", daemon.get("/health")["status"])
        self.assertEqual(0, daemon.end(), "".join(daemon.log))
        clients.remove(ready[0])
        for client in clients:
            self.assertIn(b'"code":"cancelled"', read_all(client))

    def test_approve_through_the_process_that_has_the_store(self):
        daemon = self.start()
        self.show(self.rows[:5])
        daemon.run("products")
        self.assertEqual("blocked", daemon.get("/runs?limit=1")["runs"][0]["sweep"]["state"])
        done = self.gemel("runs", "approve", "1", expect=gemel.FAILED)
        self.assertIn("run 1 blocks no deletion", done.err)
        self.assertIn("there is no run 9", self.gemel("runs", "approve", "9", expect=gemel.FAILED).err)
        self.assertEqual({"deleted": 5}, self.gemel("runs", "approve", "2", "--json").json())
        self.assertEqual(5, len(self.twins()))

    def test_redrive_and_drop_through_the_process_that_has_the_store(self):
        dear = {**self.rows[0], "price": "dear"}
        dearer = {**self.rows[1], "price": "dearer"}
        self.show([dear, dearer, *self.rows[2:]])
        daemon = self.start()
        self.assertEqual(["1", "2"], [letter["key"] for letter in self.letters()])
        done = self.gemel("dead-letters", "redrive", "products", "--all", "--json", expect=gemel.FAILED)
        self.assertEqual({"applied": 0, "failed": 2, "held": 0}, done.json())
        self.assertIn("no dead letter 77", self.gemel("dead-letters", "drop", "products", "77", expect=gemel.FAILED).err)
        self.assertEqual({"dropped": 1}, self.gemel("dead-letters", "drop", "products", "--key", "2", "--json").json())
        self.assertEqual(["1"], [letter["key"] for letter in daemon.get("/dead-letters")["dead_letters"]])
        self.assertEqual({"dropped": 1}, daemon.post("/pipelines/products/drop-letters", {}))

    def test_plan_says_the_same_here_and_there(self):
        daemon = self.start()
        self.show([*self.rows[:8], {"id": 9, "name": "new", "price": 1}, {"id": 11, "name": "n11", "price": 1}, {"id": 12, "price": "dear"}])
        there, text_there = self.gemel("plan", "--json").json(), self.gemel("plan", "products").out
        daemon.end()
        here, text_here = self.gemel("plan", "--json").json(), self.gemel("plan", "products").out

        def timeless(plan):
            return {name: value for name, value in plan["report"].items() if name not in ("id", "started", "finished", "seconds", "rate")}
        self.assertEqual(timeless(here), timeless(there))
        self.assertEqual(here["samples"], there["samples"])
        self.assertEqual((["11"], ["9"], ["12"]), tuple(
            [sample["key"] for sample in there["samples"][name]] for name in ("created", "updated", "parked")))
        took = re.compile(r"takes about .*")
        self.assertEqual(took.sub("", text_here), took.sub("", text_there))
        self.assertIn("products: would read 11 records, 8 of them unchanged", text_there)
        self.assertEqual(10, len(self.twins()))

    def test_verify_says_the_same_here_and_there(self):
        daemon = self.start()
        self.show([*self.rows[:9], {"id": 77, "name": "new", "price": 1}])
        there = self.gemel("verify", "products", "--json", "--artifact", "there.json", expect=gemel.FAILED).json()
        self.assertEqual([{"kind": "extra", "key": "10"}, {"kind": "missing", "key": "77"}], there["differences"])
        check_there = self.gemel("verify", "products", "--check", "there.json").out
        text_there = self.gemel("verify", "products", "--artifact", "a.json", expect=gemel.FAILED).out
        daemon.run("products")
        moved_there = self.gemel("verify", "products", "--check", "there.json", "--json", expect=gemel.FAILED).json()
        self.assertEqual((True, False), (moved_there["sealed"], moved_there["same"]))
        self.write("broken.json", (self.folder / "there.json").read_text().replace('"extra"', '"other"'))
        self.assertIn("seal: broken", self.gemel("verify", "products", "--check", "broken.json", expect=gemel.FAILED).out)
        daemon.end()
        self.assertEqual(moved_there, self.gemel("verify", "products", "--check", "there.json", "--json", expect=gemel.FAILED).json())
        self.assertIn("seal: whole\ngraph: as the artifact says\n", check_there)
        self.show([*self.rows[:9], {"id": 78, "name": "new", "price": 1}])
        here = self.gemel("verify", "products", "--json", "--artifact", "here.json", expect=gemel.FAILED).json()
        self.assertEqual(set(here), set(there))
        self.assertIn("source: 10 objects, graph: 10 objects\n2 differences:\n  10  in the graph only\n  77  in the source only\n", text_there)

    def test_the_end_does_not_wait_for_idle_connections(self):
        daemon = self.start()
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=DEADLINE_S)
        connection.request("GET", "/health")
        connection.getresponse().read()  # kept open, idle
        self.assertEqual(0, daemon.end(), "".join(daemon.log))
        connection.close()


if __name__ == "__main__":
    gemel.main()
