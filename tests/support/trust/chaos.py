"""What goes wrong in a trust run, from a seed.

    chaos = Chaos(world, random.Random(seed), say)
    chaos.run(kills=200)                     # and everything else beside it
    chaos.kills, chaos.done                  # done: what happened, how often
"""
import collections
import time

CLOCK_STEPS = (-600, -120, -30, 30, 120, 600)
FULL_S = 8
PROCESS_WEIGHTS = {"edge": 4, "centre": 4, "broker": 2, "producer": 3}


class Chaos:
    def __init__(self, world, chance, say=lambda text: None):
        self.world, self.chance, self.say = world, chance, say
        self.kills, self.done = 0, collections.Counter()
        self.begun = time.monotonic()

    def note(self, what):
        self.done[what.split(" ")[0]] += 1
        self.say(f"{time.monotonic() - self.begun:7.1f} s  {what}")

    # ---- kills ----

    def _processes(self):
        world, found = self.world, []
        for site in world.sites.values():
            weight = PROCESS_WEIGHTS["centre"] if site.name == "centre" else PROCESS_WEIGHTS["edge"] / len(world.links)
            found.append((weight, site.name, site.kill, site.server.process))
        found.append((PROCESS_WEIGHTS["broker"], "broker", lambda: (world.broker.process.kill(), world.broker.process.wait()), world.broker.process))
        for producer in world.producers:
            found.append((PROCESS_WEIGHTS["producer"] / len(world.producers), producer.plan["name"], producer.kill, producer.process))
        return [one for one in found if one[3].poll() is None]

    def kill(self):
        """One process, or several at once."""
        for _ in range(1 if self.chance.random() < 0.85 else self.chance.randrange(2, 4)):
            alive = self._processes()
            if not alive:
                break
            _, name, how, _ = self.chance.choices(alive, [one[0] for one in alive])[0]
            how()
            self.kills += 1
            self.note(f"kill {name}")
        if self.chance.random() < 0.3:
            time.sleep(self.chance.random())

    # ---- links ----

    def link(self):
        name, way = self.chance.choice(sorted(self.world.links.items()))
        if not way.up or not way.flowing.is_set():
            way.heal()
            self.note(f"heal {name}")
        elif self.chance.random() < 0.6:
            way.cut()
            self.note(f"cut {name}")
        else:
            way.stall()
            self.note(f"stall {name}")

    # ---- disks ----

    def disk(self, name=None):
        """Full for a while: a process that ends says why, and cannot begin again before there is room, or begins and takes nothing."""
        site = self.world.site(name or self.chance.choice(sorted(self.world.sites)))
        ends = len(site.ends)
        site.disk.fill(site.server.process)
        self.note(f"full {site.name}")
        until = time.monotonic() + FULL_S
        while time.monotonic() < until and len(site.ends) == ends and site.refused == 0:
            self.world.tend()
            time.sleep(0.05)
        if len(site.ends) > ends and self.chance.random() < 0.5:
            time.sleep(0.2)
            self.world.tend()  # it may try, and fail
        site.disk.heal(site.server.process)
        self.note(f"room {site.name}")

    # ---- clocks ----

    def clock(self):
        site = self.world.site(self.chance.choice(sorted(self.world.sites)))
        site.clock.set(self.chance.choice([step for step in CLOCK_STEPS if step != site.clock.offset]))
        self.note(f"clock {site.name} {site.clock.offset:+d} s")

    # ---- all together ----

    def run(self, kills, pause, must=("link", "disk", "clock")):
        """`must`: what happens at least once, somewhere between the kills."""
        wanted = collections.deque(self.chance.sample(sorted(must), len(must)))
        every = max(kills // (len(wanted) + 1), 1)
        while self.kills < kills:
            self.kill()
            if wanted and self.kills >= every * (len(must) - len(wanted) + 1):
                getattr(self, wanted.popleft())()
            elif self.chance.random() < 0.35:
                self.link()
            elif self.chance.random() < 0.04:
                self.disk()
            elif self.chance.random() < 0.1:
                self.clock()
            time.sleep(self.chance.random() * 2 * pause)
            self.world.tend()
        while wanted:
            getattr(self, wanted.popleft())()
        self.world.tend()
