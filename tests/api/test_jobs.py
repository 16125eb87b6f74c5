#!/usr/bin/env python3
"""Import and deletion jobs over the twin API: files, objects of a web server, and blobs of Azurite, Azure Storage's emulator
(`./dev test` fetches it into build/sdk/storage; where it could not, its tests are skipped)."""
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import shutil
import signal
import subprocess
import threading
import time
import unittest
import urllib.parse

import adt
import gemel

AZURITE = gemel.SOURCE / "build/sdk/storage/node_modules/azurite/dist/src/blob/main.js"
NODE = shutil.which("node")
# The emulator's account and key, which are the same everywhere (https://learn.microsoft.com/azure/storage/common/storage-use-azurite).
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

DEADLINE_S = 60


def import_file(twins, wrong=()):
    """NDJSON of a model and so many twins; those whose number is in `wrong` do not fit the model."""
    lines = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Models"},
             adt.interface("Part", properties={"n": "integer"}), {"Section": "Twins"}]
    lines += [adt.twin("Part", **{"$dtId": f"p{n}", "n": "wrong" if n in wrong else n}) for n in range(twins)]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


class Case(adt.Case):
    def wait_for_end(self, server, path):
        until = time.monotonic() + DEADLINE_S
        while True:
            job = server.get(path).json
            if job["status"] not in ("notstarted", "running", "cancelling"):
                return job
            self.assertLess(time.monotonic(), until, job)
            time.sleep(0.02)

    def run_import(self, server, job_id, source, target):
        answer = server.put(f"/jobs/imports/{job_id}", {"inputBlobUri": source, "outputBlobUri": target})
        self.assertEqual(201, answer.status, answer)
        return self.wait_for_end(server, f"/jobs/imports/{job_id}")

    def count(self, server):
        return server.post("/query", {"query": "SELECT COUNT() FROM DIGITALTWINS"}).json["value"][0]["COUNT"]


class Files(Case):
    def test_a_file_is_imported_and_the_output_tells_it(self):
        server = self.serve()
        (server.folder / "in.ndjson").write_bytes(import_file(100, wrong=[7]))
        job = self.run_import(server, "one", f"file://{server.folder}/in.ndjson", f"file://{server.folder}/out.ndjson")
        self.assertEqual("failed", job["status"])
        self.assertEqual("ValidationFailed", job["error"]["code"])
        self.assertEqual(99, self.count(server))
        lines = [json.loads(line) for line in (server.folder / "out.ndjson").read_text().splitlines()]
        self.assertEqual({"one"}, {line["jobId"] for line in lines})
        self.assertEqual([13], [line["details"]["line"] for line in lines if line["logType"] == "Error"])
        self.assertEqual(["one"], [each["id"] for each in server.get("/jobs/imports").json["value"]])

    def test_jobs_are_refused_forgotten_and_not_found(self):
        server = self.serve()
        (server.folder / "in.ndjson").write_bytes(import_file(1))
        source, target = f"file://{server.folder}/in.ndjson", f"file://{server.folder}/out.ndjson"
        self.assertEqual((400, "ValidationFailed"), server.put("/jobs/imports/a%20b", {"inputBlobUri": source, "outputBlobUri": target}).error)
        self.assertEqual((400, "ValidationFailed"), server.put("/jobs/imports/a", {"inputBlobUri": source}).error)
        self.assertEqual((404, "JobNotFound"), server.get("/jobs/imports/a").error)
        self.run_import(server, "a", source, target)
        self.assertEqual((409, "JobAlreadyExists"), server.put("/jobs/imports/a", {"inputBlobUri": source, "outputBlobUri": target}).error)
        self.assertEqual((400, "JobAlreadyFinished"), server.post("/jobs/imports/a/cancel").error)
        self.assertEqual(204, server.call("DELETE", "/jobs/imports/a").status)
        self.assertEqual((404, "JobNotFound"), server.call("DELETE", "/jobs/imports/a").error)

    def test_a_job_that_is_being_cancelled_can_be_deleted_at_once(self):
        server = self.serve()
        (server.folder / "in.ndjson").write_bytes(import_file(100000))
        body = {"inputBlobUri": f"file://{server.folder}/in.ndjson", "outputBlobUri": f"file://{server.folder}/out.ndjson"}
        self.assertEqual(201, server.put("/jobs/imports/a", body).status)
        answer = server.post("/jobs/imports/a/cancel")
        self.assertEqual(200, answer.status, answer)
        self.assertIn(answer.json["status"], ("cancelling", "cancelled"))
        self.assertEqual(204, server.delete("/jobs/imports/a").status)
        self.assertEqual((404, "JobNotFound"), server.get("/jobs/imports/a").error)

    def test_files_must_lie_where_the_configuration_says(self):
        server = self.serve(jobs={"files": "./exchange"})
        (server.folder / "in.ndjson").write_bytes(import_file(1))
        answer = server.put("/jobs/imports/a", {"inputBlobUri": f"file://{server.folder}/exchange/../in.ndjson",
                                                "outputBlobUri": f"file://{server.folder}/exchange/out"})
        self.assertEqual((400, "ValidationFailed"), answer.error)
        self.assertIn("api.jobs.files", answer.message)

    def test_an_import_goes_on_after_kills(self):
        server = self.serve()
        (server.folder / "in.ndjson").write_bytes(import_file(40000))
        body = {"inputBlobUri": f"file://{server.folder}/in.ndjson", "outputBlobUri": f"file://{server.folder}/out.ndjson"}
        self.assertEqual(201, server.put("/jobs/imports/long", body).status)
        kills = 0
        while server.get("/jobs/imports/long").json["status"] in ("notstarted", "running") and kills < 30:
            time.sleep(0.05 + kills * 0.02)
            server.end(signal.SIGKILL)
            server = self.start()
            kills += 1
        self.assertGreater(kills, 0)
        self.assertEqual("succeeded", self.wait_for_end(server, "/jobs/imports/long")["status"])
        self.assertEqual(40000, self.count(server))
        last = json.loads((server.folder / "out.ndjson").read_text().splitlines()[-1])["details"]
        self.assertEqual((40000, 0), (last["twinsCreated"], last["twinsUpdated"]))


