"""Microsoft's Python SDK as a client of the twin API: every operation that it has. Run by test_sdk_python.py, which sets GEMEL_URL,
GEMEL_TOKEN, GEMEL_AUTHORITY, GEMEL_ENDPOINT (of event routes) and GEMEL_FOLDER (of jobs' files), with an interpreter that has the SDK."""
import json
import os
import pathlib
import time
import unittest

from azure.core import MatchConditions
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.digitaltwins.core import DigitalTwinsClient, DigitalTwinsEventRoute
from azure.digitaltwins.core._generated.models import DeleteJobsAddOptions

CONTEXT = "dtmi:dtdl:context;2"
SENSOR = {"@id": "dtmi:py:Sensor;1", "@type": "Interface", "@context": CONTEXT, "contents": [
    {"@type": "Property", "name": "serial", "schema": "string"}, {"@type": "Telemetry", "name": "reading", "schema": "double"}]}
ROOM = {"@id": "dtmi:py:Room;1", "@type": "Interface", "@context": CONTEXT, "displayName": "Room", "contents": [
    {"@type": "Property", "name": "temp", "schema": "double"},
    {"@type": "Component", "name": "sensor", "schema": "dtmi:py:Sensor;1"},
    {"@type": "Relationship", "name": "next", "properties": [{"@type": "Property", "name": "open", "schema": "boolean"}]}]}
OTHER_ETAG = 'W/"7e67a355-f19c-4c19-8a10-2d69b2d2253f"'


class Token:
    """What an application has in place of DefaultAzureCredential."""

    def get_token(self, *_scopes, **_options):
        return AccessToken(os.environ["GEMEL_TOKEN"], int(time.time()) + 3600)


