#!/usr/bin/env python3
"""gemel check: every mistake at once, each with its place, the nearest name and what to write."""
import json
import re

import gemel

HEAD = "data: ./data\nmodels: ./models\n"
GOOD = """pipelines:
  parts:
    source:
      sql: { url: "sqlite:erp.db", table: part, key: id }
    map:
      $dtId: "p-{id}"
      $model: "dtmi:t:Part;1"
      name: name
    sink: twins
    schedule: every 10m
"""


class Check(gemel.Case):
    def setUp(self):
        super().setUp()
        self.model("Part", {"name": "string", "unitPrice": "double"}, relationships=["madeBy"], components={"box": "Box"})
        self.model("Box", {"width": "double"})

    def errors(self, text, *arguments, env=None):
        """[(line, column, message)]"""
        self.write("gemel.yaml", text)
        done = self.gemel("check", *arguments, expect=gemel.USAGE, env=env)
        found = [(int(line), int(column), message) for line, column, message in
                 re.findall(r"^gemel\.yaml:(\d+):(\d+): error: (.*)$", done.out + done.err, re.M)]
        self.assertTrue(found, done)
        return found

    def assert_error(self, text, place, *words):
        """`place`: the text that the error's line and column point to."""
        errors = self.errors(text)
        lines = text.splitlines()
        pointed = [(lines[line - 1][column - 1:] if line <= len(lines) else "", message) for line, column, message in errors]
        for at, message in pointed:
            if at.startswith(place) and all(word in message for word in words):
                return
        self.fail(f"no error at {place!r} with {words}: {pointed}")

    def test_a_good_configuration_has_no_errors_and_makes_nothing(self):
        self.write("gemel.yaml", HEAD + GOOD)
        self.gemel("check")
        self.gemel("check", "gemel.yaml")
        self.gemel("check", "--json").json()
        self.assertEqual({"gemel.yaml", "models"}, {path.name for path in self.folder.iterdir()})

    def test_settings_that_are_wrong_are_told_with_place_and_cure(self):
        changes = [
            ("pipelines:", "pipelins:", "pipelins", "did you mean `pipelines`"),
            ("    source:", "    sorce:", "sorce", "did you mean `source`"),
            ("sql: {", "sqll: {", "sqll", "`sql`"),
            ("table: part", "tabel: part", "tabel", "did you mean `table`"),
            (", key: id", "", "", "key"),
            ("sink: twins", "sink: twin", "sink: twin", "twins"),
            ("every 10m", "every 10 parrots", "every 10 parrots", "10 parrots"),
            ("every 10m", "61 * * * *", "61 * * * *", "61"),
            ("      name: name", "      nmae: name", "nmae", "did you mean `name`"),
            ("dtmi:t:Part;1", "dtmi:t:Prat;1", '"dtmi:t:Prat;1"', "dtmi:t:Part;1"),
            ('$dtId: "p-{id}"', '$dtId: "p {id}"', '"p {id}"', "$dtId"),
            ('$dtId: "p-{id}"', '$dtId: "p-{id"', '"p-{id"', "$dtId"),
            ("      $model", "      $modle", "$modle", "did you mean `$model`"),
            ("sqlite:erp.db", "mysql://x/y", '"mysql://x/y"', "sqlite:PATH"),
            ("table: part, ", "table: part, query: SELECT 1, ", "", "exactly one"),
            ("      name: name", "      unitPrice: { from: p, type: strng }", "strng", "string"),
            ("      name: name", "      unitPrice: { form: p }", "form", "did you mean `from`"),
            ("      name: name", "      unitPrice: { from: p, template: x }", "{ from: p, template", "`unitPrice`", "exactly one of"),
            ("      name: name", "      box: { object: { widht: w } }", "widht", "did you mean `width`"),
            ("      name: name", "      relationships: [{ name: madBy, target: x }]", "madBy", "did you mean `madeBy`"),
            ("    sink: twins", "    steps: [{ filter: \"a = \" }]\n    sink: twins", "", "filter"),
            ("    sink: twins", "    steps: [{ jq: \".a |\" }]\n    sink: twins", "", "jq"),
            ("    sink: twins", "    sink: twins\n    missing: { max_share: 500% }", "500%", "max_share"),
            ("    sink: twins", "    sink: twins\n    missing: { delete_after_runs: 0 }", "0", "delete_after_runs"),
            ("    sink: twins", "    sink: twins\n    retry: { first: 5 parsecs }", "5 parsecs", "first"),
            ("    sink: twins", "    sink: twins\n    enabled: perhaps", "perhaps", "enabled"),
        ]
        for old, new, place, *words in changes:
            with self.subTest(new=new):
                self.assertIn(old, GOOD)
                self.assert_error(HEAD + GOOD.replace(old, new, 1), place, *words)

    def test_yaml_that_is_none_is_told_with_its_place(self):
        for text in ("pipelines: {", "pipelines:\n  a: 1\n  a: 2\n", "\tpipelines: 1\n", "a: b: c\n", "- 1\n", "x: &a [*a]\n", "pipelines: \"\xff\n"):
            with self.subTest(text=text):
                self.errors(text)

    def test_all_errors_are_reported_at_once(self):
        text = HEAD + GOOD.replace("table: part", "tabel: part").replace("every 10m", "sometimes").replace(
            "      name: name", "      nmae: name\n      unitPrize: p") + "concurency: 3\nlog: { level: loud }\n"
        errors = self.errors(text)
        joined = "\n".join(message for _, _, message in errors)
        for word in ("tabel", "sometimes", "nmae", "unitPrize", "concurency", "loud"):
            self.assertIn(word, joined)
        self.assertEqual(sorted(place[:2] for place in errors), [place[:2] for place in errors])
        self.assertEqual(len(set(errors)), len(errors), "told twice")

    def test_json_output_has_the_same_errors(self):
        self.write("gemel.yaml", HEAD + GOOD.replace("table: part", "tabel: part"))
        done = self.gemel("check", "--json", expect=gemel.USAGE)
        self.assertIn("tabel", json.dumps(done.json()))

    def test_models_that_are_wrong_are_told_with_their_file(self):
        self.write("gemel.yaml", HEAD + GOOD)
        self.write("models/Broken.json", '{"@context": "dtmi:dtdl:context;3", "@id": "dtmi:t:Broken;1", "@type": "Interfac"}')
        done = self.gemel("check", expect=gemel.USAGE)
        self.assertIn("Broken", done.out + done.err)
        self.write("models/Broken.json", '{"@context"')
        self.assertIn("Broken.json", (lambda done: done.out + done.err)(self.gemel("check", expect=gemel.USAGE)))

    def test_all_errors_of_the_models_are_told(self):
        self.write("gemel.yaml", HEAD + GOOD)
        self.write("models/Two.json", '{"@context": "dtmi:dtdl:context;3", "@id": "dtmi:t:Two;1", "@type": "Interface", "contents": ['
                   '{"@type": "Property", "name": "a", "schema": "double", "writable": 1}, {"@type": "Property", "name": "b"}]}')
        done = self.gemel("check", expect=gemel.USAGE)
        self.assertIn('dtmi:t:Two;1: property "a": writable is not true or false\n', done.err)
        self.assertIn('dtmi:t:Two;1: property "b": no "schema"; add it\n', done.err)
        errors = self.gemel("check", "--json", expect=gemel.USAGE).json()
        self.assertEqual(["booleanNotBoolean", "missingObjectProperty"], [error["kind"] for error in errors])
        self.assertEqual("dtmi:t:Two:_contents:__b;1", errors[1]["element"])
        self.assertEqual("schema", errors[1]["property"])

    def test_a_configuration_that_is_not_there_is_told(self):
        self.assertIn("gemel.yaml", self.gemel("check", expect=None).err)
        self.assertIn("nowhere.yaml", self.gemel("check", "nowhere.yaml", expect=None).err)
        self.assertNotEqual(gemel.DONE, self.gemel("check", expect=None).code)

    def test_secrets_are_looked_up_on_demand_and_never_shown(self):
        secret = "hunter2-and-more"
        text = HEAD + GOOD.replace("sqlite:erp.db", "postgresql://me@nowhere.invalid/erp").replace(
            "table: part", 'password: "${env:PART_PASSWORD}", tabel: part')
        self.write("gemel.yaml", HEAD + GOOD.replace('url: "sqlite:erp.db"', 'url: "postgresql://me@nowhere.invalid/erp", password: "${env:PART_PASSWORD}"'))
        self.gemel("check")
        self.assertIn("PART_PASSWORD", (lambda done: done.out + done.err)(self.gemel("check", "--resolve", expect=gemel.USAGE)))
        self.gemel("check", "--resolve", env={"PART_PASSWORD": secret})
        self.write("gemel.yaml", text)
        done = self.gemel("check", "--resolve", expect=gemel.USAGE, env={"PART_PASSWORD": secret})
        self.assertNotIn(secret, done.out + done.err)
        self.write("secret.txt", secret + "\n")
        self.write("gemel.yaml", text.replace("${env:PART_PASSWORD}", "${file:secret.txt}").replace("tabel", "table"))
        self.gemel("check", "--resolve")
        self.write("gemel.yaml", HEAD + GOOD.replace("sqlite:erp.db", f"postgresql://me:{secret}@host:port/erp"))
        done = self.gemel("check", expect=None)
        self.assertNotIn(secret, done.out + done.err)
        self.write("gemel.yaml", text.replace("${env:PART_PASSWORD}", "${vault:x}").replace("tabel", "table"))
        self.assertIn("${env:NAME}", (lambda done: done.out + done.err)(self.gemel("check", expect=gemel.USAGE)))

    def test_run_refuses_what_check_refuses(self):
        self.write("gemel.yaml", HEAD + GOOD.replace("table: part", "tabel: part"))
        done = self.gemel("run", "--once", expect=gemel.USAGE)
        self.assertIn("did you mean `table`", done.err)
        self.assertFalse((self.folder / "data").exists())


if __name__ == "__main__":
    gemel.main()
