#!/usr/bin/env python3
"""Turns a part's SQL statements into C strings.

usage: embed_sql.py PART SQL_FOLDER OUTPUT_FOLDER

SQL_FOLDER/twin_get.sql becomes `extern const char GM_SQL_TWIN_GET[]` in PART_sql.h. A statement that differs between the
engines stands in two files, twin_get.sqlite.sql and twin_get.postgresql.sql, and becomes two strings with the suffixes
_SQLITE and _POSTGRESQL. gm_PART_statements lists them all, for the test that prepares each on each engine.
Comment lines (`-- …`) are for the reader of the file and are left out.
"""
import pathlib
import sys

ENGINES = {"sqlite": "GM_DB_SQLITE", "postgresql": "GM_DB_POSTGRESQL"}


def read_statement(path):
    lines = [line.strip() for line in path.read_text().splitlines()]
    text = " ".join(line for line in lines if line and not line.startswith("--")).rstrip("; ")
    if not text:
        sys.exit(f"{path}: no statement")
    return text.replace("\\", "\\\\").replace('"', '\\"')


def main():
    part, source, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    statements = []
    for path in sorted(source.glob("*.sql")):
        stem, _, engine = path.name[: -len(".sql")].partition(".")
        if engine and engine not in ENGINES:
            sys.exit(f"{path}: the engine must be one of {', '.join(ENGINES)}")
        symbol = "GM_SQL_" + stem.upper() + (f"_{engine.upper()}" if engine else "")
        statements.append((symbol, stem, engine, read_statement(path)))
    guard = f"GM_{part.upper()}_SQL_H"
    header = [
        "/* Generated from the statements beside it by tools/embed_sql.py. */",
        f"#ifndef {guard}", f"#define {guard}", '#include "db/statement.h"',
        *(f"extern const char {symbol}[];" for symbol, *_ in statements),
        f"extern const struct gm_statement gm_{part}_statements[]; /* ends with a NULL name */",
        "#endif", "",
    ]
    code = [f'#include "{part}_sql.h"', ""]
    code += [f'const char {symbol}[] = "{text}";' for symbol, _, _, text in statements]
    code += ["", f"const struct gm_statement gm_{part}_statements[] = {{"]
    for symbol, stem, engine, _ in statements:
        only = f"1u << {ENGINES[engine]}" if engine else "GM_STATEMENT_BOTH"
        code.append(f'    {{"{stem}", {symbol}, {only}}},')
    code += ["    {0, 0, 0},", "};", ""]
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{part}_sql.h").write_text("\n".join(header))
    (target / f"{part}_sql.c").write_text("\n".join(code))


main()
