#!/usr/bin/env python3
"""gemel models: here, and where a `gemel run` has the data directory."""
import json

import adt
import gemel
from adt import interface, twin


class Models(adt.Case):
    def setUp(self):
        super().setUp()
        (self.folder / "onto/deep").mkdir(parents=True)
        self.write("onto/a.json", json.dumps([interface("Whole", components={"part": "Part"}), interface("Room")]))
        self.write("onto/deep/b.json", json.dumps(interface("Part", extends="dtmi:t:Base;1")))
        self.write("onto/z.json", json.dumps(interface("Base")))

    def models(self, *arguments, expect=gemel.DONE):
        return self.gemel("models", *arguments, expect=expect)

    def listed(self, *arguments):
        return [model["id"] for model in json.loads(self.models(*arguments, "--json").out)]

    def check_all(self):
        uploaded = json.loads(self.models("upload", "onto", "--json").out)
        self.assertEqual({"given": 4, "added": 4}, uploaded)
        self.assertIn("0 models uploaded; 4 were there already", self.models("upload", "onto/a.json", "onto/deep", "onto/z.json").out)
        self.assertEqual(4, len(self.listed()))
        self.assertEqual({"dtmi:t:Base;1", "dtmi:t:Part;1", "dtmi:t:Whole;1"}, set(self.listed("dtmi:t:Whole;1")))
        self.assertEqual(interface("Base"), json.loads(self.models("show", "dtmi:t:Base;1").out))

        self.write("other.json", json.dumps(interface("Base", properties={"p": "string"})))
        self.assertIn("another definition", self.models("upload", "other.json", expect=gemel.FAILED).err)
        self.write("bad.json", json.dumps([interface("New"), interface("Bad", properties={"p": "nothing"})]))
        self.assertIn("dtmi:t:Bad;1", self.models("upload", "bad.json", expect=gemel.FAILED).err)
        self.assertEqual(4, len(self.listed()))

        self.assertIn("dtmi:t:Part;1", self.models("decommission", "dtmi:t:Base;1", expect=gemel.FAILED).err)
        self.models("decommission", "dtmi:t:Room;1")
        self.assertIn("decommissioned", self.models().out)
        self.models("decommission", "--undo", "dtmi:t:Room;1")
        self.assertIn("dtmi:t:Whole;1", self.models("delete", "dtmi:t:Part;1", expect=gemel.FAILED).err)
        for name in ("Whole", "Part", "Room"):
            self.models("delete", f"dtmi:t:{name};1")
        self.assertEqual(["dtmi:t:Base;1"], self.listed())
        self.models("delete", "dtmi:t:Nothing;1", expect=gemel.FAILED)

    def test_in_a_directory_that_nobody_has(self):
        self.configure({})
        self.check_all()

    def test_into_a_service(self):
        server = self.serve()
        (self.folder / "token").write_text(server.token + "\n")
        there = ["--url", server.url + "/", "--token-file", "token", "--ca-file", str(server.authority)]
        self.write("onto/deep/many.json", json.dumps([interface(f"M{i:03}", extends=f"dtmi:t:M{i - 300:03};1" if i >= 300 else "dtmi:t:Base;1")
                                                      for i in reversed(range(600))]))
        self.models("upload", "onto/z.json", *there)
        done = json.loads(self.models("upload", "onto", *there, "--json").out)
        self.assertEqual({"given": 604, "added": 603}, done)
        self.assertEqual(604, len(server.list("/models")))
        self.assertIn("0 models uploaded", self.models("upload", "onto", *there).out)
        self.write("other.json", json.dumps(interface("Base", properties={"p": "string"})))
        self.assertIn("another definition", self.models("upload", "other.json", *there, expect=gemel.FAILED).err)
        (self.folder / "token").write_text("wrong")
        self.assertIn("401", self.models("upload", "onto", *there, expect=gemel.FAILED).err)
        self.models("upload", "onto", "--url", server.url, expect=gemel.USAGE)

    def test_through_the_process_that_has_it(self):
        server = self.serve({"admin": {"listen": "127.0.0.1:0"}})
        self.check_all()
        self.assertEqual(200, server.put("/digitaltwins/b", twin("Base")).status)
        self.assertEqual(1, json.loads(self.models("--json").out)[0]["twins"])


if __name__ == "__main__":
    gemel.main()