def room(**members):
    return {"$metadata": {"$model": ROOM["@id"]}, "sensor": {"$metadata": {}}, **members}


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = DigitalTwinsClient(os.environ["GEMEL_URL"], Token(), connection_verify=os.environ["GEMEL_AUTHORITY"])
        made = cls.client.create_models([ROOM, SENSOR])
        assert [model.id for model in made] == [ROOM["@id"], SENSOR["@id"]], made

    def test_models(self):
        client = self.client
        self.assertIsNone(client.get_model(ROOM["@id"]).model)
        self.assertEqual(ROOM, client.get_model(ROOM["@id"], include_model_definition=True).model)
        self.assertEqual({ROOM["@id"], SENSOR["@id"]}, {model.id for model in client.list_models(dependencies_for=[ROOM["@id"]])})
        with self.assertRaises(ResourceExistsError):
            client.create_models([ROOM])
        spare = {**SENSOR, "@id": "dtmi:py:Spare;1"}
        client.create_models([spare])
        client.decommission_model(spare["@id"])
        self.assertTrue(client.get_model(spare["@id"]).decommissioned)
        client.delete_model(spare["@id"])
        with self.assertRaises(ResourceNotFoundError):
            client.get_model(spare["@id"])

    def test_twins(self):
        client = self.client
        made = client.upsert_digital_twin("t1", room(temp=1.5), match_condition=MatchConditions.IfMissing)
        self.assertEqual(made, client.get_digital_twin("t1"))
        with self.assertRaises(ResourceExistsError):
            client.upsert_digital_twin("t1", room(), match_condition=MatchConditions.IfMissing)
        patch = [{"op": "replace", "path": "/temp", "value": 2}]
        with self.assertRaises(ResourceModifiedError):
            client.update_digital_twin("t1", patch, match_condition=MatchConditions.IfNotModified, etag=OTHER_ETAG)
        client.update_digital_twin("t1", patch, match_condition=MatchConditions.IfNotModified, etag=made["$etag"])
        self.assertEqual(2, client.get_digital_twin("t1")["temp"])
        client.update_component("t1", "sensor", [{"op": "add", "path": "/serial", "value": "S"}])
        self.assertEqual("S", client.get_component("t1", "sensor")["serial"])
        client.publish_telemetry("t1", {"any": 1})
        client.publish_component_telemetry("t1", "sensor", {"reading": 2.5}, message_id="m")
        client.delete_digital_twin("t1", match_condition=MatchConditions.IfPresent)
        with self.assertRaises(ResourceNotFoundError):
            client.get_digital_twin("t1")

    def test_relationships(self):
        client = self.client
        for twin_id in ("a", "b"):
            client.upsert_digital_twin(twin_id, room())
        made = client.upsert_relationship("a", "r", {"$relationshipId": "r", "$sourceId": "a", "$relationshipName": "next", "$targetId": "b",
                                                     "open": True})
        self.assertEqual(made, client.get_relationship("a", "r"))
        client.update_relationship("a", "r", [{"op": "replace", "path": "/open", "value": False}],
                                   match_condition=MatchConditions.IfNotModified, etag=made["$etag"])
        self.assertEqual([False], [one["open"] for one in client.list_relationships("a")])
        self.assertEqual(["a"], [one.source_id for one in client.list_incoming_relationships("b")])
        with self.assertRaises(HttpResponseError) as caught:
            client.delete_digital_twin("a")
        self.assertEqual("RelationshipsNotDeleted", caught.exception.error.code)
        client.delete_relationship("a", "r")
        for twin_id in ("a", "b"):
            client.delete_digital_twin(twin_id)

    def test_queries(self):
        client = self.client
        for number in range(5):
            client.upsert_digital_twin(f"q{number}", room(temp=number))
        rows = list(client.query_twins("SELECT * FROM digitaltwins WHERE temp >= 2 AND STARTSWITH($dtId, 'q')"))
        self.assertEqual({"q2", "q3", "q4"}, {row["$dtId"] for row in rows})
        with self.assertRaises(HttpResponseError) as caught:
            list(client.query_twins("foo"))
        self.assertEqual("SqlQueryError", caught.exception.error.code)
        for number in range(5):
            client.delete_digital_twin(f"q{number}")

    def test_event_routes(self):
        client = self.client
        client.upsert_event_route("py", DigitalTwinsEventRoute(endpoint_name=os.environ["GEMEL_ENDPOINT"], filter="true"))
        self.assertEqual("true", client.get_event_route("py").filter)
        self.assertEqual(["py"], [route.id for route in client.list_event_routes()])
        client.delete_event_route("py")
        with self.assertRaises(ResourceNotFoundError):
            client.get_event_route("py")
        with self.assertRaises(HttpResponseError):
            client.upsert_event_route("py", DigitalTwinsEventRoute(endpoint_name="nowhere", filter="true"))

    def test_jobs(self):
        """The client itself has none of them; what it is generated from has."""
        imports, deletions = self.client._client.import_jobs, self.client._client.delete_jobs
        folder = pathlib.Path(os.environ["GEMEL_FOLDER"])
        lines = [{"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Twins"},
                 *({"$dtId": f"job-{number}", **room(temp=number)} for number in range(10))]
        (folder / "in.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
        job = {"inputBlobUri": (folder / "in.ndjson").as_uri(), "outputBlobUri": (folder / "out.ndjson").as_uri()}
        made = imports.add("job1", job)
        self.assertEqual(("job1", job["inputBlobUri"]), (made.id, made.input_blob_uri))
        with self.assertRaises(HttpResponseError):
            imports.add("job1", job)
        while (state := imports.get_by_id("job1")).status in ("notstarted", "running"):
            time.sleep(0.05)  # a job is asked for until it has ended
        self.assertEqual("succeeded", state.status, state.error)
        self.assertIsNotNone(state.finished_date_time)
        self.assertEqual(["job1"], [one.id for one in imports.list()])
        self.assertEqual(3, self.client.get_digital_twin("job-3")["temp"])
        with self.assertRaises(HttpResponseError):
            imports.cancel("job1")
        imports.delete("job1")
        with self.assertRaises(ResourceNotFoundError):
            imports.get_by_id("job1")
        with self.assertRaises(ResourceNotFoundError):
            deletions.get_by_id("none")
        self.assertEqual([], list(deletions.list()))


class SdkDeletion(unittest.TestCase):
    """Behind the others, since nothing is left."""

    def test_everything_is_deleted(self):
        client = DigitalTwinsClient(os.environ["GEMEL_URL"], Token(), connection_verify=os.environ["GEMEL_AUTHORITY"])
        done = client._client.delete_jobs.begin_add(DeleteJobsAddOptions(timeout_in_minutes=20), polling_interval=0.05).result(60)
        self.assertEqual("succeeded", done.status)
        self.assertEqual([done.id], [one.id for one in client._client.delete_jobs.list()])
        self.assertEqual([], list(client.list_models()))
        self.assertEqual([], list(client.query_twins("SELECT * FROM digitaltwins")))


if __name__ == "__main__":
    unittest.main()
