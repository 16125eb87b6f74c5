#!/usr/bin/env python3
"""gemel run as a service: schedules, the webhook, reloading, ending."""
import http.server
import json
import os
import signal
import subprocess
import threading
import time
import unittest

import gemel

ROW = {"$dtId": "p-{id}", "$model": "dtmi:t:P;1", "name": "name"}


class Webhook:
    """Takes what is posted to it; answers the given statuses in turn, then 200."""

    def __init__(self, *statuses):
        self.posts = []
        self.statuses = list(statuses)
        self.arrived = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.headers.get("Authorization"), json.loads(body)))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.end_headers()
                outer.arrived.set()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?key=s3cret"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Daemon:
    """gemel run, until it is told to end."""

    def __init__(self, case, env=None):
        self.log = open(case.folder / "log", "wb")
        self.process = subprocess.Popen([gemel.PROGRAM, "run"], cwd=case.folder, stdout=self.log, stderr=self.log,
                                        env={**os.environ, **(env or {})})
        case.addCleanup(self.end)
        self.path = case.folder / "log"

    def text(self):
        return self.path.read_text(encoding="utf-8")

    def wait_for(self, condition, what):
        deadline = time.monotonic() + gemel.DEADLINE_S
        while not condition():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"{what} did not come to pass:\n{self.text()}")
            time.sleep(0.05)

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=gemel.DEADLINE_S)
        self.log.close()
        return code


class DaemonTest(gemel.Case):
    def prepare(self, schedule="every 1s", **settings):
        self.model("P", {"name": "string"})
        self.sql("erp.db", "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO p VALUES (1, 'Chai')")
        self.configure({"products": gemel.table("erp.db", "p", "id", ROW, schedule=schedule, retry={"attempts": 1})}, **settings)

    def test_a_changed_row_is_followed_on_schedule(self):
        self.prepare()
        daemon = Daemon(self)
        daemon.wait_for(lambda: (self.folder / "data/store.db").exists() and "run.done" in daemon.text(), "the first run")
        self.assertEqual("Chai", self.twin("p-1")["name"])
        self.sql("erp.db", "UPDATE p SET name = 'Chang'")
        daemon.wait_for(lambda: self.twin("p-1")["name"] == "Chang", "the change")
        self.assertEqual(0, daemon.end(signal.SIGINT))
        self.assertEqual("succeeded", self.gemel("runs", "--json").json()[0]["status"])

    def test_a_reload_takes_a_good_configuration_and_refuses_a_bad_one(self):
        self.prepare()
        daemon = Daemon(self)
        daemon.wait_for(lambda: "run.done" in daemon.text(), "the first run")
        good = (self.folder / "gemel.yaml").read_text(encoding="utf-8")
        self.write("gemel.yaml", good.replace('"schedule"', '"shedule"'))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for(lambda: "reload.refused" in daemon.text(), "the refusal")
        self.assertIn("did you mean `schedule`", daemon.text())
        self.write("gemel.yaml", good.replace('"name": "name"', '"name": {"value": "Tea"}'))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for(lambda: "reload.done" in daemon.text(), "the reload")
        daemon.wait_for(lambda: self.twin("p-1")["name"] == "Tea", "the new map")
        self.assertEqual(0, daemon.end())

    def test_a_failed_run_is_posted_to_the_webhook(self):
        webhook = Webhook(503)
        self.addCleanup(webhook.close)
        self.prepare(notify={"webhook": {"url": "${env:HOOK}", "authorization": "Bearer ${env:TOKEN}"}})
        os.remove(self.folder / "erp.db")
        env = {"HOOK": webhook.url, "TOKEN": "t0ken"}
        run = self.run_all(expect=gemel.FAILED, env=env)["products"]
        self.assertEqual("failed", run.status)
        self.assertEqual(2, len(webhook.posts), "tried again after 503")
        authorization, body = webhook.posts[-1]
        self.assertEqual("Bearer t0ken", authorization)
        self.assertEqual("run.failed", body["event"])
        self.assertEqual("products", body["report"]["pipeline"])
        self.assertIn("erp.db", body["report"]["error"]["message"])
        self.assertNotIn("s3cret", self.log)

    def test_a_webhook_that_does_not_answer_holds_nothing_up(self):
        self.prepare(notify={"webhook": {"url": "http://127.0.0.1:9/", "timeout": "200ms"}})
        os.remove(self.folder / "erp.db")
        self.assertEqual("failed", self.run_all(expect=gemel.FAILED)["products"].status)
        self.assertIn("webhook.failed", self.log)

    def test_a_stopped_run_says_so_and_the_next_one_goes_on(self):
        self.model("P", {"name": "string"})
        self.sql("erp.db", "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT);"
                           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) INSERT INTO p SELECT i, 'x' FROM n")
        self.configure({"products": gemel.table("erp.db", "p", "id", ROW)})
        daemon = Daemon(self)
        daemon.wait_for(lambda: "run.start" in daemon.text(), "the start")
        time.sleep(0.1)
        self.assertEqual(0, daemon.end())
        first = self.gemel("runs", "--json").json()[-1]
        self.assertIn(first["status"], ("stopped", "succeeded"))
        self.assertEqual("succeeded", self.run_pipeline("products").status)
        self.assertEqual([{"COUNT": 300000}], self.query("SELECT COUNT() FROM DIGITALTWINS"))


if __name__ == "__main__":
    gemel.main()
