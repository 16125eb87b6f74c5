#!/usr/bin/env python3
"""The twin API as HTTP: addresses, versions, who may what, and requests of those who mean no good."""
import contextlib
import hashlib
import json
import re
import resource
import signal
import socket
import sqlite3
import ssl
import urllib.request

import adt
import gemel
from adt import twin

VERSIONS = ("2020-10-31", "2021-06-30-preview", "2022-05-31", "2023-02-27-preview", "2023-06-30", "2023-10-31")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def read_all(client):
    data = b""
    with contextlib.suppress(OSError):
        while piece := client.recv(1 << 16):
            data += piece
    return data


class Http(adt.Case):
    def setUp(self):
        super().setUp()
        self.model("Room", {"temp": "double"})
        self.server = self.serve()
        self.server.make("r1", "Room", temp=1)

    # ---- addresses ----

    def test_literal_segments_do_not_mind_case_and_ids_do(self):
        for path in ("/digitaltwins/r1", "/DigitalTwins/r1", "/DIGITALTWINS/r1", "/digitaltwins/r1/"):
            self.assertEqual(200, self.server.get(path).status)
        self.refused(self.server.get("/digitaltwins/R1"), 404, "DigitalTwinNotFound")

    def test_addresses_that_are_none(self):
        for path in ("/", "/digitaltwins", "/digitaltwins/", "/digitaltwins//relationships", "/digitaltwins/r1/x", "//digitaltwins/r1",
                     "/digitaltwins/r1/relationships/a/b", "/digitaltwins/../digitaltwins/r1", "/./digitaltwins/r1", "/etc/passwd",
                     "/digitaltwins%2Fr1", "/digitaltwin%73", "/digitaltwins\\r1", "/metrics", "/health"):
            with self.subTest(path=path):
                self.assertEqual(404, self.server.get(path).error[0])

    def test_ids_that_look_like_paths_are_ids(self):
        for path in ("/digitaltwins/..%2F..%2Fetc%2Fpasswd", "/digitaltwins/..", "/digitaltwins/%2e%2e", "/digitaltwins/r1%2Frelationships"):
            with self.subTest(path=path):
                self.refused(self.server.get(path), 404, "DigitalTwinNotFound")
        for path in ("/digitaltwins/%", "/digitaltwins/%zz", "/digitaltwins/%2", "/digitaltwins/r1%00", "/digitaltwins/%ff", "/digitaltwins/%c3%28"):
            with self.subTest(path=path):
                self.refused(self.server.get(path), 400, "InvalidArgument")

    def test_other_methods(self):
        for method, path in (("POST", "/digitaltwins/r1"), ("GET", "/query"), ("PUT", "/digitaltwins/r1/relationships"), ("OPTIONS", "/digitaltwins/r1"),
                             ("TRACE", "/query"), ("BREW", "/digitaltwins/r1")):
            with self.subTest(method=method, path=path):
                answer = self.server.call(method, path)
                self.assertEqual(405, answer.error[0], answer)
                self.assertTrue(answer.headers["Allow"])

    # ---- versions, parameters, headers ----

    def test_the_version_is_required_and_known(self):
        for version in VERSIONS:
            self.assertEqual(200, self.server.get("/digitaltwins/r1", version=version).status)
        self.refused(self.server.get("/digitaltwins/r1", version=None), 400, "MissingApiVersionParameter")
        self.refused(self.server.get("/digitaltwins/r1", version=""), 400, "MissingApiVersionParameter")
        message = self.refused(self.server.get("/digitaltwins/r1", version="1999-01-01"), 400, "UnsupportedApiVersionValue")
        self.assertIn(", ".join(VERSIONS).replace(", ", ","), message.replace(" ", ""))

    def test_parameters_may_come_twice_and_in_any_case(self):
        for query in ("?api-version=2023-10-31", "?API-Version=2023-10-31", "?x=1&api-version=", "?=&&x&api-version=2020-10-31"):
            with self.subTest(query=query):
                self.assertEqual(200, self.server.get("/digitaltwins/r1" + query).status)

    def test_the_trace_is_answered(self):
        self.assertEqual(TRACE, self.server.get("/digitaltwins/r1", traceparent=TRACE).headers["traceresponse"])
        self.assertEqual(TRACE, self.server.get("/digitaltwins/none", traceparent=TRACE).headers["traceresponse"])
        for wrong in ("x", TRACE + "0", TRACE.upper(), TRACE.replace("-", "_")):
            self.assertIsNone(self.server.get("/digitaltwins/r1", traceparent=wrong).headers["traceresponse"])

    def test_content_types_do_not_matter(self):
        for content_type in ("application/json-patch+json", "application/json", "text/plain; charset=utf-16", "application/x-www-form-urlencoded",
                             "multipart/form-data; boundary=x", "", "/"):
            with self.subTest(content_type=content_type):
                answer = self.server.patch("/digitaltwins/r1", [{"op": "replace", "path": "/temp", "value": 2}], Content_Type=content_type)
                self.assertEqual(204, answer.status, answer)

    # ---- who may what ----

    def test_no_token_no_access(self):
        path = f"/digitaltwins/r1?api-version={adt.VERSION}"
        for headers in ({}, {"Authorization": ""}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "},
                        {"Authorization": "Bearer " + self.server.token[:-1]}, {"Authorization": "Bearer " + self.server.token + "x"},
                        {"Authorization": self.server.token}, {"Authorization": "Bearer " + "x" * 20000}):
            for method, body in (("GET", None), ("PUT", json.dumps(twin("Room"))), ("DELETE", None)):
                with self.subTest(headers=headers, method=method):
                    answer = self.server.send(method, path, body, headers)
                    self.assertEqual(401, answer.status, answer)
                    self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
        self.assertEqual(200, self.server.get("/digitaltwins/r1").status)

    def test_secrets_are_not_logged(self):
        self.server.get("/digitaltwins/r1")
        self.server.get("/digitaltwins/r1", token="gemel_wrong-token")
        self.server.end()
        log = "".join(self.server.log)
        self.assertNotIn(self.server.token, log)
        self.assertNotIn("wrong-token", log)

    # ---- hostile requests ----

    def raw(self, request):
        """What comes back for these bytes, whatever they are."""
        with socket.create_connection(("127.0.0.1", self.server.port), adt.DEADLINE_S) as plain:
            with self.server.context.wrap_socket(plain, server_hostname="localhost") as client:
                with contextlib.suppress(OSError):
                    client.sendall(request)
                return read_all(client)

    def alive(self):
        self.assertEqual(1, self.server.get("/digitaltwins/r1").json["temp"])

    def test_nonsense_does_no_harm(self):
        with socket.create_connection(("127.0.0.1", self.server.port), adt.DEADLINE_S) as plain:  # waited for, in vain
            with self.server.context.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(b"\x00\x01\x02\r\n\r\n")
        for nonsense in (b"GET\r\n\r\n", b"GET /query HTTP/9.9\r\n\r\n", b"X" * 100000 + b"\r\n\r\n",
                         b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                         b"GET /query HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " + b"a" * 100000 + b"\r\n\r\n",
                         b"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\nConnection: close\r\n\r\n",
                         b"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\nConnection: close\r\n\r\n",
                         b"POST /query HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
                         b"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
                         b"GET /digitaltwins/r1?api-version=2023-10-31 HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"):
            with self.subTest(nonsense=nonsense[:60]):
                self.assertNotIn(b" 200 ", self.raw(nonsense)[:100])
        with socket.create_connection(("127.0.0.1", self.server.port), adt.DEADLINE_S) as plain:  # not TLS at all
            with contextlib.suppress(OSError):
                plain.sendall(b"GET /digitaltwins/r1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertNotIn(b"r1", read_all(plain))
        self.alive()

    def test_bodies_that_are_no_json(self):
        deep = "[" * 100000
        for body in ("", " ", "{", "[}", "nul", '{"a":1}x', deep, '{"a":' * 5000, '{"a":1,"a":2}', b"\xff\xfe{}", b'{"a":"\xc3\x28"}', b"\x00",
                     '{"a":1e999999}', '{"\\ud800":1}', "[1,]", "{'a':1}", "NaN", "\ufeff{}"):
            for method, path in (("PUT", "/digitaltwins/x"), ("PATCH", "/digitaltwins/r1"), ("PATCH", "/digitaltwins/r1/components/c"),
                                 ("PUT", "/digitaltwins/r1/relationships/a"), ("POST", "/query")):
                with self.subTest(method=method, path=path, body=body[:30]):
                    answer = self.server.call(method, path, body)
                    self.assertIn(answer.error[0], (400, 404, 413), answer)
        self.alive()

    def test_nul_characters_stay_out(self):
        answer = self.server.put("/digitaltwins/nul", twin("Room", **{"te\u0000mp": 1}))
        self.assertEqual(400, answer.status, answer)
        answer = self.server.patch("/digitaltwins/r1", [{"op": "add", "path": "/te\u0000mp", "value": 1}])
        self.assertEqual(400, answer.status, answer)

    def test_huge_bodies_are_refused(self):
        body = json.dumps(twin("Room", temp=1))
        self.assertEqual((413, "RequestEntityTooLarge"), self.server.put("/digitaltwins/x", body + " " * (2 << 20)).error)
        self.assertEqual(200, self.server.put("/digitaltwins/x", body + " " * (1 << 19)).status)
        wrong = self.server.put("/digitaltwins/x", body + " " * (1 << 19), token="gemel_nobody")
        self.assertEqual(413, wrong.status)  # memory for large bodies is not for everybody
        self.assertEqual(401, self.server.put("/digitaltwins/x", body, token="gemel_nobody").status)
        head = (f"PUT /digitaltwins/x?api-version={adt.VERSION} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.server.token}\r\n"
                "Connection: close\r\n").encode()
        self.assertNotIn(b" 200 ", self.raw(head + b"Content-Length: 99999999999\r\n\r\n")[:100])
        chunk = b"10000\r\n" + b"x" * (1 << 16) + b"\r\n"
        self.assertNotIn(b" 200 ", self.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 1024)[:100])
        self.alive()

    def test_slow_clients_hold_up_nobody(self):
        slow = []
        for _ in range(40):
            plain = socket.create_connection(("127.0.0.1", self.server.port), adt.DEADLINE_S)
            self.addCleanup(plain.close)
            slow.append(plain)
        half = self.server.context.wrap_socket(slow[0], server_hostname="localhost")
        self.addCleanup(half.close)
        half.sendall(b"GET /digitaltwins/r1?api-ver")
        body = self.server.context.wrap_socket(slow[1], server_hostname="localhost")
        self.addCleanup(body.close)
        body.sendall(b"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        self.alive()

    def test_old_protocols_and_other_names_are_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.server.authority)
        with contextlib.suppress(ValueError), self.assertRaises((ssl.SSLError, ConnectionError)):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            with socket.create_connection(("127.0.0.1", self.server.port), adt.DEADLINE_S) as plain, context.wrap_socket(plain, server_hostname="localhost"):
                pass
        with socket.create_connection(("127.0.0.1", self.server.port), adt.DEADLINE_S) as plain, self.assertRaises(ssl.SSLCertVerificationError):
            self.server.context.wrap_socket(plain, server_hostname="example.com")

    def test_many_requests_on_one_connection(self):
        requests = b"".join(b"GET /digitaltwins/r1?api-version=2023-10-31 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                            + self.server.token.encode() + (b"\r\nConnection: close" if last else b"") + b"\r\n\r\n"
                            for last in [False] * 19 + [True])
        self.assertEqual(20, self.raw(requests).count(b"HTTP/1.1 200 "))