class Deletions(Case):
    def test_everything_goes_and_can_be_made_again(self):
        server = self.serve()
        (server.folder / "in.ndjson").write_bytes(import_file(1200))
        self.run_import(server, "in", f"file://{server.folder}/in.ndjson", f"file://{server.folder}/out")
        answer = server.post("/jobs/deletions?timeoutInMinutes=60", operation_id="gone")
        self.assertEqual(202, answer.status, answer)
        where = urllib.parse.urlsplit(answer.headers["Operation-Location"])
        self.assertEqual(("https", "/jobs/deletions/gone"), (where.scheme, where.path))
        self.assertEqual("succeeded", self.wait_for_end(server, where.path)["status"])
        self.assertEqual(0, self.count(server))
        self.assertEqual([], server.get("/models").json["value"])
        self.assertEqual((400, "InvalidArgument"), server.post("/jobs/deletions?timeoutInMinutes=5").error)
        self.assertEqual("succeeded", self.run_import(server, "again", f"file://{server.folder}/in.ndjson",
                                                      f"file://{server.folder}/out2")["status"])
        self.assertEqual(1200, self.count(server))


class WebHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        failing = self.server.failures > 0
        self.server.failures -= failing
        body = b"" if failing else self.server.objects.get(self.path, b"")
        self.send_response(503 if failing else 200 if self.path in self.server.objects else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        self.server.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class WebServers(Case):
    def web(self, failures=0):
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebHandler)
        web.objects, web.failures = {}, failures
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(web.server_close)
        self.addCleanup(web.shutdown)
        return web, f"http://127.0.0.1:{web.server_address[1]}"

    def test_an_object_is_fetched_and_the_output_is_put(self):
        web, url = self.web(failures=1)
        web.objects["/in.ndjson"] = import_file(10)
        server = self.serve()
        self.assertEqual("succeeded", self.run_import(server, "web", f"{url}/in.ndjson", f"{url}/out.ndjson")["status"])
        self.assertEqual(10, self.count(server))
        self.assertIn(b'"status":"Succeeded"', web.objects["/out.ndjson"])

    def test_an_object_that_is_not_there_fails_the_job(self):
        _, url = self.web()
        server = self.serve()
        job = self.run_import(server, "none", f"{url}/in.ndjson?sig=secret", f"file://{server.folder}/out")
        self.assertEqual("failed", job["status"])
        self.assertIn("there is no such object", job["error"]["message"])
        self.assertNotIn("secret", job["error"]["message"] + (server.folder / "out").read_text() + "".join(server.log))


