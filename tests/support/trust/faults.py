"""Faults to plant into evidence that has none. The checker is as good as what it finds of these.

    for fault in ALL:
        copy = deepcopy(evidence)
        words = fault(copy, chance)          # the words of which one has to be in what the checker says
"""
import json


def _centre(evidence):
    return evidence.streams["centre"]


def _renumber(events):
    offsets = {}
    for event in events:
        event["offset"] = offsets.get(event["partition"], 0)
        offsets[event["partition"]] = event["offset"] + 1


def an_event_is_lost(evidence, chance):
    events = _centre(evidence)
    gone = events.pop(chance.randrange(len(events)))
    _renumber(events)
    return [f"event {gone['body']['uid']} was acknowledged and is not there"]


def an_event_is_lost_at_an_edge(evidence, chance):
    site = chance.choice([name for name in evidence.streams if name != "centre"])
    gone = evidence.streams[site].pop(chance.randrange(len(evidence.streams[site])))
    return [f"{site}: event {gone['body']['uid']} was acknowledged and is not there"]


def the_newest_events_are_lost(evidence, chance):
    """What a commit that was not durable would look like."""
    events = _centre(evidence)
    partition = events[-1]["partition"]
    gone = [events.pop() for _ in range(chance.randrange(1, 4)) if events[-1]["partition"] == partition]
    return [f"event {gone[-1]['body']['uid']} was acknowledged and is not there"]


def an_event_is_there_twice(evidence, chance):
    events = _centre(evidence)
    at = chance.randrange(len(events))
    events.insert(at, json.loads(json.dumps(events[at])))
    _renumber(events)
    return [f"event {events[at]['body']['uid']} is there 2 times"]


def two_events_of_a_key_change_places(evidence, chance):
    events = _centre(evidence)
    places = {}
    for at, event in enumerate(events):
        places.setdefault(event["key"], []).append(at)
    key = chance.choice([key for key, ats in places.items() if len(ats) > 1])
    first = chance.randrange(len(places[key]) - 1)
    one, other = places[key][first], places[key][first + 1]
    events[one], events[other] = events[other], events[one]
    _renumber(events)
    return [f"key {key}: event"]


def a_key_is_in_two_partitions(evidence, chance):
    events = _centre(evidence)
    event = chance.choice([event for event in events if event["partition"] == 0 and event["offset"] > 0])
    moved = json.loads(json.dumps(event))
    events.remove(event)
    moved["partition"] = max(one["partition"] for one in events)
    events.append(moved)
    _renumber(events)
    return [f"key {event['key']} is in the partitions"]


def an_event_that_nobody_sent(evidence, chance):
    events = _centre(evidence)
    event = json.loads(json.dumps(chance.choice(events)))
    event["body"]["uid"] = "nobody:1"
    event["partition"] = events[-1]["partition"]
    event["offset"] = events[-1]["offset"] + 1
    events.append(event)
    return ["nobody sent the event"]


def a_body_is_changed(evidence, chance):
    event = chance.choice(_centre(evidence))
    event["body"]["temp"] += 1
    return [f"event {event['body']['uid']} is not as it was sent"]


def a_time_is_changed(evidence, chance):
    event = chance.choice(_centre(evidence))
    event["time"] = "2026-11-19T00:00:00Z"
    return [f"event {event['body']['uid']} has another time"]


def a_sequence_is_changed(evidence, chance):
    event = chance.choice([event for event in _centre(evidence) if "sequence" in event])
    event["sequence"] += 1
    return [f"event {event['body']['uid']} has another sequence"]


def an_offset_is_missing(evidence, chance):
    events = _centre(evidence)
    partition = events[-1]["partition"]
    for event in events:
        event["offset"] += event["partition"] == partition
    return [f"partition {partition}: offset 1 where 0 is next"]


def _window_row(evidence, chance, view):
    return chance.choice([row for row in evidence.views[view] if row["temp"]["count"] > 1])


