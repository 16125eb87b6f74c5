"""What is there when a trust run has settled: what producers sent and were told, and what the Gemels show.

    evidence = gather(world)
    evidence.save(path); Evidence.load(path)
"""
import dataclasses
import json
import pathlib

import adt
from trust import world as worlds

PAGE = 10000


@dataclasses.dataclass
class Evidence:
    sent: dict     # producer → {"site", "batches": [{"events", "acked"}]}, in the order in which they were sent
    streams: dict  # site → its events, as GET /streams/telemetry/events shows them, in order of partitions and offsets
    views: dict    # name → rows
    specs: dict    # name → the view as it is configured
    twins: dict    # id → twin
    groups: dict   # sensor → machine

    def save(self, path):
        pathlib.Path(path).write_text(json.dumps(dataclasses.asdict(self)))

    @staticmethod
    def load(path):
        return Evidence(**json.loads(pathlib.Path(path).read_text()))


def _sent(producer):
    batches, acked = {}, set()
    for line in producer.journal.read_bytes().splitlines():
        entry = json.loads(line)
        if "events" in entry:
            batches[entry["batch"]] = entry["events"]
        else:
            acked.add(entry["acked"])
    return {"site": producer.plan["site"],
            "batches": [{"events": batches[batch], "acked": batch in acked} for batch in sorted(batches)]}


def _events(site):
    found, cursor = [], "oldest"
    while True:
        page = site.get(f"/streams/telemetry/events?from={cursor}&limit={PAGE}")
        if not page["value"]:
            return sorted(found, key=lambda event: (event["partition"], event["offset"]))
        found += page["value"]
        cursor = page["cursor"]


def _rows(site, view):
    rows, token = [], ""
    while True:
        page = site.get(f"/views/{view}?limit={PAGE}{token}", version=adt.VERSION)
        rows += page["value"]
        if page["continuationToken"] is None:
            return rows
        token = "&continuationToken=" + page["continuationToken"].replace(" ", "%20")


def gather(world):
    centre = world.site("centre")
    return Evidence(sent={producer.plan["name"]: _sent(producer) for producer in world.producers},
                    streams={name: _events(site) for name, site in world.sites.items()},
                    views={name: _rows(centre, name) for name in worlds.VIEWS}, specs=worlds.VIEWS,
                    twins={key: twin for key, twin in world.twins().items() if key in world.groups()}, groups=world.groups())
