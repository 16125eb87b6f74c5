"""Brings comments to width, with more care than clang-format's reflow, which tears examples and tables apart: a trailing
comment that does not fit goes above its line, prose that does not fit flows into the next line of its paragraph, and
examples are left to a person."""
import re

from .checks import COLUMNS_MAX

TRAILING = re.compile(r"^(?P<indent>\s*)(?P<code>\S.*?)\s*/\*(?P<text>(?:(?!\*/).)*)\*/\s*(?P<tail>\\?)$")
CODE = re.compile(r"[;{}]|//|\s#\s|=>|->")
HANGING_MAX = 24
GAP = re.compile(r"\S(\s\s+)\S")


def fix(text):
    lines = text.split("\n")
    lines = [out for line in lines for out in lift_trailing(line)]
    return "\n".join(wrap_blocks(lines))


def lift_trailing(line):
    found = TRAILING.match(line) if len(line) > COLUMNS_MAX else None
    if not found or found["tail"] or found["code"].lstrip().startswith(("/*", "*", "//", "#")):
        return [line]
    return [f"{found['indent']}/*{found['text'].rstrip()} */", found["indent"] + found["code"]]


def wrap_blocks(lines):
    """Lines of comments that stand alone start with `/*` or ` *`; both leave three columns for the mark."""
    out, inside, hanging, queue = [], False, -1, list(lines)
    while queue:
        line = queue.pop(0)
        start = re.match(r"^(\s*)/\*(?!\*)", line)
        if not inside and start:
            inside, indent, hanging = True, start[1], -1
        if not inside:
            out.append(line)
            continue
        if "*/" in line:
            inside = False
        hanging = hanging_column(line, hanging)
        if len(line) > COLUMNS_MAX:
            line, rest = split_line(line, indent, hanging)
            if rest is not None:
                inside = True
                push_rest(queue, rest, f"{indent} * " + " " * hanging)
        out.append(line)
    return out


def content_of(line):
    """(where the text starts, the text) behind a comment's mark."""
    mark = re.match(r"^\s*(/\*| \*) ?", line)
    return (mark.end(), line[mark.end():]) if mark else (0, line)


def hanging_column(line, previous):
    """The column, behind the mark, at which the line's paragraph goes on; -1: it is an example or a table."""
    _, content = content_of(line)
    depth = len(content) - len(content.lstrip())
    gap = GAP.search(content)
    if depth == 0:
        return 0
    if gap and gap.end(1) < HANGING_MAX and not (depth >= 4 and CODE.search(content)):
        return gap.end(1)  # "  word  what it means, which goes on below the w of what"
    if depth == previous or depth < 4:
        return depth
    return -1


def split_line(line, indent, hanging):
    """(what fits, the rest); (line, None) when it cannot or must not be split."""
    start, content = content_of(line)
    if hanging < 0 or (hanging == 0 and content.startswith("*/")):
        return line, None
    cut = line.rfind(" ", len(indent) + 3 + hanging, COLUMNS_MAX + 1)
    if cut <= start + hanging:
        return line, None
    if line[cut:].strip() == "*/":
        cut = line.rfind(" ", 0, cut)
    return line[:cut].rstrip(), line[cut:].strip()


def push_rest(queue, rest, prefix):
    """Into the next line when that goes on with the paragraph, else as a line of its own."""
    following = queue[0][len(prefix):] if queue and queue[0].startswith(prefix) else ""
    joins = following[:1].strip() and not rest.endswith("*/") and not following.startswith(("- ", "*/", "/"))
    if joins and not GAP.search(following):
        queue[0] = f"{prefix}{rest} {following}"
    else:
        queue.insert(0, prefix + rest)
