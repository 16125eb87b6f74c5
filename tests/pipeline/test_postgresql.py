#!/usr/bin/env python3
"""PostgreSQL as a source: a real server, in a cluster of its own that goes with the test."""
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import gemel
from gemel import sql_pipeline

PASSWORD = "p@ss:w/rd"


def programs():
    """The folder of the newest server programs; None: there are none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [path for path in [shutil.which("initdb")] if path]
    return os.path.dirname(found[-1]) if found else None


class Server:
    """A cluster in a temporary folder. As root it runs as user postgres: PostgreSQL refuses to run as root."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gemel-pg-", dir=gemel.FOLDERS)
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        with open(f"{self.folder}/password", "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        os.chmod(f"{self.folder}/password", 0o644)
        self.run("initdb", "-D", f"{self.folder}/data", "-U", "owner", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N",
                 f"--pwfile={self.folder}/password")
        self.start()

    def run(self, program, *arguments, check=True):
        return subprocess.run([f"{programs()}/{program}", *arguments], cwd=self.folder, check=check, stdin=subprocess.DEVNULL, timeout=60,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self.user if os.geteuid() == 0 else None)

    def start(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o",
                 f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off", "start")

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop", check=False)

    def sql(self, script):
        """Runs it; what a query answers is returned as text."""
        done = subprocess.run([f"{programs()}/psql", "-qXtAv", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", "owner", "postgres"],
                       input=script.encode(), check=True, timeout=60, stdout=subprocess.PIPE,
                              env={**os.environ, "PGPASSWORD": PASSWORD, "PGOPTIONS": "-c client_min_messages=warning"})
        return done.stdout.decode()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@unittest.skipUnless(programs(), "no PostgreSQL server here")
class PostgreSql(gemel.Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string", "size": "double", "count": "long", "flag": "boolean", "day": "date", "moment": "dateTime",
                            "tags": {"@type": "Array", "elementSchema": "string"}})
        self.server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE part (id integer PRIMARY KEY, name text, size numeric(9,2), "
                        "count bigint, flag boolean, day date, moment timestamptz, tags text[], extra jsonb, version bigint);"
                        "INSERT INTO part SELECT i, 'part ' || i, i / 4.0, i, i % 2 = 0, DATE '2026-01-01' + i, "
                        "TIMESTAMPTZ '2026-01-01 12:00:00+00' + i * INTERVAL '1 hour', NULL, jsonb_build_object('n', i), i "
                        "FROM generate_series(1, 1000) AS i")

    def url(self, password=None):
        return f"postgresql://owner{':' + password if password else ''}@127.0.0.1:{self.server.port}/postgres"

    mapping = {"$dtId": "p-{id}", "$model": "dtmi:t:Part;1", "name": "name", "size": "size", "count": "count", "flag": "flag", "day": "day",
               "moment": "moment"}

    def use(self, source=None, mapping=None, **more):
        self.configure({"parts": sql_pipeline({"url": self.url(), "password": "${env:PG_SECRET}", "key": "id", **(source or {"table": "part"})},
                                              mapping or self.mapping, **more)})

    def run_parts(self, expect=gemel.DONE, password=PASSWORD):
        return self.run_pipeline("parts", expect=expect, env={"PG_SECRET": password})

    def test_a_table_becomes_twins_and_stays_in_step(self):
        self.use()
        self.assertEqual(1000, self.run_parts().created)
        self.assertEqual({"name": "part 3", "size": 0.75, "count": 3, "flag": False, "day": "2026-01-04", "moment": "2026-01-01T15:00:00+00:00"},
                         self.twin("p-3"))
        self.assertEqual((1000, 0), (lambda run: (run.unchanged, run.written))(self.run_parts()))
        self.server.sql("UPDATE part SET size = 99 WHERE id = 3; DELETE FROM part WHERE id = 4; INSERT INTO part (id, name) VALUES (2000, NULL)")
        run = self.run_parts()
        self.assertEqual((1, 1, 1), (run.created, run.updated, run.missing))
        self.assertEqual(1, self.run_parts().deleted)
        self.assertEqual({}, self.twin("p-2000"))
        report = self.gemel("verify", "parts", "--json", env={"PG_SECRET": PASSWORD}).json()
        self.assertTrue(report["equal"], report)

    def test_a_query_with_joins_and_json(self):
        self.use({"query": "SELECT id, upper(name) AS name, extra FROM part WHERE id <= 3"},
                 {"$dtId": "p-{id}", "$model": "dtmi:t:Part;1", "name": "name", "count": "extra.n"})
        self.run_parts()
        self.assertEqual({f"p-{i}": {"name": f"PART {i}", "count": i} for i in (1, 2, 3)}, self.twins())

    def test_a_watermark_reads_what_is_newer(self):
        self.use({"table": "public.part", "watermark": "version"})
        self.assertEqual(1000, self.run_parts().created)
        self.server.sql("UPDATE part SET name = 'new', version = 1001 WHERE id = 7")
        self.assertEqual((1, 1), (lambda run: (run.read, run.updated))(self.run_parts()))

    def test_a_wrong_password_fails_at_once_and_is_not_shown(self):
        self.use(retry={"attempts": 5, "first": "10s"})
        run = self.run_parts(expect=gemel.FAILED, password="not-the-secret-one")
        self.assertEqual("config", run.error["code"])
        self.assertIn("password authentication failed", str(run.error))
        self.assertNotIn("not-the-secret-one", self.log + str(run.error))

    def test_a_password_in_the_url_is_scrubbed(self):
        self.configure({"parts": sql_pipeline({"url": self.url("in-the-url-itself"), "table": "part", "key": "id"}, self.mapping)})
        run = self.run_parts(expect=gemel.FAILED)
        shown = self.log + str(run) + self.gemel("runs", "--json").out + self.gemel("check").out
        self.assertNotIn("in-the-url-itself", shown)

    def test_a_table_that_is_not_there_is_named_with_the_nearest(self):
        self.use({"table": "prat"})
        run = self.run_parts(expect=gemel.FAILED)
        self.assertIn("`part`", str(run.error))

    def test_a_server_that_is_down_deletes_nothing_and_the_next_run_goes_on(self):
        self.use(retry={"attempts": 2, "first": "1ms", "longest": "1ms"})
        self.run_parts()
        self.server.stop()
        try:
            run = self.run_parts(expect=gemel.FAILED)
        finally:
            self.server.start()
        self.assertEqual((2, 0, False), (run.report["attempts"], run.missing, run.complete))
        self.assertEqual("retry", run.error["code"])
        self.assertEqual(1000, len(self.twins()))
        self.assertEqual(1000, self.run_parts().unchanged)

    def stop_when_asleep(self):
        for _ in range(300):
            if "PgSleep" in self.server.sql("SELECT wait_event FROM pg_stat_activity WHERE wait_event IS NOT NULL"):
                break
        self.server.stop()

    def test_a_server_that_goes_away_in_the_middle_breaks_the_pass(self):
        # The query sleeps at row 60,000, and the server is stopped when it does.
        self.server.sql("CREATE FUNCTION hold(i integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN IF i = 60000 THEN PERFORM pg_sleep(30); "
                        "END IF; RETURN 'n' || i; END $$")
        self.use({"query": "SELECT i AS id, hold(i) AS name FROM generate_series(1, 100000) AS i"},
                 {"$dtId": "p-{id}", "$model": "dtmi:t:Part;1", "name": "name"}, retry={"attempts": 1})
        stopper = threading.Thread(target=self.stop_when_asleep)
        stopper.start()
        try:
            run = self.run_parts(expect=gemel.FAILED)
        finally:
            stopper.join()
            self.server.start()
        self.assertEqual(("failed", False, 0), (run.status, run.complete, run.missing))
        self.assertEqual("retry", run.error["code"])
        self.server.sql("CREATE OR REPLACE FUNCTION hold(i integer) RETURNS text LANGUAGE sql AS $$ SELECT 'n' || i $$")
        again = self.run_parts()
        self.assertEqual((100000, True), (again.read, again.complete))
        self.assertEqual([{"COUNT": 100000}], self.query("SELECT COUNT() FROM DIGITALTWINS"))


if __name__ == "__main__":
    gemel.main()
