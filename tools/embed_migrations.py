#!/usr/bin/env python3
"""Compiles the store's migrations in.

usage: embed_migrations.py MIGRATIONS_FOLDER OUTPUT_FILE

Each step is two files, NNNN_name.sqlite.sql and NNNN_name.postgresql.sql, numbered from 0001 without gaps; a file holds any
number of statements. Published files are never edited: stores have run them. OUTPUT_FILE defines gm_migrations
(src/db/migrate.h). Comment lines are left out; the text is written as numbers, because C bounds the length of a string.
"""
import pathlib
import re
import sys

ENGINES = ("sqlite", "postgresql")


def read_statements(path):
    lines = [line.rstrip() for line in path.read_text().splitlines()]
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("--")) + "\n"


def find_migrations(folder):
    found = {}
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.(\w+)\.sql", path.name)
        if match is None or match[3] not in ENGINES:
            sys.exit(f"{path}: the name must be NNNN_name.ENGINE.sql, ENGINE one of {', '.join(ENGINES)}")
        files = found.setdefault((int(match[1]), match[2]), {})
        files[match[3]] = path
    for place, ((version, name), files) in enumerate(sorted(found.items()), start=1):
        if version != place:
            sys.exit(f"{folder}: version {version:04} ({name}) stands where {place:04} is expected")
        for engine in ENGINES:
            if engine not in files:
                sys.exit(f"{folder}: {version:04}_{name}.{engine}.sql is missing")
    return sorted(found.items())


def main():
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    code = ["/* Generated from src/db/migrations by tools/embed_migrations.py. */", '#include "db/migrate.h"', ""]
    rows = []
    for (version, name), files in find_migrations(folder):
        symbols = []
        for engine in ENGINES:
            symbol = f"{engine}_{version:04}"
            numbers = [*read_statements(files[engine]).encode(), 0]
            code.append(f"static const char {symbol}[] = {{")
            code += ["    " + ", ".join(map(str, numbers[i:i + 24])) + "," for i in range(0, len(numbers), 24)]
            code.append("};")
            symbols.append(f"[GM_DB_{engine.upper()}] = {symbol}")
        rows.append(f'    {{{version}, "{name}", {{{", ".join(symbols)}}}}},')
    code += ["", "const struct gm_migration gm_migrations[] = {", *rows, "    {0, 0, {0}},", "};", ""]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(code))


main()
