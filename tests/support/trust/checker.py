"""Whether what is there is what was acknowledged. Written from the documentation alone, in the plainest way there is: a second opinion.

    faults = check(evidence)                 # [] or texts that name what is wrong, and where

What holds of a site's stream:
    every event that a producer of it was told to be taken is there once, as it was sent; one that nobody was told of at most once;
    nothing else is there; a key's events are in one partition and in the order in which they were sent; offsets have no gaps.
The centre's stream holds those of all sites. Its views are recomputed from its events, its twins compared with the newest of them.
"""
import collections
import datetime
import functools
import math

FAULTS_MAX = 1000
QUANTILE_ERROR = 0.01
FLOAT_ERROR = 1e-9
SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


@functools.lru_cache(maxsize=None)
def micros(text):
    """Of an RFC 3339 time in UTC; exact."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    rest = (fraction + "000000")[:6]
    assert not fraction[6:].strip("0"), text
    return (moment - EPOCH) // datetime.timedelta(microseconds=1) + int(rest)


def span(text):
    return int(text[:-1]) * SPANS[text[-1]] * 1000000


def check(evidence):
    faults = []
    for site, events in evidence.streams.items():
        faults += check_stream(site, events, {name: sent for name, sent in evidence.sent.items() if site in ("centre", sent["site"])})
    events = evidence.streams["centre"]
    for name, rows in evidence.views.items():
        faults += check_view(name, rows, recompute(evidence.specs[name], events, evidence.groups))
    faults += check_twins(evidence.twins, events)
    return faults[:FAULTS_MAX]


# ---- a stream ----

def check_stream(site, events, sent):
    faults = check_offsets(site, events)
    expected = {event["uid"]: (event, batch["acked"]) for one in sent.values() for batch in one["batches"] for event in batch["events"]}
    seen = collections.Counter(event["body"]["uid"] if isinstance(event["body"], dict) else None for event in events)
    for event in events:
        faults += check_event(site, event, expected)
    for uid, (_, acked) in expected.items():
        if seen[uid] > 1:
            faults.append(f"{site}: event {uid} is there {seen[uid]} times")
        elif seen[uid] == 0 and acked:
            faults.append(f"{site}: event {uid} was acknowledged and is not there")
    return faults + check_order(site, events, sent)


def check_offsets(site, events):
    faults, expected = [], collections.Counter()
    for event in events:
        partition, offset = event["partition"], event["offset"]
        if offset != expected[partition]:
            faults.append(f"{site}: partition {partition}: offset {offset} where {expected[partition]} is next")
        expected[partition] = offset + 1
    return faults


def check_event(site, event, expected):
    body = event["body"]
    if not isinstance(body, dict) or body.get("uid") not in expected:
        return [f"{site}: nobody sent the event at partition {event['partition']}, offset {event['offset']}"]
    sent, _ = expected[body["uid"]]
    if body != sent:
        return [f"{site}: event {body['uid']} is not as it was sent: {body} for {sent}"]
    wanted = {"key": sent["sensor"], "type": sent["kind"], "origin": sent["gateway"]}
    if "seq" in sent:
        wanted["sequence"] = sent["seq"]
    wrong = [name for name, value in wanted.items() if event.get(name) != value]
    if micros(event["time"]) != micros(sent["at"]):
        wrong.append("time")
    return [f"{site}: event {body['uid']} has another {name}: {event.get(name)}" for name in wrong]


def check_order(site, events, sent):
    faults = []
    order, place = {}, {}
    for one in sent.values():
        numbers = collections.Counter()
        for batch in one["batches"]:
            for event in batch["events"]:
                order[event["uid"]] = numbers[event["sensor"]]
                numbers[event["sensor"]] += 1
    last = collections.defaultdict(lambda: -1)
    for event in events:
        key, uid = event["key"], event["body"].get("uid") if isinstance(event["body"], dict) else None
        if place.setdefault(key, event["partition"]) != event["partition"]:
            faults.append(f"{site}: key {key} is in the partitions {place[key]} and {event['partition']}")
        if uid not in order:
            continue
        if order[uid] < last[key]:
            faults.append(f"{site}: key {key}: event {uid} is out of order")
        last[key] = max(last[key], order[uid])
    return faults


# ---- views ----

def reading_of(body, path):
    """(there, value)"""
    for part in path.split("."):
        if not isinstance(body, dict) or part not in body:
            return False, None
        body = body[part]
    return not isinstance(body, (dict, list)), body


def row_key(spec, event, groups):
    if "group" in spec:
        return groups.get(event["key"])
    by = spec.get("by", "$key")
    return event[by[1:]] if by.startswith("$") else reading_of(event["body"], by)[1]


def recompute(spec, events, groups):
    """(start, key) → row; start is 0 without windows."""
    return recompute_windows(spec, events, groups) if "window" in spec else recompute_latest(spec, events, groups)


def recompute_latest(spec, events, groups):
    rows, times = {}, {}
    for event in events:
        key, time = row_key(spec, event, groups), micros(event["time"])
        for name, value in spec["values"].items():
            there, reading = reading_of(event["body"], value.get("of", name))
            if there and time >= times.get((key, name), time):
                times[key, name] = time
                rows.setdefault((0, key), {"key": key})[name] = {"value": reading, "time": time}
    return rows


class Window:
    def __init__(self, spec):
        self.corrections = 0
        self.readings = {name: [] for name in spec["values"]}  # (time, order, number)


def windows_of(spec, time):
    size = span(spec["window"])
    hop = span(spec.get("hop", spec["window"]))
    start = time - time % hop
    while start > time - size:
        yield start, start + size
        start -= hop


def recompute_windows(spec, events, groups):
    windows, latest = {}, {}
    lateness = span(spec.get("lateness", "10s"))
    for order, event in enumerate(events):
        partition, time = event["partition"], micros(event["time"])
        found = {name: reading_of(event["body"], value.get("of", name)) for name, value in spec["values"].items()}
        key = row_key(spec, event, groups)
        if key is not None and any(there for there, _ in found.values()):
            for start, end in windows_of(spec, time):
                window = windows.setdefault((start, key), Window(spec))
                window.corrections += partition in latest and end <= latest[partition] - lateness
                for name, (_, value) in found.items():
                    if isinstance(value, (int, float)) and not isinstance(value, bool):
                        window.readings[name].append((time, order, float(value)))
        latest[partition] = max(time, latest.get(partition, time))
    watermark = min(latest.values(), default=0) - lateness
    size = span(spec["window"])
    return {at: {"key": at[1], "start": at[0], "end": at[0] + size, "closed": at[0] + size <= watermark, "corrections": window.corrections,
                 **{name: aggregate(spec["values"][name]["as"], window.readings[name]) for name in spec["values"]}}
            for at, window in windows.items()}


def aggregate(wanted, readings):
    """Quantiles are given as the two readings between which they lie."""
    if not readings:
        return {"count": 0}
    numbers = sorted(number for _, _, number in readings)
    count = len(numbers)
    mean = math.fsum(numbers) / count
    found = {"count": count, "sum": math.fsum(numbers), "mean": mean, "min": numbers[0], "max": numbers[-1],
             "stddev": math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / count),
             "first": min(readings, key=lambda reading: reading[:2])[2], "last": max(readings, key=lambda reading: reading[:2])[2]}
    for name in wanted:
        if name.startswith("p"):
            rank = float(name[1:]) / 100 * (count - 1)
            found[name] = (numbers[math.floor(rank)], numbers[math.ceil(rank)])
    return {name: found[name] for name in wanted}


def check_view(view, rows, expected):
    faults, seen, before = [], set(), None
    for row in rows:
        at = (micros(row["start"]) if "start" in row else 0, row["key"])
        if at in seen:
            faults.append(f"view {view}: two rows of {at}")
        if before is not None and (at[0], at[1].encode()) < before:
            faults.append(f"view {view}: the row of {at} is out of order")
        seen.add(at)
        before = (at[0], at[1].encode())
        if at not in expected:
            faults.append(f"view {view}: a row of {at} that no event explains")
        else:
            faults += [f"view {view}: {at}: {what}" for what in compare_row(row, expected[at])]
    return faults + [f"view {view}: no row of {at}" for at in expected if at not in seen]


def compare_row(row, expected):
    for name in sorted(set(row) | set(expected)):
        if name not in row or name not in expected:
            yield f"`{name}` is {'missing' if name not in row else 'there'}"
        elif isinstance(expected[name], dict):
            yield from (f"{name}.{member} is {row[name].get(member)}, not {expected[name].get(member)}"
                        for member in sorted(set(row[name]) | set(expected[name]))
                        if not equal_values(member, row[name].get(member), expected[name].get(member), expected[name]))
        elif not equal_values(name, row[name], expected[name], {}):
            yield f"{name} is {row[name]}, not {expected[name]}"


def equal_values(name, value, expected, row):
    if name in ("time", "start", "end"):
        return value is not None and micros(value) == expected
    if isinstance(expected, tuple):
        low, high = (bound - error * abs(bound) for bound, error in zip(expected, (QUANTILE_ERROR, -QUANTILE_ERROR)))
        return isinstance(value, (int, float)) and low - FLOAT_ERROR <= value <= high + FLOAT_ERROR
    if name in ("sum", "mean", "stddev") and isinstance(value, (int, float)):
        scale = max(abs(expected), abs(row.get("mean", 0)), 1)
        return abs(value - expected) <= FLOAT_ERROR * scale * max(row.get("count", 1), 1)
    return type(value) is type(expected) and value == expected or \
        isinstance(value, (int, float)) and isinstance(expected, float) and value == expected


# ---- twins ----

def check_twins(twins, events):
    faults, newest = [], {}
    for event in events:
        before = newest.get(event["key"])
        if before is None or micros(event["time"]) >= micros(before["time"]):
            newest[event["key"]] = event
    for key, event in newest.items():
        if key not in twins:
            faults.append(f"twin {key} is not there")
        else:
            faults += [f"twin {key}: {what}" for what in compare_twin(twins[key], event)]
    return faults


def compare_twin(twin, event):
    for name in ("temp", "state", "n"):
        if twin.get(name) != event["body"][name]:
            yield f"{name} is {twin.get(name)}, not {event['body'][name]}, which is the newest ({event['time']})"
        source_time = twin["$metadata"].get(name, {}).get("sourceTime")
        if source_time is None or micros(source_time) != micros(event["time"]):
            yield f"{name} has the sourceTime {source_time}, not {event['time']}"
