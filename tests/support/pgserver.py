"""A real PostgreSQL for a program test: a cluster of its own in a temporary folder, gone with the test.

    server = pgserver.start()            # None: no server programs on this machine
    server.psql("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    url = server.url                     # with its password
    server.stop()

It listens on a free port of 127.0.0.1 and does not sync: it is for tests of what runs against it. When the tests run as root it
runs as `postgres` or `nobody`, since a server refuses to be root.
"""
import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PASSWORD = "open sesame/42@home"
DEADLINE_S = 60


def _programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4].split(".")[0]))
    path = found[-1] if found else shutil.which("postgres")
    return pathlib.Path(path).parent if path else None


def _user():
    """Keywords for subprocess that leave root behind."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        except KeyError:
            continue
    return None


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, programs, user):
        self.programs = programs
        self.user = user
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gemel-pg-"))
        if user:
            os.chown(self.folder, user["user"], user["group"])
        (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
        os.chmod(self.folder / "password", 0o644)
        self._run(programs / "initdb", "-D", self.folder / "data", "-U", "gemel", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C",
                  "--no-sync", f"--pwfile={self.folder / 'password'}")
        self.port = _free_port()
        self.url = f"postgresql://gemel:open%20sesame%2F42%40home@127.0.0.1:{self.port}/postgres"
        self.process = None
        self.resume()

    def _run(self, *words):
        subprocess.run([str(word) for word in words], check=True, capture_output=True, timeout=DEADLINE_S, cwd=self.folder, **self.user)

    def resume(self):
        log = open(self.folder / "log", "ab")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-h", "127.0.0.1",
             "-k", str(self.folder), "-F"], stdout=log, stderr=log, cwd=self.folder, **self.user)
        log.close()
        until = time.monotonic() + DEADLINE_S
        while True:
            ready = subprocess.run([str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False,
                                   timeout=DEADLINE_S)
            if ready.returncode == 0:
                return
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text(encoding="utf-8", errors="replace"))

    def halt(self):
        """As after a crash: sessions end without a word."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(DEADLINE_S)

    def psql(self, script):
        done = subprocess.run([str(self.programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url], input=script.encode(),
                              capture_output=True, check=False, timeout=DEADLINE_S)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode("utf-8", "replace"))

    def stop(self):
        if self.process.poll() is None:
            self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)


def start():
    programs, user = _programs(), _user()
    if programs is None or user is None:
        return None
    return Server(programs, user)
