"""C text as the checks need it: code without comments, strings, functions, waivers.

This is no parser. It relies on the layout that clang-format gives and is checked before: one declaration after the other at
depth 0, preprocessor directives on lines of their own.
"""
import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<char>'(?:\\.|[^'\\\n])*')""", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"(?P<own>[^"]+)"|<(?P<system>[^>]+)>)', re.M)
WAIVER = re.compile(r"tidy:\s*([a-z-]+)\s*(?::\s*(.*?))?\s*(?:\*/)?$", re.S)
ATTRIBUTE = re.compile(r"(__attribute__|GM_PRINTF)\s*\(")
NAME_CALL = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
TYPE_BLOCK = re.compile(r"\b(struct|union|enum)\b[^()]*$")


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int
    parameter_count: int
    defined: bool


@dataclass
class Waiver:
    check: str
    reason: str
    first_line: int
    last_line: int
    used: bool = False


@dataclass
class Source:
    path: str          # relative to the project's folder, with '/'
    text: str
    code: str = ""     # comments, contents of strings, and directives are blank; offsets and lines stay
    strings: list = field(default_factory=list)    # (line, text) with adjacent literals joined
    includes: list = field(default_factory=list)   # (line, name, is_system)
    waivers: list = field(default_factory=list)
    functions: list = field(default_factory=list)

    @property
    def part(self):
        """`twin` for src/twin/…; empty outside src/."""
        steps = self.path.split("/")
        return steps[1] if len(steps) > 2 and steps[0] == "src" else ""

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def waived(self, check, line):
        """True when a comment `tidy: CHECK: why` stands on the line or ends right above it."""
        for waiver in self.waivers:
            if waiver.check == check and waiver.first_line <= line <= waiver.last_line + 1:
                waiver.used = True
                return True
        return False


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def read(path, text):
    source = Source(path, text)
    out, at, previous_end = [], 0, -1
    for token in TOKEN.finditer(text):
        out.append(text[at:token.start()])
        at = token.end()
        if token["comment"]:
            add_waiver(source, token)
            out.append(blank(token[0]))
        elif token["string"]:
            literal = token[0][1:-1]
            if source.strings and not text[previous_end:token.start()].strip():
                source.strings[-1] = (source.strings[-1][0], source.strings[-1][1] + literal)
            else:
                source.strings.append((source.line_at(token.start()), literal))
            previous_end = token.end()
            out.append('"' + blank(literal) + '"')
        else:
            out.append("' '".ljust(len(token[0])))
    out.append(text[at:])
    with_directives = "".join(out)
    source.code = DIRECTIVE.sub(lambda found: blank(found[0]), with_directives)
    for found in INCLUDE.finditer(text):
        source.includes.append((source.line_at(found.start()), found["own"] or found["system"], bool(found["system"])))
    source.functions = list(find_functions(source))
    return source


def add_waiver(source, token):
    for found in re.finditer(r"tidy:\s*[a-z-]+.*", token[0], re.S):
        name, reason = WAIVER.match(found[0]).groups()
        source.waivers.append(Waiver(name, (reason or "").strip(), source.line_at(token.start()),
                                     source.line_at(token.end() - 1)))


def find_functions(source):
    """Walks the declarations at depth 0: what ends with ';' may be a prototype, what opens '{' a definition."""
    code, depth, start, opened = source.code, 0, 0, None
    for at, char in enumerate(code):
        if char == "{":
            if depth == 0:
                opened = parse_head(source, start, at)
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                if opened:
                    opened.last_line, opened.defined = source.line_at(at), True
                    yield opened
                    start = at + 1
                elif TYPE_BLOCK.search(code[start:code.index("{", start)]) is None:
                    start = at + 1
                opened = None
        elif char == ";" and depth == 0:
            if "{" not in code[start:at]:
                prototype = parse_head(source, start, at)
                if prototype:
                    yield prototype
            start = at + 1


def parse_head(source, start, end):
    """The function that code[start:end] declares, or None."""
    head = source.code[start:end]
    attribute = ATTRIBUTE.search(head)
    signature = head[:attribute.start()] if attribute else head
    name = NAME_CALL.search(signature)
    if not name or "=" in signature or re.match(r"\s*(typedef|_Static_assert)\b", signature):
        return None
    if TYPE_BLOCK.search(signature[name.end():].rpartition(")")[2]):
        return None
    first = start + len(head) - len(head.lstrip())
    return Function(name[1], source.line_at(first), source.line_at(end), count_parameters(signature, name.end()), False)


def count_parameters(signature, at):
    """Counts the commas between the parentheses that open before `at`."""
    depth, count, text = 1, 1, []
    for char in signature[at:]:
        depth += (char in "([{") - (char in ")]}")
        if depth == 0:
            break
        count += depth == 1 and char == ","
        text.append(char)
    parameters = "".join(text).strip()
    if parameters in ("", "void"):
        return 0
    return count - parameters.endswith("...")
