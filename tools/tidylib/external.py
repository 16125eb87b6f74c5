"""Checks by other programs: lone headers (gcc), clang-format, clang-tidy. What passed is remembered by content under
build/tidy/, so that a second run costs only the hashing."""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess

from .checks import Finding

LLVM_VERSION = 14  # whose layout and checks are the project's; others may differ in details
DIAGNOSTIC = re.compile(r"^(.+?):(\d+):\d+: (?:warning|error): (.*)$", re.M)


class Cache:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def passed(self, key):
        return (self.folder / key).exists()

    def add(self, key):
        (self.folder / key).touch()


def digest(*parts):
    state = hashlib.sha256()
    for part in parts:
        state.update(part.encode() if isinstance(part, str) else part)
        state.update(b"\0")
    return state.hexdigest()[:32]


def run(command, cwd):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def llvm_tool(name):
    """(path, major version); (None, 0) when it is not installed."""
    path = shutil.which(f"{name}-{LLVM_VERSION}") or shutil.which(name)
    if not path:
        return None, 0
    found = re.search(r"version (\d+)", run([path, "--version"], None)[1])
    return path, int(found[1]) if found else 0


class Includes:
    """Contents of a file and of all project headers it includes, for cache keys."""

    def __init__(self, root, folders):
        self.root, self.folders, self.known = root, folders, {}

    def of(self, path):
        seen, waiting = set(), [path]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            waiting += self.direct(one)
        return digest(*(str(self.known[one][0]) for one in sorted(seen)))

    def direct(self, path):
        if path not in self.known:
            text = path.read_text(encoding="utf-8")
            names = re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M)
            found = [next((folder / name for folder in [path.parent, *self.folders] if (folder / name).is_file()), None)
                     for name in names]
            self.known[path] = digest(text), [one.resolve() for one in found if one]
        return self.known[path][1]


def compile_commands(root):
    """Path relative to the root → list of arguments without output and input, of the dev preset."""
    database = root / "build/dev/compile_commands.json"
    if not database.exists():
        return {}
    commands = {}
    for entry in json.loads(database.read_text()):
        arguments = shlex.split(entry["command"])
        kept = [one for one in arguments[1:] if one.startswith(("-I", "-D", "-std", "-W", "-f", "-isystem"))]
        commands[os.path.relpath(entry["file"], root)] = kept
    return commands


def parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for findings in pool.map(function, items):
            yield from findings


def headers(project, cache):
    """Every header compiles alone."""
    flags = sorted({flag for flags in compile_commands(project.root).values() for flag in flags
                    if flag.startswith(("-I", "-D", "-std", "-W"))} - {"-Werror"})
    folders = [project.root / "src"] + [project.root / flag[2:] for flag in flags if flag.startswith("-I")]
    includes = Includes(project.root, folders)

    def check(source):
        key = "header-" + digest(includes.of((project.root / source.path).resolve()), *flags)
        if cache.passed(key):
            return []
        code, said = run(["gcc", "-fsyntax-only", "-Werror", "-x", "c", *flags, source.path], project.root)
        if code == 0:
            cache.add(key)
            return []
        first = DIAGNOSTIC.search(said)
        return [Finding(source.path, int(first[2]) if first else 1, "headers",
                        f"does not compile alone: {first[3] if first else said.strip()}")]

    own = [source for source in project.sources if source.path.startswith("src/") and source.path.endswith(".h")]
    yield from parallel(check, own)


def layout(project, _cache):
    """.clang-format is applied."""
    tool, version = llvm_tool("clang-format")
    if version != LLVM_VERSION:
        print(f"tidy: layout not checked: clang-format {LLVM_VERSION} is not here")
        return
    paths = [source.path for source in project.sources]
    for start in range(0, len(paths), 50):
        _, said = run([tool, "--dry-run", "-Werror", *paths[start:start + 50]], project.root)
        seen = set()
        for found in DIAGNOSTIC.finditer(said):
            if found[1] not in seen:
                seen.add(found[1])
                yield Finding(found[1], int(found[2]), "layout", "not as clang-format has it: ./dev tidy --fix")


def clang_tidy(project, cache):
    """clang-tidy with .clang-tidy over src/ and bench/."""
    tool, version = llvm_tool("clang-tidy")
    if not tool:
        print("tidy: clang-tidy is not here: ./dev deps check")
        return
    commands = compile_commands(project.root)
    config = (project.root / ".clang-tidy").read_text()
    includes = Includes(project.root, [project.root / "src", *generated_folders(project.root)])

    def check(source):
        key = "clang-tidy-" + digest(includes.of((project.root / source.path).resolve()), config, str(version),
                                     *commands[source.path])
        if cache.passed(key):
            return []
        code, said = run([tool, "-p", "build/dev", "--quiet", source.path], project.root)
        findings = [Finding(os.path.relpath(found[1], project.root), int(found[2]), "clang-tidy", found[3])
                    for found in DIAGNOSTIC.finditer(said)]
        if code == 0 and not findings:
            cache.add(key)
        elif not findings:
            findings = [Finding(source.path, 1, "clang-tidy", said.strip()[-300:])]
        return findings

    own = [source for source in project.sources if source.path in commands and source.path.startswith(("src/", "bench/"))]
    findings = list({str(one): one for one in parallel(check, own)}.values())
    if version != LLVM_VERSION and findings:
        print(f"tidy: {len(findings)} remarks by clang-tidy {version}; the project's is {LLVM_VERSION}: passed over")
        return
    yield from findings


def generated_folders(root):
    return [path for path in (root / "build/dev/generated").glob("*") if path.is_dir()]


ALL = [headers, layout, clang_tidy]
