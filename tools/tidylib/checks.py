"""Our own rules, as CONVENTIONS has them. Each check takes the project and yields findings."""
import pathlib
import re
import socket
from dataclasses import dataclass

from . import source as c

FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 100
PARAMETERS_MAX = 5
COLUMNS_MAX = 100

# A foreign library is included where its part begins and nowhere else.
LIBRARY_PARTS = {
    "xxhash.h": {"base"}, "yyjson.h": {"json"}, "libfyaml.h": {"conf"}, "sqlite3.h": {"db"}, "libpq-fe.h": {"db"},
    "zstd.h": {"twin", "connect", "stream", "net"}, "zlib.h": {"connect", "cli", "net"}, "jq.h": {"step"}, "jv.h": {"step"},
    "curl/curl.h": {"net"}, "microhttpd.h": {"net"}, "mosquitto.h": {"net"}, "mqtt_protocol.h": {"net"}, "gnutls/gnutls.h": {"net", "auth"},
    "gnutls/abstract.h": {"net", "auth"}, "gnutls/crypto.h": {"net", "auth"}, "gnutls/x509.h": {"net", "auth"},
}
# The operating system is behind src/os.
SYSTEM_HEADERS = re.compile(r"^(unistd|fcntl|dirent|poll|pthread|signal|spawn|termios|threads)\.h$|^sys/")

UNSAFE = "strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atof strtol strtoul strtoll strtoull " \
         "strtod alloca gmtime localtime ctime asctime rand srand setlocale scanf sscanf fscanf system popen tmpnam"
# call → parts of src/ that may use it
RESERVED = {
    **dict.fromkeys("malloc calloc realloc reallocarray aligned_alloc posix_memalign strdup strndup free abort".split(),
                    {"base"}),
    **dict.fromkeys("getenv secure_getenv time clock_gettime gettimeofday nanosleep usleep sleep fopen open openat fork "
                    "execv execve rename unlink mkdir rmdir signal sigaction pthread_create".split(), {"os"}),
    **dict.fromkeys("exit _exit quick_exit".split(), {"cli", "os"}),
}
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")

SQL = re.compile(r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|REPLACE\s+INTO\s"
                 r"|CREATE\s+(TABLE|INDEX|UNIQUE|VIEW|TEMP)|ALTER\s+TABLE|DROP\s+(TABLE|INDEX|VIEW)|PRAGMA\s|WITH\s+\w+\s+AS)")
# The planner turns queries into SQL; the engines behind src/db have commands of their own.
SQL_BUILDERS = re.compile(r"^src/(twin/query_\w+\.c|db/)")

# Shell and build files have no reason to name any address.
NO_URLS = re.compile(r"^(dev|\.ci/.*|cmake/.*|tools/.*|.*CMakeLists\.txt|CMakePresets\.json)$")
MACHINE_PATH = re.compile(r"(?<![\w.\-{}$)])/(work|home|root|Users)/\w")


@dataclass
class Finding:
    path: str
    line: int
    check: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.check}: {self.text}"


class Project:
    def __init__(self, root, paths):
        self.root = root
        self.paths = paths
        self.sources = [c.read(path, (root / path).read_text(encoding="utf-8"))
                        for path in paths if path.endswith((".c", ".h"))]
        self.ranks = read_ranks(root / "ARCHITECTURE.md")


def read_ranks(path):
    found = re.findall(r"^\s*(\d+)\s+src/(\w+)/", path.read_text(encoding="utf-8"), re.M)
    return {part: int(rank) for rank, part in found}


def waivable(check):
    """Drops the findings that a waiver on the spot covers."""
    def run(project):
        for source in project.sources:
            for line, text in check(project, source):
                if not source.waived(check.__name__.replace("_", "-"), line):
                    yield Finding(source.path, line, check.__name__.replace("_", "-"), text)
    run.__name__ = check.__name__
    return run


@waivable
def ranks(project, source):
    """An include points to a lower rank or to the own folder; from one connector never to another."""
    part = source.part
    if not part:
        return
    if part not in project.ranks:
        yield 1, f"src/{part}/ has no rank: add it to the table of ARCHITECTURE.md"
        return
    for line, name, is_system in source.includes:
        if is_system:
            continue
        other = re.sub(r"_sql\.h$", "", name) if "/" not in name else name.split("/")[0]
        if other not in project.ranks:
            yield line, f'"{name}" is in no part: write PART/NAME.h'
        elif other != part and project.ranks[other] >= project.ranks[part]:
            yield line, f"{part} (rank {project.ranks[part]}) includes {name} (rank {project.ranks[other]}): " \
                        "only a lower rank may be included"
        elif crosses_connectors(source.path, name):
            yield line, f"a connector includes another one's {name}: move what both need down, or pass it in"


