#!/usr/bin/env python3
"""gemel tls and gemel token, and a server that is asked with what they gave."""
import base64
import json
import os
import re
import shutil
import stat
import subprocess
import time

import adt
import gemel


def openssl(*arguments, cwd=None, data=None):
    return subprocess.run(["openssl", *arguments], cwd=cwd, input=data, capture_output=True, check=True).stdout


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Tls(gemel.Case):
    def show(self, *arguments):
        return self.gemel("tls", "show", "--json", *arguments).json()

    def test_certificates_are_made_shown_and_stay(self):
        self.configure({}, api={"names": ["twins.example.com", "10.1.2.3"]})
        first = self.show()
        self.assertEqual({"authority", "certificate"}, set(first))
        self.assertEqual(first, self.show())
        self.assertTrue(first["certificate"]["names"].startswith("localhost, 127.0.0.1, ::1"))
        self.assertIn("twins.example.com, 10.1.2.3", first["certificate"]["names"])
        text = self.gemel("tls", "show").out
        for part in (first["authority"]["fingerprint"], first["certificate"]["fingerprint"], "twins.example.com", "expires"):
            self.assertIn(part, text)
        for name in ("ca.key", "server.key"):
            self.assertEqual(0o600, mode(self.folder / "data/tls" / name))

    def test_what_is_exported_is_the_authority(self):
        self.configure({})
        pem = self.gemel("tls", "export").out
        self.assertEqual(1, pem.count("BEGIN CERTIFICATE"))
        self.assertNotIn("PRIVATE", pem)
        done = self.gemel("tls", "export", "--out", str(self.folder / "ca.pem"))
        self.assertIn("NODE_EXTRA_CA_CERTS=", done.out)
        self.assertEqual(pem, (self.folder / "ca.pem").read_text())
        if shutil.which("openssl"):
            self.assertIn(b": OK", openssl("verify", "-CAfile", "ca.pem", "data/tls/server.pem", cwd=self.folder))
            said = openssl("x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256", cwd=self.folder).decode()
            self.assertIn(self.show()["authority"]["fingerprint"], said)

    def test_renewing_keeps_the_authority_unless_told(self):
        self.configure({})
        before = self.show()
        after = self.gemel("tls", "renew", "--json").json()
        self.assertEqual(before["authority"], after["authority"])
        self.assertNotEqual(before["certificate"]["fingerprint"], after["certificate"]["fingerprint"])
        last = self.gemel("tls", "renew", "--authority", "--json").json()
        self.assertNotEqual(before["authority"]["fingerprint"], last["authority"]["fingerprint"])

    def test_a_data_directory_is_enough(self):
        data = str(self.folder / "elsewhere")
        self.assertIn("Gemel local CA", self.show("--data", data)["authority"]["subject"])
        self.assertTrue((self.folder / "elsewhere/tls/ca.pem").exists())

    def test_with_a_certificate_of_ones_own_there_is_no_authority(self):
        self.configure({}, api={"tls": {"certificate": "own.pem", "key": "own.key"}})
        for command in (("tls", "export"), ("tls", "renew")):
            self.assertIn("certificate of its own", self.gemel(*command, expect=gemel.USAGE).err)
        self.assertIn("own.pem", self.gemel("tls", "show", expect=gemel.USAGE).err)
        self.assertFalse((self.folder / "data/tls").exists())

    def test_a_name_that_is_none_is_told(self):
        self.configure({}, api={"names": ["not a name"]})
        self.assertIn("`not a name` is neither", self.gemel("tls", "show", expect=gemel.USAGE).err)


