#!/usr/bin/env python3
"""Models of the twin API: operations 1-5."""
import concurrent.futures
import json
import pathlib
import re
import urllib.parse

import adt
import gemel
from adt import interface, twin

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00$")
PATCH = [{"op": "replace", "path": "/decommissioned", "value": True}]


def path(name):
    return "/models/" + urllib.parse.quote(f"dtmi:t:{name};1", safe="")


class Models(adt.Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def ids(self, query=""):
        return [item["id"] for item in self.server.list("/models" + query)]

    def test_models_are_uploaded_in_the_order_that_was_sent(self):
        part, whole = interface("Part"), interface("Whole", components={"part": "Part"}, displayName="Whole", description={"de": "Ganzes"})
        answer = self.server.post("/models", [whole, part])
        self.assertEqual(201, answer.status, answer)
        first, second = answer.json
        self.assertEqual(["id", "description", "displayName", "decommissioned", "uploadTime"], list(first))
        self.assertEqual(["dtmi:t:Whole;1", {"de": "Ganzes"}, {"en": "Whole"}, False],
                         [first[name] for name in ("id", "description", "displayName", "decommissioned")])
        self.assertEqual(({}, {}), (second["description"], second["displayName"]))
        self.assertRegex(first["uploadTime"], TIME)
        shown = self.server.get(path("Whole") + "?includeModelDefinition=true").json
        self.assertEqual(whole, shown["model"])
        self.assertNotIn("model", self.server.get(path("Whole")).json)

    def test_what_is_wrong_with_an_upload(self):
        self.server.models(interface("A"), interface("B"))
        exists = self.server.post("/models", [interface("A"), interface("C"), interface("B")])
        self.assertEqual("Some of the model ids already exist: dtmi:t:A;1, dtmi:t:B;1. Use Model_List API to view models that already "
                         "exist. See the Swagger example (http://aka.ms/ModelListSwSmpl).",
                         self.refused(exists, 409, "ModelIdAlreadyExists"))
        for body in ([], {}, "", ["x"], "null"):
            with self.subTest(body=body):
                self.assertTrue(self.refused(self.server.post("/models", body), 400, "InvalidArgument").startswith(
                    "Operation failed as models provided was empty or of a type that is not supported."))
        invalid = self.refused(self.server.post("/models", [interface("C"), interface("D", properties={"p": "nothing"})]), 400, "DTDLParserError")
        self.assertTrue(invalid.startswith("None of the models in this request could be created due to a problem with one or more models: "))
        self.assertTrue(invalid.endswith("See model documentation(https://aka.ms/ADTv2Models) for supported format."))
        several = self.server.post("/models", [interface("C", properties={"q": "nothing"}), interface("D", properties={"p": "nothing"})])
        text = self.refused(several, 400, "DTDLParserError")
        self.assertIn('dtmi:t:C;1: property "q": schema is "nothing"', text)
        self.assertIn('\ndtmi:t:D;1: property "p": schema is "nothing"', text)
        many = self.server.post("/models", [interface(f"N{i}") for i in range(251)])
        self.refused(many, 400, "LimitExceeded")
        new = dict(interface("V"), **{"@context": "dtmi:dtdl:context;4"})
        self.refused(self.server.post("/models", [new]), 400, "ModelVersionNotSupported")
        self.assertEqual(["dtmi:t:A;1", "dtmi:t:B;1"], self.ids())

    def test_lists_have_pages_and_dependencies(self):
        self.server.models(*[interface(f"M{i:03}") for i in range(230)])
        self.server.models(interface("Base"), interface("Part"), interface("Whole", components={"p": "Part"}, extends="dtmi:t:Base;1",
                                                                          relationships=["knows"]))
        self.assertEqual(233, len(set(self.ids())))
        first = self.server.get("/models", max_items_per_page="7").json
        self.assertEqual(7, len(first["value"]))
        self.assertTrue(first["nextLink"].startswith("https://"))
        wanted = urllib.parse.quote("dtmi:t:Whole;1,dtmi:t:M001;1", safe="")
        self.assertEqual(["dtmi:t:M001;1", "dtmi:t:Base;1", "dtmi:t:Part;1", "dtmi:t:Whole;1"],
                         self.ids(f"?dependenciesFor={wanted}"))
        repeated = "?" + "&".join("dependenciesFor=" + urllib.parse.quote(f"dtmi:t:{name};1", safe="") for name in ("M000", "Part"))
        self.assertEqual(["dtmi:t:M000;1", "dtmi:t:Part;1"], self.ids(repeated))
        none = self.server.get("/models?dependenciesFor=dtmi%3At%3ANone%3B1")
        self.assertEqual("There is no Model(s) available that matches the provided id(s) dtmi:t:None;1. Check that the Model ID provided is "
                         "valid by doing a Model_List API call.", self.refused(none, 404, "ModelNotFound"))
        self.refused(self.server.get("/models?includeModelDefinition=perhaps"), 400, "InvalidArgument")
        self.refused(self.server.get("/models?dependenciesFor=Whole"), 400, "InvalidArgument")
        self.refused(self.server.get("/models?dependenciesFor=%ff"), 400, "InvalidArgument")  # not: everything
        page = self.server.get("/models?includeModelDefinition=true", max_items_per_page="1").json["value"]
        self.assertEqual("dtmi:t:M000;1", page[0]["model"]["@id"])

    def test_links_to_next_pages_do_not_grow_when_clients_add_their_parameters_again(self):
        self.server.models(*[interface(f"M{i}") for i in range(8)])
        query = "&includeModelDefinition=false" + "".join(f"&dependenciesFor=dtmi:t:M{i}%3B1" for i in range(8))
        link, lengths = "/models?" + query[1:], set()
        while link is not None:
            link = self.server.get(link, max_items_per_page="1").json["nextLink"]
            if link is not None:
                lengths.add(len(link))
                link = link.split(f":{self.server.port}", 1)[1] + query
        self.assertEqual(1, len(lengths), lengths)

    def test_what_cannot_be_the_id_of_a_model_is_refused(self):
        for wrong in ("thisIsNotAValidModelId", "dtmi", "dtmi%3At%3AA%3Bx", "%22"):
            with self.subTest(wrong=wrong):
                self.refused(self.server.get(f"/models/{wrong}"), 400, "InvalidArgument")
                self.refused(self.server.delete(f"/models/{wrong}"), 400, "InvalidArgument")
        self.refused(self.server.get("/models/dtmi%3At%3AA%3B1000"), 404, "ModelNotFound")

    def test_a_decommissioned_model_takes_no_twins(self):
        self.server.models(interface("Base"), interface("Whole", extends="dtmi:t:Base;1"))
        self.refused(self.server.patch(path("Base"), PATCH), 409, "ModelReferencesNotDecommissioned")
        self.assertEqual(204, self.server.patch(path("Whole"), PATCH).status)
        self.assertEqual(204, self.server.patch(path("Base"), PATCH).status)
        self.assertTrue(self.server.get(path("Base")).json["decommissioned"])
        self.refused(self.server.put("/digitaltwins/a", twin("Base")), 400, "ModelDecommissioned")
        self.assertEqual(204, self.server.patch(path("Base"), [dict(PATCH[0], value=False)]).status)
        self.assertEqual(200, self.server.put("/digitaltwins/a", twin("Base")).status)
        for body in ([], [{"op": "add", "path": "/decommissioned", "value": True}], [dict(PATCH[0], value="true")], {}):
            with self.subTest(body=body):
                self.refused(self.server.patch(path("Base"), body), 400, "JsonPatchInvalid")
        self.refused(self.server.patch(path("None"), PATCH), 404, "ModelNotFound")

    def test_a_model_is_deleted_when_nothing_needs_it(self):
        self.server.models(interface("Part"), interface("Whole", components={"part": "Part"}))
        refused = self.refused(self.server.delete(path("Part")), 409, "ModelReferencesNotDeleted")
        self.assertTrue(refused.startswith("This model is currently being referenced by dtmi:t:Whole;1. You must delete these references "
                                           "before deleting the Model."))
        gone = self.server.delete(path("Whole"))
        self.assertEqual((204, b""), (gone.status, gone.body))
        self.assertEqual(204, self.server.delete(path("Part")).status)
        for answer in (self.server.delete(path("Part")), self.server.get(path("Part"))):
            self.refused(answer, 404, "ModelNotFound")

    def test_twins_outlive_their_model(self):
        self.server.models(interface("Thing", properties={"n": "integer"}), interface("Other", properties={"n": "integer"}))
        self.server.make("a", "Thing", n=1)
        self.assertEqual(204, self.server.delete(path("Thing")).status)
        self.assertEqual("dtmi:t:Thing;1", self.server.get("/digitaltwins/a").json["$metadata"]["$model"])
        change = [{"op": "replace", "path": "/n", "value": 2}]
        self.refused(self.server.patch("/digitaltwins/a", change), 400, "ValidationFailed")
        move = [{"op": "replace", "path": "/$metadata/$model", "value": "dtmi:t:Other;1"}]
        self.assertEqual(204, self.server.patch("/digitaltwins/a", move).status)
        self.assertEqual(204, self.server.patch("/digitaltwins/a", change).status)

    def test_of_two_uploads_of_one_model_one_is_done(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.server.post("/models", [interface("Same")]), range(8)))
        self.assertEqual([201] + [409] * 7, sorted(answer.status for answer in answers))

    def test_ontologies_load_whole(self):
        shared = gemel.SHARED / "dtdl"
        if not shared.exists():
            self.skipTest("no shared data")
        for name in ("realestatecore", "energygrid", "isa95", "building"):
            with self.subTest(ontology=name):
                models = []
                for file in sorted(pathlib.Path(shared, name).rglob("*.json")):
                    content = json.loads(file.read_text(encoding="utf-8-sig"))
                    models += content if isinstance(content, list) else [content]
                todo, there = {model["@id"]: model for model in models}, set()
                while todo:  # what needs nothing that is not there, 250 at a time
                    ready = [model for model in todo.values() if not needs(model) & set(todo) - {model["@id"]}][:250]
                    self.assertTrue(ready)
                    self.server.models(*ready)
                    for model in ready:
                        there.add(model["@id"])
                        del todo[model["@id"]]


def needs(value):
    """Every DTMI that a definition names."""
    if isinstance(value, str):
        return {value} if value.startswith("dtmi:") else set()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict) and value.get("@type") == "Relationship":
        items = [item for key, item in value.items() if key != "target"]
    return set().union(*map(needs, items)) if items else set()


if __name__ == "__main__":
    gemel.main()
