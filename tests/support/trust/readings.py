"""What a producer's sensors say. Times of its source run sixty times as fast as the clock, so that windows of an hour fill while a
test waits; some readings come late, some have the time of the one before, and some lack what others have.

No two keys ever have a reading at the same time: which of a machine's readings is the newest is never a matter of taste.
"""
import datetime

BASE = datetime.datetime(2026, 11, 20, tzinfo=datetime.timezone.utc)
SPEED = 60
TICKS = 10  # a second of the source
LATE_SHARE, LATE_TICKS = 0.08, 600 * TICKS
TIE_SHARE = 0.02
MACHINES = 3


def time_text(ticks, producer, key):
    """A tenth of a second, and below it microseconds that are this key's own."""
    at = BASE + datetime.timedelta(microseconds=ticks * (1000000 // TICKS) + producer * 100 + key)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def key_of(name, number):
    return f"{name}-s{number}"


def machine_of(site, number):
    return f"{site}-m{number % MACHINES}"


class Readings:
    """`plan` is the producer's part of the world's plan; `journal` what it sent before."""

    def __init__(self, plan, chance, sent=()):
        self.plan, self.chance = plan, chance
        self.sequence, self.count, self.last = 0, [0] * plan["keys"], [0] * plan["keys"]
        for events in sent:
            for event in events:
                number = int(event["sensor"].rsplit("-s", 1)[1])
                self.sequence += 1
                self.count[number] = event["n"] + 1

    def batch(self, seconds, size):
        return [self._reading(int(seconds * SPEED * TICKS)) for _ in range(size)]

    def _ticks(self, now, number):
        chance = self.chance.random()
        if chance < TIE_SHARE:
            return self.last[number]
        ticks = now - self.chance.randrange(LATE_TICKS) if chance < TIE_SHARE + LATE_SHARE else now
        self.last[number] = max(ticks, 0)
        return self.last[number]

    def _reading(self, now):
        plan, chance = self.plan, self.chance
        number = chance.randrange(plan["keys"])
        self.sequence += 1
        temp = round(chance.gauss(20 + 5 * number, 4), 2)
        reading = {"sensor": key_of(plan["name"], number), "uid": f"{plan['name']}:{self.sequence}", "gateway": plan["name"],
                   "kind": "alarm" if temp > 40 else "reading", "at": time_text(self._ticks(now, number), plan["number"], number),
                   "temp": temp, "n": self.count[number], "state": "hot" if temp > 30 else "ok", "machine": machine_of(plan["site"], number)}
        if plan["kind"] != "keyed":
            reading["seq"] = self.sequence
        extra = chance.random()
        if extra > 0.13:
            reading["extra"] = {"power": round(1000 * chance.random() ** 3, 3)}
        elif extra > 0.1:
            reading["extra"] = {"power": None}
        self.count[number] += 1
        return reading