@unittest.skipUnless(NODE and AZURITE.is_file(), "node or Azurite is not there: ./dev deps test")
class Blobs(Case):
    def azurite(self, folder):
        process = subprocess.Popen([NODE, str(AZURITE), "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence",
                                    "--blobPort", "0"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        for line in process.stdout:
            if "successfully listens on" in line:
                return line.split()[-1] + "/" + ACCOUNT
        raise unittest.SkipTest("Azurite does not start with this node")

    def azure(self, method, url, body=b"", **headers):
        """A request signed with the account's key."""
        parts = urllib.parse.urlsplit(url)
        sent = {"x-ms-date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()), "x-ms-version": "2021-08-06",
                **{name.replace("_", "-"): value for name, value in headers.items()}}
        text = f"{method}\n\n\n{len(body) or ''}\n\n\n\n\n\n\n\n\n"
        text += "".join(f"{name}:{sent[name]}\n" for name in sorted(sent)) + f"/{ACCOUNT}{parts.path}"
        text += "".join(f"\n{name}:{value}" for name, value in sorted(urllib.parse.parse_qsl(parts.query)))
        signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
        connection = http.client.HTTPConnection(parts.netloc, timeout=DEADLINE_S)
        connection.putrequest(method, parts.path + ("?" + parts.query if parts.query else ""), skip_accept_encoding=True)
        for name, value in {**sent, "Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": len(body)}.items():
            connection.putheader(name, str(value))
        connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        self.assertLess(answer.status, 300, data)
        return data

    def signed(self, url):
        """The URL with a shared access signature for an hour
        (https://learn.microsoft.com/rest/api/storageservices/create-service-sas)."""
        path = urllib.parse.unquote(urllib.parse.urlsplit(url).path).removeprefix(f"/{ACCOUNT}")
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        text = "\n".join(["racw", "", expires, f"/blob/{ACCOUNT}{path}", "", "", "", "2021-08-06", "b", "", "", "", "", "", "", ""])
        signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
        return url + "?" + urllib.parse.urlencode({"sp": "racw", "se": expires, "sv": "2021-08-06", "sr": "b", "sig": signature})

    def serve_with_blobs(self, accounts):
        url = self.azurite(self.folder)
        self.azure("PUT", f"{url}/box?restype=container")
        self.azure("PUT", f"{url}/box/in%20put.ndjson", import_file(50), x_ms_blob_type="BlockBlob")
        blobs = {"box": {"url": url, "account": ACCOUNT, "key": KEY}} if accounts else {}
        return self.serve({"blobs": blobs} if accounts else {}), url

    def test_blobs_of_an_account_that_is_configured(self):
        server, url = self.serve_with_blobs(accounts=True)
        job = self.run_import(server, "blob", f"{url}/box/in%20put.ndjson", f"{url}/box/out.log")
        self.assertEqual("succeeded", job["status"], job)
        self.assertEqual(50, self.count(server))
        self.assertIn(b'"twinsCreated":50', self.azure("GET", f"{url}/box/out.log"))

    def test_blobs_by_shared_access_signatures(self):
        server, url = self.serve_with_blobs(accounts=False)
        job = self.run_import(server, "sas", self.signed(f"{url}/box/in%20put.ndjson"), self.signed(f"{url}/box/out.log"))
        self.assertEqual("succeeded", job["status"], job)
        self.assertIn(b'"twinsCreated":50', self.azure("GET", f"{url}/box/out.log"))
        wrong = self.run_import(server, "wrong", self.signed(f"{url}/box/in%20put.ndjson")[:-3] + "xxx", f"file://{server.folder}/out")
        self.assertEqual("failed", wrong["status"])
        self.assertIn("access is refused", wrong["error"]["message"])


if __name__ == "__main__":
    gemel.main()