class Token(gemel.Case):
    def test_the_development_token_stays_until_it_is_made_anew(self):
        self.configure({})
        token = self.gemel("token").out
        self.assertRegex(token, r"^gemel_[A-Za-z0-9_-]{43}\n$")
        self.assertEqual(token, self.gemel("token", "show").out)
        self.assertEqual({"token": token.strip()}, self.gemel("token", "--json").json())
        path = self.folder / "data/tokens/development"
        self.assertEqual(token, path.read_text())
        self.assertEqual(0o600, mode(path))
        self.assertNotEqual(token, self.gemel("token", "new").out)

    def test_where_it_is_off_it_is_not_printed(self):
        self.configure({}, api={"tokens": {"development": False, "file": "tokens.yaml"}})
        self.assertIn("api.tokens.development: false", self.gemel("token", expect=gemel.USAGE).err)
        self.assertFalse((self.folder / "data/tokens").exists())

    def test_an_entry_holds_the_hash_and_not_the_token(self):
        self.configure({})
        done = self.gemel("token", "new", "erp", "--role", "writer", "--expires", "2099-01-01")
        token = done.out.splitlines()[0]
        self.assertIn('- { name: "erp", role: writer, sha256: "', done.out)
        self.assertIn('expires: "2099-01-01"', done.out)
        self.assertEqual(1, done.out.count(token))
        path = self.folder / "tokens.yaml"
        made = self.gemel("token", "new", "a", "--file", str(path), "--json").json()
        self.gemel("token", "new", "b", "--role", "admin", "--file", str(path))
        text = path.read_text()
        self.assertIn(made["sha256"], text)
        self.assertNotIn(made["token"], text)
        self.assertEqual(2, text.count("name:"))
        self.assertEqual("reader", made["role"])

    def test_what_is_wrong_with_an_entry_is_told_and_nothing_is_written(self):
        self.configure({})
        path = self.folder / "tokens.yaml"
        for arguments, why in ((("--role", "king"), "`king` is none of"), (("--expires", "soon"), "`soon` is no time")):
            self.assertIn(why, self.gemel("token", "new", "x", *arguments, "--file", str(path), expect=gemel.USAGE).err)
        self.assertIn("1 to 127", self.gemel("token", "new", "", expect=gemel.USAGE).err)
        self.assertIn("no NAME", self.gemel("token", "new", "--role", "admin", expect=gemel.USAGE).err)
        self.assertIn("neither `show` nor `new`", self.gemel("token", "x", expect=gemel.USAGE).err)
        self.assertFalse(path.exists())
        path.write_text("tokens: []\n")
        self.assertIn("tokens.yaml:", self.gemel("token", "new", "x", "--file", str(path), expect=gemel.USAGE).err)
        self.assertEqual("tokens: []\n", path.read_text())


class Settings(gemel.Case):
    def test_what_would_not_be_safe_is_refused(self):
        for api, why in (
                ({"listen": "0.0.0.0:1", "tls": {"off": True}}, "is not a loopback address"),
                ({"tls": {"certificate": "a.pem"}}, "`certificate` and `key` belong together"),
                ({"tls": {"off": True, "certificate": "a.pem", "key": "a.key"}}, "leave out one"),
                ({"jwt": {"jwks": "https://idp.example/keys"}}, "`issuer` and `audience` are needed"),
                ({"jwt": {"issuer": "https://idp.example"}}, "without `jwks`"),
                ({"jwt": {"jwks": "http://idp.example/keys", "issuer": "i", "audience": "a"}}, "over plain HTTP"),
                ({"tokens": {"development": False}}, "nobody could use the API")):
            with self.subTest(api=api):
                self.configure({}, api=api)
                self.assertIn(why, self.gemel("check", expect=gemel.USAGE).err)
        self.model("Room")
        self.configure({}, api={"listen": "127.0.0.1:1", "tls": {"off": True},
                                "jwt": {"jwks": "http://localhost:1/keys", "issuer": "i", "audience": ["a", "b"]}})
        self.gemel("check")


