#!/usr/bin/env python3
"""Everything fails at random: processes are killed, links cut and stalled, disks full, clocks set. Then a checker that shares no code with
Gemel proves that every acknowledged event is in the streams once and in order, that every view equals its recomputation, and that every
twin shows the newest reading by its source's time. And the checker itself is tried with faults that are planted into what it looks at.

A dozen kills; GEMEL_LONG=1 makes it two hundred, GEMEL_KILLS=n any number. GEMEL_SEED repeats a series (as far as time repeats).
`./dev trust` does the same with words for it.
"""
import collections
import os
import pathlib
import pickle
import random
import time

import gemel
from trust import checker, chaos, evidence, faults, world

KILLS = int(os.environ.get("GEMEL_KILLS") or ("200" if os.environ.get("GEMEL_LONG") else "12"))
SEED = int(os.environ.get("GEMEL_SEED") or random.SystemRandom().randrange(1 << 32))
LONG = KILLS > 50
PLAN = {"edges": 3 if LONG else 2, "kinds": ["http", "keyed", "mqtt"], "keys": 5, "batch": 30, "pause": 0.25 if LONG else 0.1, "seed": SEED}
PAUSE_S = 1.5 if LONG else 0.5
PLANT_MAX = 20000  # events: the checker takes a while for more
DISK_ENDED = 3  # the exit code of a process that lost its storage


class Trust(gemel.Case):
    def setUp(self):
        super().setUp()
        self.world = world.World(self.folder, PLAN)
        self.addCleanup(self.world.abandon)

    def keep(self, found):
        """What a failure was found in, where GEMEL_TRUST_KEEP says so."""
        if os.environ.get("GEMEL_TRUST_KEEP"):
            folder = pathlib.Path(os.environ["GEMEL_TRUST_KEEP"])
            folder.mkdir(parents=True, exist_ok=True)
            found.save(folder / f"evidence-{SEED}.json")
            for site in self.world.sites.values():
                (folder / f"{site.name}.log").write_text("".join(site.server.log))

    def check_ends(self):
        """A Gemel ends for one reason by itself: its disk. And it says so."""
        for site in self.world.sites.values():
            if site.ends or site.refused:
                print(f"{site.name}: {len(site.ends)} times its disk was full for it, {site.refused} times it could not begin", flush=True)
            for code, log in site.ends:
                self.assertEqual(DISK_ENDED, code, (site.name, log))
                self.assertRegex(log, "disk|space", (site.name, log))

    def plant(self, found):
        chance, before = random.Random(SEED), pickle.dumps(found)
        for fault in faults.ALL:
            planted = pickle.loads(before)
            words = fault(planted, chance)
            said = checker.check(planted)
            self.assertTrue(any(word in one for word in words for one in said), (fault.__name__, words, said[:5]))
        print(f"{len(faults.ALL)} kinds of faults planted, all found", flush=True)

    def test_what_was_acknowledged_is_there_once_whatever_fails(self):
        print(f"{KILLS} kills; repeat with GEMEL_SEED={SEED}", flush=True)
        begun = time.monotonic()
        say = (lambda text: print(text, flush=True)) if LONG or os.environ.get("GEMEL_TRUST_WORDS") else (lambda text: None)
        self.world.begin()
        trouble = chaos.Chaos(self.world, random.Random(SEED), say)
        trouble.run(KILLS, PAUSE_S)
        self.world.settle()
        found = evidence.gather(self.world)
        said = checker.check(found)
        if said:
            self.keep(found)
        self.assertEqual([], said[:20])
        self.check_ends()
        self.world.end()
        self.report(trouble, found, time.monotonic() - begun)
        if len(found.streams["centre"]) < PLANT_MAX:
            self.plant(found)

    def report(self, trouble, found, seconds):
        done = ", ".join(f"{count} × {what}" for what, count in sorted(trouble.done.items()))
        acked = sum(len(batch["events"]) for one in found.sent.values() for batch in one["batches"] if batch["acked"])
        rows = collections.Counter({name: len(rows) for name, rows in found.views.items()})
        print(f"{seconds:.0f} s: {done}; {acked} acknowledged events, {len(found.streams['centre'])} at the centre, "
              f"{sum(rows.values())} rows of views, {len(found.twins)} twins", flush=True)


if __name__ == "__main__":
    gemel.main()
