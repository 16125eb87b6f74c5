"""A TCP proxy in front of a port of 127.0.0.1, for links that fail.

    link = link.Link(port)                   # listens on link.port
    link.cut(); link.heal()                  # no connections, and those there were end in the middle of what they carry
    link.stall(); link.heal()                # bytes stay where they are, and nobody is told
    link.close()

With a `chance` (random.Random) it also ends connections by itself after some bytes, in either direction: so answers get lost whose
requests arrived.
"""
import socket
import threading

BREAKS_SHARE = 0.4
BREAKS_BEFORE = 60000


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Link:
    def __init__(self, target, chance=None):
        self.target, self.chance = target, chance
        self.mu = threading.Lock()
        self.open, self.up = set(), True
        self.flowing = threading.Event()
        self.flowing.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=10) if self.up else None
            except OSError:
                far = None
            if far is None:
                near.close()
                continue
            far.settimeout(None)
            with self.mu:
                self.open |= {near, far}
            breaks = self.chance is not None and self.chance.random() < BREAKS_SHARE
            for one, other in ((near, far), (far, near)):
                left = self.chance.randrange(1, BREAKS_BEFORE) if breaks else None
                threading.Thread(target=self._carry, args=(one, other, left), daemon=True).start()

    def _carry(self, one, other, left):
        try:
            while True:
                data = one.recv(16384)
                self.flowing.wait()
                if not data or not self.up:
                    break
                if left is not None and len(data) >= left:
                    other.sendall(data[:left])
                    break
                left = None if left is None else left - len(data)
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            self._end(end)

    def _end(self, end):
        with self.mu:
            self.open.discard(end)
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()

    def cut(self):
        self.up = False
        self.flowing.set()
        with self.mu:
            ends = list(self.open)
        for end in ends:
            self._end(end)

    def stall(self):
        self.flowing.clear()

    def heal(self):
        self.up = True
        self.flowing.set()

    def calm(self):
        """No more breaks by itself."""
        self.chance = None

    def close(self):
        self.cut()
        self.listener.close()