class Served(adt.Case):
    def roles(self, server, token):
        """The statuses of a read, a write, and a deletion of a job."""
        body = adt.twin("Room", temp=1)
        return (server.get("/digitaltwins/r1", token=token).status, server.put("/digitaltwins/r1", body, token=token).status,
                server.delete("/jobs/imports/none", token=token).status)

    def wait_for(self, server, token, status):
        deadline = time.monotonic() + adt.DEADLINE_S
        while server.get("/digitaltwins/r1", token=token).status != status:
            self.assertLess(time.monotonic(), deadline)

    def test_curl_trusts_what_was_exported(self):
        if not shutil.which("curl"):
            self.skipTest("there is no curl")
        server = self.serve()
        self.gemel("tls", "export", "--out", str(self.folder / "exported.pem"))
        token = self.gemel("token").out.strip()
        for trust, code in (("exported.pem", 0), (None, 60)):
            arguments = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}",
                         f"https://localhost:{server.port}/eventroutes?api-version={adt.VERSION}"]
            done = subprocess.run(arguments + (["--cacert", trust] if trust else []), cwd=self.folder, capture_output=True, check=False)
            self.assertEqual(code, done.returncode, done)
            if code == 0:
                self.assertEqual(b"200", done.stdout)

    def test_a_token_file_gives_roles_and_is_read_again(self):
        self.model("Room", {"temp": "double"})
        path = str(self.folder / "tokens.yaml")
        tokens = {role: self.gemel("token", "new", role, "--role", role, "--file", path, "--json", expect=gemel.DONE).json()["token"]
                  for role in ("reader", "writer", "admin")}
        server = self.serve(tokens={"file": "tokens.yaml"})
        server.make("r1", "Room", temp=1)
        self.assertEqual((200, 403, 403), self.roles(server, tokens["reader"]))
        self.assertEqual((200, 200, 403), self.roles(server, tokens["writer"]))
        self.assertEqual((200, 200, 404), self.roles(server, tokens["admin"]))
        late = self.gemel("token", "new", "late", "--file", path, "--json").json()["token"]
        self.wait_for(server, late, 200)
        (self.folder / "tokens.yaml").write_text("tokens: []\n")
        self.wait_for(server, tokens["admin"], 401)
        self.assertEqual(200, server.get("/digitaltwins/r1").status)  # the development token is another matter

    def test_a_rate_is_kept(self):
        server = self.serve(rate_limit={"per_second": 0.5, "burst": 2})
        statuses = [server.get("/eventroutes").status for _ in range(3)]
        self.assertEqual([200, 200, 429], statuses)
        self.assertIn(server.get("/eventroutes").headers["Retry-After"], ("1", "2"))

    def test_tokens_of_an_identity_provider_are_good(self):
        if not shutil.which("openssl"):
            self.skipTest("there is no openssl")
        openssl("genrsa", "-out", "idp.key", "2048", cwd=self.folder)
        modulus = openssl("rsa", "-in", "idp.key", "-noout", "-modulus", cwd=self.folder).decode().strip().split("=")[1]
        self.write("jwks.json", json.dumps({"keys": [{"kty": "RSA", "use": "sig", "kid": "k", "n": encode(bytes.fromhex(modulus)), "e": "AQAB"}]}))
        self.model("Room", {"temp": "double"})
        server = self.serve(jwt={"jwks": "jwks.json", "issuer": "https://idp.example/v2.0", "audience": ["https://digitaltwins.azure.net"],
                                 "roles": [{"value": "Twins.Write", "role": "writer"}], "default_role": "reader"})
        server.make("r1", "Room", temp=1)

        def issue(**claims):
            claims = {"iss": "https://idp.example/v2.0", "aud": "https://digitaltwins.azure.net", "sub": "app-7", "exp": int(time.time()) + 600, **claims}
            text = encode(json.dumps({"alg": "RS256", "kid": "k", "typ": "JWT"}).encode()) + "." + encode(json.dumps(claims).encode())
            return text + "." + encode(openssl("dgst", "-sha256", "-sign", "idp.key", cwd=self.folder, data=text.encode()))

        good = issue(roles=["Twins.Write"])
        self.assertEqual((200, 200, 403), self.roles(server, good))
        self.assertEqual((200, 403, 403), self.roles(server, issue()))
        for claims in ({"exp": int(time.time()) - 600}, {"aud": "other"}, {"iss": "other"}):
            self.assertEqual(401, server.get("/digitaltwins/r1", token=issue(**claims)).status)
        self.assertEqual(401, server.get("/digitaltwins/r1", token=good[:-4]).status)
        server.end()
        self.assertNotIn(good.rsplit(".", 1)[1], "".join(server.log))

    def test_certificates_of_ones_own_are_served(self):
        if not shutil.which("openssl"):
            self.skipTest("there is no openssl")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "own.key", "-out", "own.pem",
                "-subj", "/CN=own", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "30", cwd=self.folder)
        (self.folder / "data/tls").mkdir(parents=True)
        shutil.copy(self.folder / "own.pem", self.folder / "data/tls/ca.pem")  # what the client here trusts
        server = self.serve(tls={"certificate": "own.pem", "key": "own.key"})
        self.assertEqual(200, server.get("/eventroutes").status)
        shown = self.gemel("tls", "show", "--json").json()
        self.assertEqual({"certificate"}, set(shown))
        self.assertTrue(re.search("CN=own", shown["certificate"]["subject"]))

    def test_a_key_that_does_not_fit_is_told(self):
        self.gemel("tls", "show", "--data", str(self.folder / "a"))
        self.gemel("tls", "show", "--data", str(self.folder / "b"))
        self.configure({}, api={"listen": "127.0.0.1:0", "tls": {"certificate": "a/tls/server.pem", "key": "b/tls/server.key"}})
        self.assertIn("this is not the key of the certificate", self.gemel("run", expect=gemel.USAGE).err)


if __name__ == "__main__":
    gemel.main()