class Access(adt.Case):
    ROLES = ("none", "reader", "writer", "admin")

    def tokens(self):
        """A token file with one of each role but none: name → token."""
        tokens = {role: f"gemel_{role}_token" for role in self.ROLES[1:]}
        self.write("tokens.yaml", json.dumps({"tokens": [
            {"name": role, "role": role, "sha256": hashlib.sha256(token.encode()).hexdigest()} for role, token in tokens.items()]}))
        return tokens

    def operations(self):
        """(method, path, role) of every operation, as the reference has them."""
        page = self.gemel("reference", "twin-api").out
        found = re.findall(r"^\| `(\w+) (\S+)` \| (\w+) \|", page, re.MULTILINE)
        self.assertGreater(len(found), 20)
        return [(method, re.sub(r"\{\w+\}", "x", path), role) for method, path, role in found]

    def test_each_operation_wants_its_role(self):
        self.model("Room", {"temp": "double"})
        tokens = self.tokens()
        server = self.serve(tokens={"file": "tokens.yaml", "development": False})
        for role, token in tokens.items():
            for method, path, needed in self.operations():
                with self.subTest(role=role, method=method, path=path):
                    answer = server.call(method, path, "{" if method != "GET" else None, token=token)
                    if self.ROLES.index(role) < self.ROLES.index(needed):
                        self.assertIn(needed, self.refused(answer, 403, "AuthorizationFailed"))
                    else:
                        self.assertNotIn(answer.status, (401, 403), answer)
        self.assertEqual(401, server.get("/digitaltwins/x", token=server.token).status)  # the development token is off

    def test_a_rate_may_be_set(self):
        server = self.serve(rate_limit={"per_second": 0.01, "burst": 3})
        for _ in range(3):
            self.assertEqual(404, server.get("/digitaltwins/x").status)
        answer = server.get("/digitaltwins/x")
        self.refused(answer, 429, "QuotaReachedError")
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)

    def test_tokens_that_come_and_go_are_heeded(self):
        tokens = self.tokens()
        server = self.serve(tokens={"file": "tokens.yaml"})
        self.assertEqual(404, server.get("/digitaltwins/x", token=tokens["reader"]).status)
        self.write("tokens.yaml", "tokens: [{")
        while not any("api.access" in line for line in server.log):  # it is looked at now and then, when somebody asks
            self.assertEqual(404, server.get("/digitaltwins/x", token=tokens["reader"]).status)
            with server.more:
                server.more.wait(0.05)
        self.write("tokens.yaml", "tokens: []")
        while server.get("/digitaltwins/x", token=tokens["reader"]).status != 401:
            with server.more:
                server.more.wait(0.05)


