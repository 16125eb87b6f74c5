"""A webhook for tests: takes CloudEvents on a port of its own, and answers what it is told to.

    with receiver.Receiver() as hook:
        hook.answer = lambda event, attempt: (200, {})       # status, headers; attempt counts from 1 for each id
        …
        hook.wait(lambda: len(hook.taken) == 3)
        hook.taken                                           # events that were answered with 2xx, in order
"""
import collections
import http.server
import json
import threading
import time

DEADLINE_S = 30


class Receiver:
    def __init__(self, port=0):
        self.requests = []  # (time, content type, events)
        self.taken = []
        self.attempts = collections.Counter()
        self.answer = lambda event, attempt: (200, {})
        self.changed = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = outer.take(self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/events"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def take(self, headers, body):
        value = json.loads(body)
        events = value if isinstance(value, list) else [value]
        with self.changed:
            self.requests.append((time.monotonic(), headers["Content-Type"], events, headers["Authorization"]))
            status, more = 200, {}
            for event in events:
                self.attempts[event["id"]] += 1
                said, with_headers = self.answer(event, self.attempts[event["id"]])
                if said >= 300:
                    status, more = said, with_headers
            if status < 300:
                self.taken += events
            self.changed.notify_all()
        return status, more

    def wait(self, condition, what="the condition"):
        with self.changed:
            if not self.changed.wait_for(condition, DEADLINE_S):
                raise AssertionError(f"{what} did not come true; {len(self.taken)} taken: {self.taken[-5:]}")

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
