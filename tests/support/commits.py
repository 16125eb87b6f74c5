"""Commits of a database that another process writes, counted without disturbing it: for killing a process at a certain one.

    commits = Commits(folder / "data")
    while commits.look() < 7: ...
"""
import struct


class Commits:
    """How many commits a store has seen since this began to look. SQLite counts them in the index of its log (`iChange` of
    https://www.sqlite.org/walformat.html#the_wal_index_header), where they are read without a connection: closing one would
    tidy up what the next run shall find."""

    def __init__(self, data, name="store.db"):
        self.path = data / f"{name}-shm"
        self.count = 0
        self.last = self.read()

    def read(self):
        try:
            with open(self.path, "rb") as index:
                head = index.read(12)
        except FileNotFoundError:
            return 0
        return struct.unpack_from("=I", head, 8)[0] if len(head) == 12 else 0

    def look(self):
        now = self.read()
        self.count += now - self.last if now >= self.last else now  # it begins anew when a store is opened
        self.last = now
        return self.count
