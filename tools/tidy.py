#!/usr/bin/env python3
"""Checks what a machine can of the project's conventions.

usage: tidy.py [--fix] [--only CHECK[,CHECK …]] [--list]

--fix wraps comments and applies .clang-format in place, then checks. A finding is waived on the spot by a comment
`/* tidy: CHECK: why */` on its line or right above it.
"""
import argparse
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from tidylib import checks, comments, external  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED_FOLDERS = {"build", "demo", ".git", "__pycache__"}


def list_paths():
    """The files of the project: what git knows or would add; all of them where there is no git."""
    try:
        said = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        paths = said.split("\0")
    except (OSError, subprocess.CalledProcessError):
        paths = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                 if not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in set(paths) if path and (ROOT / path).is_file())


def fix(paths):
    sources = [ROOT / path for path in paths if path.endswith((".c", ".h"))]
    tool, version = external.llvm_tool("clang-format")
    if version != external.LLVM_VERSION:
        sys.exit(f"tidy: --fix needs clang-format {external.LLVM_VERSION}; other versions lay out differently")
    for _ in range(2):  # code that clang-format breaks may leave room for a comment that was in the way
        for path in sources:
            before = path.read_text(encoding="utf-8")
            after = comments.fix(before)
            if after != before:
                path.write_text(after, encoding="utf-8")
        subprocess.run([tool, "-i", *map(str, sources)], check=True)


def main():
    available = {check.__name__.replace("_", "-"): check for check in [*checks.ALL, *external.ALL]}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--list", action="store_true", help="list the checks")
    parser.add_argument("--only", default="", help="names of checks, separated by commas")
    options = parser.parse_args()
    if options.list:
        for name, check in available.items():
            print(f"{name:16} {(check.__doc__ or '').strip().splitlines()[0] if check.__doc__ else ''}")
        return 0
    wanted = [name for name in options.only.split(",") if name] or list(available)
    unknown = [name for name in wanted if name not in available]
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}; there are {', '.join(available)}")

    started, paths = time.monotonic(), list_paths()
    if options.fix:
        fix(paths)
    project, cache = checks.Project(ROOT, paths), external.Cache(ROOT / "build/tidy")
    findings = []
    for name in wanted:
        if name == "waivers" and options.only:
            continue
        check = available[name]
        findings += check(project, cache) if check in external.ALL else check(project)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(paths)} files, {len(wanted)} checks, {len(findings)} findings, {time.monotonic() - started:.1f} s")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
