"""What tests of the twin API share: a `gemel run` that serves it over TLS with the authority it made itself, and a client.

    class Twins(adt.Case):
        def test_a_twin_is_made(self):
            server = self.serve()
            server.models(adt.interface("Room", properties={"temp": "double"}))
            answer = server.put("/digitaltwins/r1", {"$metadata": {"$model": "dtmi:t:Room;1"}, "temp": 20})
            self.assertEqual(200, answer.status)

The client is http.client with a context that trusts DATA/tls/ca.pem and nothing else.
"""
import http.client
import json
import os
import re
import resource
import signal
import ssl
import subprocess
import threading
import urllib.parse

import gemel

VERSION = "2023-10-31"
DEADLINE_S = 60


def interface(name, properties=None, relationships=(), components=None, telemetry=None, **more):
    """dtmi:t:NAME;1 of DTDL v3."""
    contents = [{"@type": "Property", "name": key, "schema": schema} for key, schema in (properties or {}).items()]
    contents += [{"@type": "Telemetry", "name": key, "schema": schema} for key, schema in (telemetry or {}).items()]
    contents += [{"@type": "Component", "name": key, "schema": f"dtmi:t:{of};1"} for key, of in (components or {}).items()]
    for key in relationships:
        own = relationships[key] if isinstance(relationships, dict) else {}
        contents.append({"@type": "Relationship", "name": key, "properties": [
            {"@type": "Property", "name": member, "schema": schema} for member, schema in own.items()]})
    return {"@context": "dtmi:dtdl:context;3", "@id": f"dtmi:t:{name};1", "@type": "Interface", "contents": contents, **more}


