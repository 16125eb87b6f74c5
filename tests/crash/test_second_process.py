#!/usr/bin/env python3
"""Two processes and one data directory: the second is refused and told who has it; the first does not notice."""
import os
import signal
import subprocess
import threading

import gemel

ROWS = 2000


class SecondProcess(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string"})
        self.sql("erp.db", "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT)")
        self.sql("erp.db", "INSERT INTO part VALUES (?, ?)", *[(i, f"part {i}") for i in range(ROWS)])
        self.configure({"parts": gemel.table("erp.db", "part", "id", {
            "$dtId": "part-{id}", "$model": "dtmi:t:Part;1", "name": "name"}, schedule="every 1h")})

    def start(self):
        """A process that serves; returns when its first run is done."""
        process = subprocess.Popen([gemel.PROGRAM, "run"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        watchdog = threading.Timer(gemel.DEADLINE_S, process.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for line in process.stderr:
            if "run.done" in line:
                return process
        self.fail(f"it ended with exit code {process.wait()}")

    def test_a_second_run_is_refused_and_names_the_first(self):
        first = self.start()
        second = self.gemel("run", "--once", expect=None)
        self.assertIn(second.code, (gemel.FAILED, gemel.ENVIRONMENT))
        self.assertIn(str(first.pid), second.err)
        self.assertIsNone(first.poll())
        self.assertEqual(ROWS, len(self.twins()))

    def test_looking_is_allowed_beside_a_process_that_works(self):
        self.start()
        self.assertEqual(ROWS, len(self.twins()))
        self.assertEqual(["succeeded"], [run["status"] for run in self.gemel("runs", "--json").json()])
        self.gemel("status")
        self.gemel("export", "graph.ndjson")

    def test_the_lock_goes_with_its_process_however_that_ends(self):
        for end in (signal.SIGKILL, signal.SIGTERM):
            first = self.start()
            os.kill(first.pid, end)
            first.wait(gemel.DEADLINE_S)
            self.assertEqual(ROWS, self.run_pipeline("parts").unchanged)
            for path in (self.folder / "data").glob("store.db*"):
                path.unlink()  # so that the next one runs at its start


if __name__ == "__main__":
    gemel.main()
