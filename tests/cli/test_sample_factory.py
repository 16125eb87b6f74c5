#!/usr/bin/env python3
"""`gemel sample factory`: the same readings for the same options, a server that is slow, what is told about options."""
import http.server
import json
import threading
import unittest

import gemel


class Slow(http.server.BaseHTTPRequestHandler):
    """Has no room for every third request, and fails every fifth."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        server = self.server
        with server.guard:
            server.asked += 1
            status = 429 if server.asked % 3 == 0 else 503 if server.asked % 5 == 0 else 200
            if status == 200:
                server.lines += body.splitlines()
                server.sizes.append(len(body.splitlines()))
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Factory(gemel.Case):
    def factory(self, *words, **more):
        return self.gemel("sample", "factory", *words, "--sensors", "100", **more)

    def server(self, handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.guard, server.asked, server.lines, server.sizes = threading.Lock(), 0, [], []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def test_the_same_options_give_the_same_bytes(self):
        load = ["--events", "3000", "--seed", "5", "--late", "3%", "--reorder", "3%", "--faults", "missing=2%,stuck=5%,spikes=1%"]
        self.factory("a.ndjson", *load)
        self.factory("b.ndjson", *load)
        first = (self.folder / "a.ndjson").read_bytes()
        self.assertEqual(first, (self.folder / "b.ndjson").read_bytes())
        self.assertEqual(first, self.factory("-", *load).out.encode())
        for line in first.decode().splitlines():
            self.assertEqual({"sensor", "machine", "kind", "value", "time", "origin", "sequence"}, set(json.loads(line)) - {"maintenance"})

    def test_what_a_slow_server_refuses_is_sent_again_in_order(self):
        server = self.server(Slow)
        load = ["--events", "5000", "--duplicates", "0"]
        done = self.factory(f"http://127.0.0.1:{server.server_port}/", *load, "--rate", "max", "--batch", "250", "--connections", "1", "--json")
        told = json.loads(done.out)
        self.assertEqual((5000, 20), (told["readings"], len(server.sizes)))
        self.assertGreater(told["throttled"], 5)
        self.assertEqual(server.asked, told["requests"])
        self.write("arrived.ndjson", "\n".join(server.lines) + "\n")
        self.factory("arrived.ndjson", *load, "--check")

    def test_a_server_that_refuses_for_good_ends_it(self):
        class Refusing(Slow):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(401)
                self.send_header("Content-Length", "0")
                self.end_headers()

        server = self.server(Refusing)
        done = self.factory(f"http://127.0.0.1:{server.server_port}/", "--events", "10", expect=1)
        self.assertIn("401", done.err)

    def test_the_checker_finds_what_is_missing_or_twice(self):
        load = ["--events", "1000", "--duplicates", "0"]
        lines = self.factory("-", *load).out.splitlines()
        for wrong, name in ((lines[:-1], "missing"), (lines + lines[:1], "duplicates"),
                            (["{}"] + lines, "strange"), ([lines[0].replace("value\":", "value\":1")] + lines[1:], "altered"),
                            (lines[100:200] + lines[:100] + lines[200:], "disordered")):
            self.write("wrong.ndjson", "\n".join(wrong) + "\n")
            found = json.loads(self.factory("wrong.ndjson", *load, "--check", "--json", expect=1).out)
            self.assertGreater(found[name], 0, found)

    def test_options_that_make_no_sense_are_told(self):
        for words, told in ((["--rate", "fast"], "--rate"), (["--faults", "broken=1%"], "missing="), (["--late", "x"], "--late"),
                            (["--start", "soon"], "--start"), (["--events", "1", "--batch", "0"], "--batch"),
                            (["--check", "--rate", "5"], "--events"), (["--interval", "1ms"], "interval")):
            self.assertIn(told, self.factory("x.ndjson", *words, expect=2).err)


if __name__ == "__main__":
    gemel.main()