class Crowd(adt.Case):
    def test_more_writes_than_may_wait_are_refused_and_reads_go_on(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2000:
            self.skipTest("too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.model("Room", {"temp": "double"})
        server = self.serve(tls={"off": True}, limits={"connections": 1500})
        server.make("r", "Room", temp=1)
        body = json.dumps(twin("Room", temp=1))
        request = (f"PUT /digitaltwins/r?api-version={adt.VERSION} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   f"Authorization: Bearer {server.token}\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
        writer = sqlite3.connect(self.folder / "data/store.db", isolation_level=None)
        self.addCleanup(writer.close)
        clients = []
        writer.execute("BEGIN IMMEDIATE")  # the store's writer waits for this
        try:
            for _ in range(800):
                clients.append(socket.create_connection(("127.0.0.1", server.port), adt.DEADLINE_S))
                self.addCleanup(clients[-1].close)
                clients[-1].sendall(request)
            self.assertEqual(200, server.get("/digitaltwins/r").status)
        finally:
            writer.execute("ROLLBACK")
        answers = [read_all(client) for client in clients]
        refused = [answer for answer in answers if b"Too many writes wait" in answer]
        self.assertGreater(len(refused), 0)
        for answer in refused:
            self.assertTrue(answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1" in answer, answer)
        for answer in answers:
            self.assertTrue(answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 ")), answer)


class Alone(adt.Case):
    def test_without_pipelines_it_serves_the_twin_api(self):
        self.write("gemel.yaml", "data: ./data\nadmin: { enabled: false }\napi: { listen: \"127.0.0.1:0\" }\n")
        server = self.start()
        self.refused(server.get("/digitaltwins/none"), 404, "DigitalTwinNotFound")
        self.assertEqual(0, server.end())

    def test_calls_are_counted(self):
        server = self.serve({"admin": {"listen": "127.0.0.1:0"}})
        server.get("/digitaltwins/none")
        server.get("/nowhere")
        server.wait_for("admin.listening")
        admin = json.loads((self.folder / "data/admin.json").read_text())["url"]
        with urllib.request.urlopen(admin + "/metrics", timeout=adt.DEADLINE_S) as answer:
            lines = answer.read().decode().splitlines()
        self.assertIn('gemel_api_calls_total{operation="GET /digitaltwins/{id}"} 1', lines)
        self.assertIn('gemel_api_refused_total{code="DigitalTwinNotFound"} 1', lines)
        self.assertIn('gemel_api_refused_total{code="NotFound"} 1', lines)

    def test_a_reload_serves_on_with_the_new_settings(self):
        self.model("Room", {"temp": "double"})
        server = self.serve()
        server.make("r1", "Room", temp=1)
        address = server.url.removeprefix("https://")
        for size in (2048, 4096):
            self.configure({}, api={"listen": address, "limits": {"request_size": str(size)}})
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("reload.done")
            self.assertEqual(1, server.get("/digitaltwins/r1").json["temp"])
            self.assertEqual(413, server.put("/digitaltwins/r1", json.dumps(twin("Room", temp=2)) + " " * size).status)
            self.assertEqual(200, server.put("/digitaltwins/r1", json.dumps(twin("Room", temp=1)) + " " * (size // 2)).status)

    def test_an_address_that_is_taken_is_said(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.write("gemel.yaml", f"data: ./data\nadmin: {{ enabled: false }}\napi: {{ listen: \"{address}\" }}\n")
            done = self.gemel("run", expect=gemel.USAGE)
        self.assertIn("api.listen", done.err)
        self.assertIn(address, done.err)

    def test_twins_survive_the_end_of_the_process(self):
        self.model("Room", {"temp": "double"})
        server = self.serve()
        server.make("r1", "Room", temp=1)
        etag = server.get("/digitaltwins/r1").etag
        self.assertEqual(0, server.end())
        again = self.start()
        self.assertEqual((server.token, etag), (again.token, again.get("/digitaltwins/r1").etag))


if __name__ == "__main__":
    gemel.main()
