"""A real Mosquitto for a test: on a free port of 127.0.0.1, in a folder of the test.

    broker = mosquitto.Broker(folder)            # unittest.SkipTest when it is not installed
    broker.url                                   # "mqtt://127.0.0.1:49321"
    broker.halt(); broker.resume()
    broker.end()
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import unittest

PROGRAM = next((path for path in ("/usr/sbin/mosquitto", shutil.which("mosquitto")) if path and os.access(path, os.X_OK)), None)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Broker:
    def __init__(self, folder, settings="allow_anonymous true\n", tls=False):
        if PROGRAM is None:
            raise unittest.SkipTest("mosquitto is not installed")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"{'mqtts' if tls else 'mqtt'}://{'localhost' if tls else '127.0.0.1'}:{self.port}"
        user = "user root\n" if os.geteuid() == 0 else ""
        (self.folder / "mosquitto.conf").write_text(
            f"{user}persistence true\npersistence_location {self.folder}/\nmax_queued_messages 0\nmax_inflight_messages 0\n"
            f"listener {self.port} 127.0.0.1\n{settings}")
        self.resume()

    def resume(self):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", self.folder / "mosquitto.conf"], stdout=log, stderr=log)
        for _ in range(1000):  # nobody tells when it listens: it is asked
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.01)
        raise AssertionError("mosquitto does not listen")

    def halt(self):
        """It writes down its sessions."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