def crosses_connectors(path, name):
    own, other = path.split("/"), name.split("/")
    return own[1] == "connect" and len(own) > 3 and other[0] == "connect" and len(other) > 2 and own[2] != other[1]


@waivable
def libraries(_project, source):
    """Foreign libraries and the operating system stay behind the part that owns them."""
    for line, name, is_system in source.includes:
        if not source.part or not is_system:
            continue
        parts = LIBRARY_PARTS.get(name, {"os"} if SYSTEM_HEADERS.match(name) else None)
        if parts and source.part not in parts:
            yield line, f"<{name}> belongs to {' and '.join(sorted('src/' + part for part in parts))}"


@waivable
def calls(_project, source):
    """Functions that are banned everywhere, and those that one part keeps to itself."""
    unsafe = set(UNSAFE.split())
    for found in CALL.finditer(source.code):
        name = found[1]
        if name in unsafe:
            yield source.line_at(found.start()), f"{name}() is banned (CONVENTIONS section 6)"
        elif source.part and name in RESERVED and source.part not in RESERVED[name]:
            parts = " and ".join(sorted("src/" + part for part in RESERVED[name]))
            yield source.line_at(found.start()), f"{name}() is for {parts} only"


@waivable
def file_length(_project, source):
    """A file has one subject."""
    count = source.text.count("\n")
    if count > FILE_LINES_MAX:
        yield 1, f"{count} lines; at most {FILE_LINES_MAX}"


@waivable
def function_length(_project, source):
    """A function fits a screen."""
    for function in source.functions:
        count = function.last_line - function.first_line + 1
        if function.defined and count > FUNCTION_LINES_MAX:
            yield function.first_line, f"{function.name} has {count} lines; at most {FUNCTION_LINES_MAX}"


@waivable
def params(_project, source):
    """More parameters mean a struct."""
    for function in source.functions:
        if function.parameter_count > PARAMETERS_MAX:
            yield function.first_line, f"{function.name} has {function.parameter_count} parameters; " \
                                       f"at most {PARAMETERS_MAX}: make a struct of them"


@waivable
def width(_project, source):
    """Lines are at most 100 columns wide."""
    for number, line in enumerate(source.text.split("\n"), 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns; at most {COLUMNS_MAX} (./dev tidy --fix wraps prose and trailing comments)"


@waivable
def sql(_project, source):
    """Statements stand in .sql files."""
    if not source.part or SQL_BUILDERS.match(source.path):
        return
    for line, text in source.strings:
        if SQL.match(text):
            yield line, f"SQL in C: move `{text.strip()[:40]}…` to src/{source.part}/sql/"


def waivers(project):
    """A waiver says why, and is needed. Runs last."""
    names = {check.__name__.replace("_", "-") for check in ALL}
    for source in project.sources:
        for waiver in source.waivers:
            if waiver.check not in names:
                yield Finding(source.path, waiver.first_line, "waivers", f"there is no check `{waiver.check}`")
            elif not waiver.reason:
                yield Finding(source.path, waiver.first_line, "waivers", f"say why: tidy: {waiver.check}: …")
            elif not waiver.used:
                yield Finding(source.path, waiver.first_line, "waivers", f"`tidy: {waiver.check}` waives nothing")


def neutral(project):
    """Nothing in the repository names the machine it was written on, or a place to fetch from."""
    host = socket.gethostname()
    for path in project.paths:
        try:
            text = (project.root / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            found = MACHINE_PATH.search(line)
            if found:
                yield Finding(path, number, "neutral", f"a path of one machine: {found[0]}…")
            if NO_URLS.match(path) and re.search(r"\b(https?|ftp)://\w", line):
                yield Finding(path, number, "neutral", "an address in a script: use what the machine is set up with")
            if len(host) > 5 and "-" in host and host in line:
                yield Finding(path, number, "neutral", "the name of this machine")


def whitespace(project):
    """Text files end with a newline and have no trailing blanks."""
    for path in project.paths:
        try:
            text = pathlib.Path(project.root / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        if "fixtures/" in path or "corpus/" in path:
            continue
        if text and not text.endswith("\n"):
            yield Finding(path, text.count("\n") + 1, "whitespace", "no newline at the end")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield Finding(path, number, "whitespace", "blanks at the end of the line")


ALL = [ranks, libraries, calls, file_length, function_length, params, width, sql, neutral, whitespace, waivers]
