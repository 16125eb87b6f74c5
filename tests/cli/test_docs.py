#!/usr/bin/env python3
"""What the documents show works: `gemel check` accepts every configuration in them, whole or in part, the guide's shop becomes twins,
commands and files that they name are there, and links lead somewhere.

A configuration is a fenced block marked `yaml`. What is only a part of one (a source, a map, the settings of `admin`) gets the rest put
around it. Models are the blocks marked `json` of the same document that define an interface; where a document has none, those of the
example named in EXAMPLES; else maps are not checked against models."""
import json
import pathlib
import re
import sqlite3

import gemel

EXAMPLES = {"README.md": "examples/minimal/models"}
ROOT = {"api", "blobs", "changes", "data", "endpoints", "event_source", "streams", "commands", "views", "models", "pipelines", "concurrency", "keep_runs", "admin", "log", "notify"}
PIPELINE = {"source", "steps", "map", "sink", "schedule", "full_every", "enabled", "missing", "errors", "retry"}
SOURCES = {"csv", "jsonl", "sql", "stream"}
SINKS = {"adt", "twins"}
THING = {"@context": "dtmi:dtdl:context;3", "@id": "dtmi:docs:Thing;1", "@type": "Interface", "contents": []}
MISSING_PARTS = {
    "source": "source: { csv: { path: things.csv, key: id } }\n",
    "map": "map: { $dtId: \"thing-{id}\", $model: \"dtmi:docs:Thing;1\" }\n",
    "sink": "sink: twins\n",
}


def documents():
    return [gemel.SOURCE / "README.md", gemel.SOURCE / "ARCHITECTURE.md", *sorted((gemel.SOURCE / "docs").rglob("*.md")),
            *sorted((gemel.SOURCE / "examples").rglob("*.md"))]


def blocks(path, language):
    """(line, text) of the fenced blocks in a language."""
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.S | re.M):
        yield text.count("\n", 0, match.start()) + 1, match[1]


def indented(text, depth):
    return re.sub(r"^(?=.)", " " * depth, text, flags=re.M)


def whole(block):
    """The block as a whole configuration, with the streams that its pipelines name."""
    configuration = filled(block)
    named = set(re.findall(r"\bstream:\s*{?\s*name: (\w+)", configuration))
    return configuration if re.search(r"^streams:", configuration, re.M) or not named else (
        configuration + f"streams: {{ {', '.join(f'{name}: {{}}' for name in sorted(named))} }}\n")


def filled(block):
    keys = set(re.findall(r"^([$\w]+)(?=:|\s*$)", block, re.M))
    if "pipelines" in keys:
        return block
    if keys and keys <= SINKS:
        block = "sink:\n" + indented(block, 2) if ":" in block else "sink: " + block
        keys = {"sink"}
    elif keys and keys <= SOURCES:
        block = "source:\n" + indented(block, 2)
        keys = {"source"}
    rest = "".join(part for key, part in MISSING_PARTS.items() if key not in keys)
    if keys and keys <= PIPELINE:
        return "pipelines:\n  example:\n" + indented(block + rest, 4)
    if keys and keys <= ROOT:
        return block + "pipelines:\n  example:\n" + indented(rest, 4)
    raise AssertionError(f"neither a configuration nor a part of one; its keys are {sorted(keys)}")


class Documents(gemel.Case):
    def write_models(self, path):
        """False: the document has none."""
        folder = self.folder / "models"
        folder.mkdir(exist_ok=True)
        models = [json.loads(text) for _, text in blocks(path, "json") if '"@id"' in text]
        example = EXAMPLES.get(path.name) if path.parent == gemel.SOURCE else None
        if example is not None:
            models += [json.loads(file.read_text(encoding="utf-8")) for file in (gemel.SOURCE / example).glob("*.json")]
        for number, model in enumerate([*models, THING]):
            self.write(f"models/{number}.json", json.dumps(model))
        return bool(models)

    def test_every_configuration_is_accepted(self):
        checked = 0
        for path in documents():
            for line, block in blocks(path, "yaml"):
                with self.subTest(document=path.name, line=line):
                    config = re.sub(r"^models:.*\n", "", whole(block), flags=re.M)
                    if self.write_models(path):
                        config = "models: ./models\n" + config
                    self.write("gemel.yaml", config)
                    self.gemel("check")
                    checked += 1
        self.assertGreater(checked, 10)

    def test_a_part_that_is_wrong_would_be_noticed(self):
        self.write("gemel.yaml", whole("missing: { delete_after_run: 3 }\n"))
        self.assertIn("delete_after_runs", self.gemel("check", expect=gemel.USAGE).err)

    def test_the_shop_of_the_guide_becomes_twins(self):
        guide = gemel.SOURCE / "docs/guide.md"
        database = sqlite3.connect(self.folder / "shop.db")
        for _, script in blocks(guide, "sql"):
            database.executescript(script)
        database.close()
        self.write_models(guide)
        configurations = [text for _, text in blocks(guide, "yaml") if "\npipelines:\n" in "\n" + text]
        self.write("gemel.yaml", configurations[0])
        for run in self.run_all().values():
            self.assertEqual((0, run.read), (run.parked, run.created))
        self.assertEqual(["hot", "tea"], sorted(self.twin("product-chai")["tags"]))
        self.assertIn(("product-tofu", "suppliedBy", "supplier-2"), self.relationships())
        self.assertEqual({"places": 12}, self.relationships()["product-chai", "standsOn", "shelf-A"])
        self.assertEqual([], self.gemel("waiting", "--json").json())

        # Another pipeline for the same twins.
        self.write("stock.csv", "sku,in_stock\nchai,5\nnori,7\n")
        self.write("gemel.yaml", configurations[0] + configurations[1].removeprefix("pipelines:\n"))
        runs = self.run_all()
        self.assertEqual((1, 1), (runs["stock"].created, runs["stock"].updated))
        self.assertEqual(0, runs["products"].written)
        self.assertEqual(("Chai", 5), tuple(self.twin("product-chai")[name] for name in ("name", "inStock")))

    def test_commands_that_are_shown_exist(self):
        names = {line.removeprefix("## gemel ")
                 for line in (gemel.SOURCE / "docs/reference/commands.md").read_text(encoding="utf-8").splitlines()
                 if line.startswith("## gemel ")}
        for path in documents():
            for shown in re.findall(r"(?:^|`)gemel ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", path.read_text(encoding="utf-8"), re.M):
                with self.subTest(document=path.name, command=shown):
                    first = shown.split()[0]
                    groups = {name.split()[0] for name in names if " " in name} - names
                    known = shown in names or first in names or first in groups and " " not in shown or first == "help"
                    self.assertTrue(known, f"there is no `gemel {shown}`")

    def test_links_lead_somewhere(self):
        for path in documents():
            text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
                with self.subTest(document=path.name, link=target):
                    self.assertTrue("://" in target or (path.parent / target).exists())

    def test_files_that_the_architecture_names_exist(self):
        text = (gemel.SOURCE / "ARCHITECTURE.md").read_text(encoding="utf-8")
        for name in set(re.findall(r"`((?:[a-z]+/)+[\w.]+\.[a-z]+)`", text)):
            with self.subTest(file=name):
                self.assertTrue((gemel.SOURCE / name).is_file() or (gemel.SOURCE / "src" / name).is_file())


if __name__ == "__main__":
    gemel.main()