def twin(model, **members):
    return {"$metadata": {"$model": f"dtmi:t:{model};1"}, **members}


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """(status, code) of a refusal; its code stands in the header as well."""
        error = self.json["error"]
        assert self.headers["x-ms-error-code"] == error["code"], (self.headers.items(), error)
        return self.status, error["code"]

    @property
    def message(self):
        return self.json["error"]["message"]

    @property
    def etag(self):
        return self.headers["ETag"]

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class Server:
    """`gemel run` in the background. Its log is read to its end by a thread, so that the pipe never fills."""

    def __init__(self, folder, file_size_max=None, env=None):
        self.folder = folder

        def limit():  # a disk that is full: writes behind it fail (Python has SIGXFSZ ignored, and so has its child)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_max, file_size_max))

        self.process = subprocess.Popen([gemel.PROGRAM, "run"], cwd=folder, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, preexec_fn=limit if file_size_max else None,
                                        env={**os.environ, **(env or {})})
        self.log = []
        late = threading.Timer(DEADLINE_S, self._give_up)
        late.start()
        try:
            self._begin()
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise
        finally:
            late.cancel()

    def _give_up(self):
        """One that does not come up is a failure, not a test that hangs. SIGABRT leaves its stack where cores are kept."""
        self.log.append(f"it did not listen in {DEADLINE_S} s\n")
        self.process.send_signal(signal.SIGABRT)

    def _begin(self):
        self.url = self._wait_for_url()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.told = len(self.log)
        self.more = threading.Condition()
        development = self.folder / "data/tokens/development"
        self.token = development.read_text().strip() if development.exists() else "gemel_none"
        self.authority = self.folder / "data/tls/ca.pem"
        self.context = ssl.create_default_context(cafile=str(self.authority)) if self.url.startswith("https:") else None
        self.local = threading.local()
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()

    def _wait_for_url(self):
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"api\.listening url=(\S+)", line)
            if found:
                return found.group(1)
        raise AssertionError("the twin API does not listen:\n" + "".join(self.log))

    def _read_log(self):
        for line in self.process.stderr:
            with self.more:
                self.log.append(line)
                self.more.notify_all()

    def wait_for(self, event):
        """The next log line with that in it."""
        with self.more:
            while True:
                while self.told < len(self.log):
                    self.told += 1
                    if event in self.log[self.told - 1]:
                        return self.log[self.told - 1]
                assert self.more.wait(DEADLINE_S), f"no {event} in the log:\n{''.join(self.log)}"

    def end(self, how=signal.SIGTERM):
        """The exit code."""
        self.process.send_signal(how)
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.reader.join()
        self.process.stderr.close()
        return code

    # ---- requests ----

    def connect(self):
        """A new connection, to be closed by the caller."""
        if self.context is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=DEADLINE_S, context=self.context)

    def _connection(self):
        if getattr(self.local, "connection", None) is None:
            self.local.connection = self.connect()
        return self.local.connection

    def send(self, method, path, body=None, headers=None):
        """As it is: no token, no api-version. One connection a thread, kept open."""
        for attempt in range(2):
            connection = self._connection()
            try:
                connection.request(method, path, body, headers or {})
                answer = connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()  # the server may close an idle connection
                self.local.connection = None
                if attempt == 1:
                    raise

    def call(self, method, path, body=None, token=None, version=VERSION, **headers):
        """Underscores in names of headers become dashes; values that are no text or bytes are sent as JSON."""
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        if version is not None:
            path += ("&" if "?" in path else "?") + f"api-version={version}"
        sent = {"Authorization": f"Bearer {token or self.token}"}
        if data is not None:
            sent["Content-Type"] = "application/json-patch+json" if method == "PATCH" else "application/json"
            data = data.encode() if isinstance(data, str) else data
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.send(method, path, data, sent)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def put(self, path, body=None, **more):
        return self.call("PUT", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.call("PATCH", path, body, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    # ---- shorthands, which must succeed ----

    def models(self, *interfaces):
        answer = self.post("/models", list(interfaces))
        assert answer.status == 201, answer
        return answer.json

    def make(self, twin_id, model, **members):
        answer = self.put(f"/digitaltwins/{urllib.parse.quote(twin_id, safe='')}", twin(model, **members))
        assert answer.status == 200, answer
        return answer

    def link(self, source, relationship_id, name, target, **members):
        answer = self.put(f"/digitaltwins/{source}/relationships/{relationship_id}",
                          {"$relationshipName": name, "$targetId": target, **members})
        assert answer.status == 200, answer
        return answer

    def query(self, text, page=None):
        """All rows, page by page."""
        rows, request = [], {"query": text}
        while True:
            answer = self.post("/query", request, **({"max_items_per_page": str(page)} if page else {}))
            assert answer.status == 200, answer
            rows += answer.json["value"]
            if answer.json["continuationToken"] is None:
                return rows
            request = {"continuationToken": answer.json["continuationToken"]}

    def list(self, path, **headers):
        """All items, page by page, following nextLink as an SDK does: with its own parameters added once more."""
        items, answer = [], self.get(path, **headers)
        while True:
            assert answer.status == 200, answer
            items += answer.json["value"]
            link = answer.json.get("nextLink")
            if not link:
                return items
            assert link.startswith(self.url + "/"), link
            answer = self.get(link[len(self.url):], **headers)


class Case(gemel.Case):
    def configure(self, pipelines, **settings):
        """The folder of models is named when there are any."""
        super().configure(pipelines, **settings)
        root = json.loads((self.folder / "gemel.yaml").read_text())
        if not any((self.folder / "models").iterdir()):
            del root["models"]
        self.write("gemel.yaml", json.dumps(root))

    def serve(self, root=None, **api):
        """Settings of the section `api`, and others in `root`; the port is any that is free."""
        self.configure({}, api={"listen": "127.0.0.1:0", **api}, **(root or {}))
        return self.start()

    def start(self, **options):
        server = Server(self.folder, **options)
        self.addCleanup(self._stop, server)
        return server

    @staticmethod
    def _stop(server):
        if server.process.poll() is None:
            code = server.end()
            assert code == 0, (code, "".join(server.log))
        else:
            server.reader.join()
            server.process.stderr.close()

    def refused(self, answer, status, code):
        self.assertEqual((status, code), answer.error, answer)
        return answer.message