def _of_row(member):
    def a_row_is_altered(evidence, chance):
        view = chance.choice(["minutes", "hours", "machines"])
        row = _window_row(evidence, chance, view)
        # a quantile may be anything between two readings, which of a few are far apart: beyond all of them
        more = 1 if member == "count" else 1000 if member.startswith("p") else abs(row["temp"][member]) * 0.05 + 1
        row["temp"][member] += more
        return [f"temp.{member} is {row['temp'][member]}"]
    a_row_is_altered.__name__ = f"the_{member}_of_a_row_is_altered"
    return a_row_is_altered


def a_row_is_missing(evidence, chance):
    view = chance.choice(list(evidence.views))
    row = evidence.views[view].pop(chance.randrange(len(evidence.views[view])))
    return [f"view {view}: no row of"] if row else []


def a_row_is_there_twice(evidence, chance):
    view = chance.choice(list(evidence.views))
    at = chance.randrange(len(evidence.views[view]))
    evidence.views[view].insert(at, evidence.views[view][at])
    return [f"view {view}: two rows of"]


def a_row_that_no_event_explains(evidence, chance):
    row = json.loads(json.dumps(chance.choice(evidence.views["minutes"])))
    row["key"] += "x"
    evidence.views["minutes"].append(row)
    return ["that no event explains"]


def a_correction_is_not_counted(evidence, chance):
    row = chance.choice([row for row in evidence.views["minutes"] if row["corrections"] > 0] or evidence.views["minutes"])
    row["corrections"] += 1
    return [f"corrections is {row['corrections']}"]


def a_window_is_not_closed(evidence, chance):
    row = chance.choice(evidence.views["hours"])
    row["closed"] = not row["closed"]
    return [f"closed is {row['closed']}"]


def a_latest_value_is_stale(evidence, chance):
    row = chance.choice(evidence.views["newest"])
    row["temp"]["time"] = "2026-11-19T00:00:00Z"
    return ["temp.time is 2026-11-19T00:00:00Z"]


def a_latest_value_is_another(evidence, chance):
    row = chance.choice(evidence.views["newest"])
    row["n"]["value"] += 1
    return [f"n.value is {row['n']['value']}"]


def a_group_counts_for_another(evidence, chance):
    row = chance.choice(evidence.views["machines"])
    row["key"] += "-other"
    return ["view machines: "]


def a_twin_is_stale(evidence, chance):
    key, twin = chance.choice(list(evidence.twins.items()))
    older = [event for event in _centre(evidence) if event["key"] == key and event["body"]["n"] != twin["n"]][0]
    for name in ("temp", "state", "n"):
        twin[name] = older["body"][name]
        twin["$metadata"][name]["sourceTime"] = older["time"]
    return [f"twin {key}: n is"]


def a_twin_says_another_time(evidence, chance):
    key, twin = chance.choice(list(evidence.twins.items()))
    twin["$metadata"]["state"]["sourceTime"] = "2026-11-19T00:00:00Z"
    return [f"twin {key}: state has the sourceTime"]


def a_twin_is_missing(evidence, chance):
    key = chance.choice(list(evidence.twins))
    del evidence.twins[key]
    return [f"twin {key} is not there"]


ALL = [an_event_is_lost, an_event_is_lost_at_an_edge, the_newest_events_are_lost, an_event_is_there_twice,
       two_events_of_a_key_change_places, a_key_is_in_two_partitions, an_event_that_nobody_sent, a_body_is_changed, a_time_is_changed,
       a_sequence_is_changed, an_offset_is_missing, a_row_is_missing, a_row_is_there_twice, a_row_that_no_event_explains,
       a_correction_is_not_counted, a_window_is_not_closed, a_latest_value_is_stale, a_latest_value_is_another,
       a_group_counts_for_another, a_twin_is_stale, a_twin_says_another_time, a_twin_is_missing,
       *(_of_row(member) for member in ("count", "sum", "mean", "min", "max", "stddev", "first", "last", "p50", "p99"))]
