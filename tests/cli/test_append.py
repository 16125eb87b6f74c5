#!/usr/bin/env python3
"""gemel append, while `gemel run` has the data directory and while nobody has: the same, and each event once."""
import gzip
import http.server
import json
import signal
import subprocess
import threading
import unittest
import urllib.request

import adt
import gemel


def reading(machine, n, **more):
    return {"machine": machine, "n": n, "at": f"2026-11-20T17:00:{n % 60:02d}Z", **more}


def lines(events):
    return "".join(json.dumps(one) + "\n" for one in events)


class Forgetful(http.server.BaseHTTPRequestHandler):
    """Passes requests on, and loses answers: the first of each piece is cut off, before or after it was passed on."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(self.path)
        times = self.server.seen.count(self.path)
        if times == 1 and len(self.server.seen) % 2 == 0:
            self.close_connection = True
            return
        request = urllib.request.Request(self.server.to + self.path, body, {"Authorization": self.headers["Authorization"],
                                                                            "Content-Type": self.headers["Content-Type"]})
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        if times <= 2:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Append(adt.Case):
    STREAMS = {"telemetry": {"key": "machine", "time": "at", "partitions": 2, "id": "id"},
               "numbered": {"key": "machine", "time": "at", "sequence": "seq", "origin": "gateway"},
               "typed": {"types": {"placed": {"required": {"amount": "double"}}}, "key": "key", "type": "type"}}

    def setUp(self):
        super().setUp()
        self.configure({}, **self.settings())

    def settings(self):
        return {"streams": self.STREAMS, "api": {"listen": "127.0.0.1:0"}, "admin": {"listen": "127.0.0.1:0"}}

    def begin(self):
        server = self.start()
        server.wait_for("admin.listening")
        return server

    def tail(self, stream="telemetry"):
        return self.gemel("tail", stream, "--json").json_lines()

    def both(self, *arguments, expect=gemel.DONE, input=None, same=True):
        """Without and with `gemel run`: outcome and errors."""
        outcomes = []
        for stream in range(2):
            server = self.begin() if stream else None
            done = self.gemel("append", *arguments, expect=expect, input=input)
            outcomes.append((done.out.rsplit(";", 1)[0], done.err))
            if server:
                self.assertEqual(0, server.end())
        if same:
            self.assertEqual(outcomes[0], outcomes[1])
        return outcomes[1]

    def test_lines_are_appended_and_told_as_without_it(self):
        self.write("a.ndjson", lines(reading(n % 7, n) for n in range(5000)))
        out, _ = self.both("telemetry", "a.ndjson")
        self.assertEqual("5,000 lines: 5,000 events appended, 0 were there already, 0 wrong", out)
        self.assertEqual(10000, len(self.tail()))

    def test_what_comes_compressed_or_from_standard_input(self):
        text = lines(reading(1, n) for n in range(100)).encode()
        self.write("a.ndjson.gz", gzip.compress(text))
        self.both("telemetry", "a.ndjson.gz")
        self.both("telemetry", input=text)
        self.both("telemetry", "-", input=text + b'{"machine":1,"n":100,"at":"2026-11-20T17:00:00Z"}')  # no line end
        self.assertEqual(602, len(self.tail()))
        server = self.begin()
        self.assertEqual((0, 0), tuple(self.gemel("append", "telemetry", "--json", input=b"").json()[name] for name in ("lines", "appended")))
        self.assertEqual(0, server.end())

    def test_the_first_wrong_line_is_named_and_its_piece_is_not_taken(self):
        self.write("a.ndjson", lines([reading(1, 1), reading(1, 2)]) + "{\n" + lines([{"n": 1}]))
        _, err = self.both("telemetry", "a.ndjson", expect=gemel.FAILED)
        self.assertIn("line 3: ", err)
        self.assertEqual([], self.tail())

    def test_wrong_lines_behind_the_first_piece_keep_their_numbers(self):
        self.write("a.ndjson", lines(reading(1, n, pad="x" * 1000) for n in range(3000)) + "no JSON\n")
        _, err = self.both("telemetry", "a.ndjson", expect=gemel.FAILED)
        self.assertIn("line 3001: ", err)

    def test_the_right_ones_are_taken_when_asked_for(self):
        self.write("a.ndjson", '{"key":"a","type":"placed","amount":1}\nx\n{"key":"a","type":"lost"}\n{"key":"b","type":"placed","amount":2}\n')
        out, err = self.both("typed", "a.ndjson", "--partial", expect=gemel.FAILED)
        self.assertEqual("4 lines: 2 events appended, 0 were there already, 2 wrong", out)
        self.assertEqual(["line 2", "line 3"], [line.split(":")[0] for line in err.splitlines() if line.startswith("line")])

    def test_a_stream_or_a_file_that_is_not_there(self):
        self.write("a.ndjson", lines([reading(1, 1)]))
        _, err = self.both("nothing", "a.ndjson", expect=gemel.USAGE)
        self.assertIn("there is no stream `nothing`", err)
        self.both("telemetry", "none.ndjson", expect=None)

    def test_events_that_were_there_are_passed_over(self):
        self.write("a.ndjson", lines(reading(1, n, seq=n + 1, gateway="g") for n in range(100)))
        server = self.begin()
        for appended in (100, 0):
            told = self.gemel("append", "numbered", "a.ndjson", "--json").json()
            self.assertEqual((appended, 100 - appended), (told["appended"], told["duplicates"]))
        self.assertEqual(0, server.end())

    # ---- once ----

    def once(self, count):
        self.assertEqual(list(range(count)), sorted(event["body"]["n"] for event in self.tail()))
        for machine in range(5):
            seen = [event["body"]["n"] for event in self.tail() if event["key"] == str(machine)]
            self.assertEqual(sorted(seen), seen)

    def test_answers_that_are_lost_repeat_nothing(self):
        server = self.begin()
        admin = self.folder / "data/admin.json"
        told = json.loads(admin.read_text())
        between = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forgetful)
        between.to, between.seen = told["url"], []
        threading.Thread(target=between.serve_forever, daemon=True).start()
        self.addCleanup(between.server_close)
        self.addCleanup(between.shutdown)
        admin.write_text(json.dumps({**told, "url": f"http://127.0.0.1:{between.server_port}"}))
        self.write("a.ndjson", lines(reading(n % 5, n, pad="x" * 1000) for n in range(6000)))
        told = self.gemel("append", "telemetry", "a.ndjson", "--json").json()
        self.assertEqual((6000, 6000, 0, 0), tuple(told[name] for name in ("lines", "appended", "duplicates", "wrong")))
        self.assertLess(3, len(set(between.seen)))
        self.assertLessEqual(3 * len(set(between.seen)), len(between.seen))
        self.once(6000)
        self.assertEqual(0, server.end())

    def test_a_server_that_is_killed_and_started_again_has_each_once(self):
        server = self.begin()
        process = subprocess.Popen([gemel.PROGRAM, "append", "telemetry", "--json"], cwd=self.folder, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        count = 0
        for _ in range(3):
            text = lines(reading(n % 5, n, pad="x" * 1000) for n in range(count, count + 4000))
            count += 4000
            process.stdin.write(text.encode())
            process.stdin.flush()
            server.end(signal.SIGKILL)
            server = self.begin()
        out, err = process.communicate(timeout=60)
        self.assertEqual(0, process.returncode, err)
        told = json.loads(out)
        self.assertEqual((count, count, 0), (told["lines"], told["appended"], told["duplicates"]))
        self.assertEqual(0, server.end())
        self.once(count)


if __name__ == "__main__":
    gemel.main()
