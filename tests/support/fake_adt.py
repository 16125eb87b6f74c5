"""A small stand-in for a service of digital twins, in this process: what it was asked is counted, and it can be told to
refuse, to fail, to be slow, and to lose answers.

    with fake_adt.Service() as service:
        … {"adt": {"url": service.url, …}} …
        service.twins["p-1"]["name"]
        service.calls["PATCH twin"]

It checks what matters to a client: preconditions, patches of what is absent, ends of relationships, tokens. It knows models by
their ids only.
"""
import collections
import http.server
import json
import re
import threading
import time
import urllib.parse

TWIN = re.compile(r"^/digitaltwins/([^/]+)$", re.I)
LINK = re.compile(r"^/digitaltwins/([^/]+)/relationships/([^/]+)$", re.I)
LINKS = re.compile(r"^/digitaltwins/([^/]+)/(relationships|incomingrelationships)$", re.I)


class Refusal(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code


class Service:
    def __init__(self, token="secret"):
        self.token = token
        self.twins = {}          # id → body without $dtId, $etag, $metadata
        self.models_of = {}      # id → model
        self.links = {}          # (source, id) → body without its own members, with $relationshipName and $targetId
        self.models = {}
        self.etags = {}
        self.calls = collections.Counter()
        self.times = []          # of writes that were let in: (monotonic time, kind)
        self.limit = None        # writes a second (token bucket that holds one second)
        self.level = 0.0
        self.filled = time.monotonic()
        self.refused = 0
        self.retry_after = None  # text of the header
        self.latency = 0.0
        self.lose = None         # fn(method, path) → True: it takes effect and no answer comes
        self.fail = None         # fn(method, path) → status or None
        self.issued = 0
        self.clock = 0
        self.mu = threading.Lock()

    # ---- life ----

    def __enter__(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self):
                service.answer(self)

            do_GET = do_PUT = do_PATCH = do_DELETE = do_POST = handle_any

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *ignored):
        self.server.shutdown()
        self.server.server_close()

    def reset_calls(self):
        with self.mu:
            self.calls.clear()
            self.times.clear()
            self.refused = 0

    def writes(self):
        return sum(count for kind, count in self.calls.items() if not kind.startswith("GET"))

    # ---- requests ----

    def answer(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length) if length else b""
        path = urllib.parse.urlsplit(handler.path)
        if path.path == "/token":
            self.issue(handler, body)
            return
        if self.latency:
            time.sleep(self.latency)
        lose = False
        headers = {}
        with self.mu:
            try:
                self.check(handler, path)
                lose = self.lose is not None and self.lose(handler.command, path.path)
                status, value, headers = self.perform(handler, path, json.loads(body) if body else None)
            except Refusal as refusal:
                status = refusal.status
                value = {"error": {"code": refusal.code, "message": refusal.message}}
                headers = {"x-ms-error-code": refusal.code} if refusal.code else {}
                if status in (429, 503) and self.retry_after is not None:
                    headers["Retry-After"] = self.retry_after
        if lose:
            handler.close_connection = True
            handler.connection.close()
            return
        self.reply(handler, status, value, headers)

    @staticmethod
    def reply(handler, status, value, headers):
        text = b"" if value is None else json.dumps(value).encode()
        handler.send_response(status)
        for name, content in headers.items():
            handler.send_header(name, content)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def issue(self, handler, body):
        form = urllib.parse.parse_qs(body.decode() or urllib.parse.urlsplit(handler.path).query)
        self.issued += 1
        machine = handler.command == "GET" and handler.headers.get("Metadata") == "true"
        if form.get("client_secret") == ["hush hush"] or machine:
            self.token = f"token-{self.issued}"
            self.form = form
            self.reply(handler, 200, {"access_token": self.token, "expires_in": "3600"}, {})
        else:
            self.reply(handler, 401, {"error": "invalid_client", "error_description": "no such secret"}, {})

    def check(self, handler, path):
        if "api-version" not in urllib.parse.parse_qs(path.query):
            raise Refusal(400, "InvalidArgument", "api-version is missing")
        if handler.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refusal(401, "Unauthorized")
        status = self.fail(handler.command, path.path) if self.fail else None
        if status:
            self.refused += 1
            raise Refusal(status, "Unavailable")
        if self.limit and handler.command != "GET":
            now = time.monotonic()
            self.level = min(self.limit, self.level + (now - self.filled) * self.limit)
            self.filled = now
            if self.level < 1:
                self.refused += 1
                raise Refusal(429, "TooManyRequests")
            self.level -= 1

    def perform(self, handler, path, body):
        method = handler.command
        for pattern, kind in ((TWIN, "twin"), (LINK, "link"), (LINKS, "links")):
            match = pattern.match(path.path)
            if match:
                parts = [urllib.parse.unquote(part) for part in match.groups()]
                self.count(method, kind)
                return getattr(self, f"{method.lower()}_{kind}")(parts, body, handler.headers)
        if path.path == "/models":
            self.count(method, "models")
            return self.get_models() if method == "GET" else self.post_models(body)
        raise Refusal(404, "")

    def count(self, method, kind):
        self.calls[f"{method} {kind}"] += 1
        if method != "GET":
            self.times.append((time.monotonic(), f"{method} {kind}"))

    def mark(self, thing):
        self.clock += 1
        self.etags[thing] = f'W/"{self.clock}"'
        return {"ETag": self.etags[thing]}

    @staticmethod
    def precondition(headers, there, etag):
        if headers.get("If-None-Match") == "*" and there:
            raise Refusal(412, "PreconditionFailed")
        wanted = headers.get("If-Match")
        if wanted not in (None, "*") and there and wanted != etag:
            raise Refusal(412, "PreconditionFailed")

    # ---- twins ----

    def twin(self, twin_id):
        if twin_id not in self.twins:
            raise Refusal(404, "DigitalTwinNotFound")
        return self.twins[twin_id]

    def get_twin(self, parts, body, headers):
        twin = self.twin(parts[0])
        return 200, {"$dtId": parts[0], "$etag": self.etags[parts[0]], **twin,
                     "$metadata": {"$model": self.models_of[parts[0]]}}, {"ETag": self.etags[parts[0]]}

    def put_twin(self, parts, body, headers):
        self.precondition(headers, parts[0] in self.twins, self.etags.get(parts[0]))
        self.models_of[parts[0]] = body.pop("$metadata")["$model"]
        if "poison" in json.dumps(body):
            raise Refusal(400, "ValidationFailed", "poison is not allowed")
        self.twins[parts[0]] = body
        return 200, {"$dtId": parts[0], **body}, self.mark(parts[0])

    @staticmethod
    def patch(value, operations):
        value = json.loads(json.dumps(value))
        for operation in operations:
            *holders, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
            holder = value
            for name in holders:
                if name not in holder:
                    raise Refusal(400, "JsonPatchInvalid", f"The target location specified by path segment '{name}' was not found.")
                holder = holder[name]
            if operation["op"] == "add":
                holder[last] = operation["value"]
            elif last not in holder:
                raise Refusal(400, "JsonPatchInvalid", f"The target location specified by path segment '{last}' was not found.")
            elif operation["op"] == "remove":
                del holder[last]
            else:
                holder[last] = operation["value"]
        return value

    def patch_twin(self, parts, body, headers):
        twin = self.twin(parts[0])
        assert headers["Content-Type"] == "application/json-patch+json", headers["Content-Type"]
        assert all(one["op"] != "replace" or one["path"] == "/$metadata/$model" for one in body), body
        self.precondition(headers, True, self.etags[parts[0]])
        patched = self.patch({**twin, "$metadata": {"$model": self.models_of[parts[0]]}}, body)
        if "poison" in json.dumps(body):
            raise Refusal(400, "ValidationFailed", "poison is not allowed")
        self.models_of[parts[0]] = patched.pop("$metadata")["$model"]
        self.twins[parts[0]] = patched
        return 204, None, self.mark(parts[0])

    def delete_twin(self, parts, body, headers):
        self.twin(parts[0])
        self.precondition(headers, True, self.etags[parts[0]])
        if any(source == parts[0] or link["$targetId"] == parts[0] for (source, _), link in self.links.items()):
            raise Refusal(400, "RelationshipsNotDeleted")
        del self.twins[parts[0]], self.models_of[parts[0]]
        return 204, None, {}

    # ---- relationships ----

    def link(self, parts):
        self.twin(parts[0])
        if tuple(parts) not in self.links:
            raise Refusal(404, "RelationshipNotFound")
        return self.links[tuple(parts)]

    def whole_link(self, key):
        return {"$sourceId": key[0], "$relationshipId": key[1], "$etag": self.etags[key], **self.links[key]}

    def get_link(self, parts, body, headers):
        self.link(parts)
        return 200, self.whole_link(tuple(parts)), {"ETag": self.etags[tuple(parts)]}

    def put_link(self, parts, body, headers):
        key = tuple(parts)
        self.twin(parts[0])
        if body["$targetId"] not in self.twins:
            raise Refusal(404, "TargetDigitalTwinNotFound")
        self.precondition(headers, key in self.links, self.etags.get(key))
        self.links[key] = body
        return 200, body, self.mark(key)

    def patch_link(self, parts, body, headers):
        link = self.link(parts)
        self.precondition(headers, True, self.etags[tuple(parts)])
        self.links[tuple(parts)] = self.patch(link, body)
        return 204, None, self.mark(tuple(parts))

    def delete_link(self, parts, body, headers):
        self.link(parts)
        self.precondition(headers, True, self.etags[tuple(parts)])
        del self.links[tuple(parts)]
        return 204, None, {}

    def get_links(self, parts, body, headers):
        self.twin(parts[0])
        if parts[1].lower() == "relationships":
            return 200, {"value": [self.whole_link(key) for key in self.links if key[0] == parts[0]]}, {}
        return 200, {"value": [{"$relationshipId": key[1], "$sourceId": key[0], "$relationshipName": link["$relationshipName"]}
                               for key, link in self.links.items() if link["$targetId"] == parts[0]]}, {}

    # ---- models ----

    def get_models(self):
        return 200, {"value": [{"id": name} for name in self.models]}, {}

    def post_models(self, body):
        known = set(self.models) | {model["@id"] for model in body}
        for model in body:
            if model["@id"] in self.models:
                raise Refusal(409, "ModelIdAlreadyExists")
            for content in model.get("contents", []):
                if content["@type"] == "Component" and content["schema"] not in known:
                    raise Refusal(400, "DTDLParserError", content["schema"])
        assert len(body) <= 250
        self.models.update((model["@id"], model) for model in body)
        return 201, [{"id": model["@id"]} for model in body], {}
