// Microsoft's JavaScript SDK as a client of the twin API: every operation that it has, over TLS with the generated
// authority (NODE_EXTRA_CA_CERTS). Run by test_sdk_javascript.py, which sets GEMEL_URL and GEMEL_TOKEN.
"use strict";
const assert = require("node:assert/strict");
const { test, before } = require("node:test");
const { DigitalTwinsClient } = require("@azure/digital-twins-core");

// What an application has in place of DefaultAzureCredential: any object with getToken.
const credential = {
  async getToken() {
    return { token: process.env.GEMEL_TOKEN, expiresOnTimestamp: Date.now() + 3600_000 };
  },
};
const client = new DigitalTwinsClient(process.env.GEMEL_URL, credential);

const FLOOR = "dtmi:sdk:Floor;1", ROOM = "dtmi:sdk:Room;1", SENSOR = "dtmi:sdk:Sensor;1";
const context = "dtmi:dtdl:context;2";
const sensor = { "@id": SENSOR, "@type": "Interface", "@context": context, displayName: "Sensor", contents: [
  { "@type": "Property", name: "serial", schema: "string" },
  { "@type": "Telemetry", name: "reading", schema: "double" },
] };
const room = { "@id": ROOM, "@type": "Interface", "@context": context, displayName: { en: "Room", de: "Raum" }, contents: [
  { "@type": "Property", name: "temperature", schema: "double" },
  { "@type": "Property", name: "name", schema: "string" },
  { "@type": "Component", name: "sensor", schema: SENSOR },
  { "@type": "Telemetry", name: "humidity", schema: "double" },
] };
const floor = { "@id": FLOOR, "@type": "Interface", "@context": context, contents: [
  { "@type": "Property", name: "level", schema: "integer" },
  { "@type": "Relationship", name: "contains", target: ROOM, properties: [
    { "@type": "Property", name: "locked", schema: "boolean" }] },
] };

async function all(iterator) {
  const items = [];
  for await (const item of iterator) {
    items.push(item);
  }
  return items;
}

async function refused(promise, status, code, message) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.statusCode, status, error.message);
    const body = JSON.parse(error.response.bodyAsText);
    assert.equal(body.error.code, code);
    assert.equal(error.code, code);
    if (message !== undefined) {
      assert.equal(error.message, message);
    }
    return true;
  });
}

// This version of the SDK does not hand on the ETag of an update's answer.
const etagOf = (updated) => updated._response.headers.get("etag");

const roomTwin = (members) => ({ $metadata: { $model: ROOM }, sensor: { $metadata: {} }, ...members });

before(async () => {
  const made = await client.createModels([floor, room, sensor]);
  assert.equal(made._response.status, 201);
  assert.deepEqual(made.map((model) => model.id), [FLOOR, ROOM, SENSOR]);
  assert.deepEqual(made[1].displayName, { en: "Room", de: "Raum" });
  assert.equal(made[1].decommissioned, false);
  assert.ok(made[1].uploadTime instanceof Date);
});

test("models", async () => {
  assert.equal((await client.getModel(ROOM)).model, undefined);
  assert.deepEqual((await client.getModel(ROOM, true)).model, room);
  assert.deepEqual((await all(client.listModels())).map((model) => model.id).sort(), [FLOOR, ROOM, SENSOR]);
  const needed = await all(client.listModels([ROOM], true));
  assert.deepEqual(needed.map((model) => model.id).sort(), [ROOM, SENSOR]);
  assert.deepEqual(needed.find((model) => model.id === SENSOR).model, sensor);
  let pages = 0;
  for await (const page of client.listModels().byPage({ maxPageSize: 1 })) {
    assert.equal(page.value.length, 1);
    pages++;
  }
  assert.equal(pages, 3);
  await refused(client.createModels([room]), 409, "ModelIdAlreadyExists");
  await refused(client.getModel("dtmi:sdk:None;1"), 404, "ModelNotFound");
  await refused(client.deleteModel(SENSOR), 409, "ModelReferencesNotDeleted");
  const spare = { ...sensor, "@id": "dtmi:sdk:Spare;1" };
  await client.createModels([spare]);
  await client.decomissionModel(spare["@id"]);
  assert.equal((await client.getModel(spare["@id"])).decommissioned, true);
  await client.deleteModel(spare["@id"]);
  await refused(client.getModel(spare["@id"]), 404, "ModelNotFound");
});

test("twins", async () => {
  const odd = "room 1/a;b"; // more than the service takes; in addresses it is escaped
  await client.upsertDigitalTwin(odd, JSON.stringify(roomTwin({ temperature: 20.5 })));
  assert.equal((await client.getDigitalTwin(odd)).body.$dtId, odd);
  await client.deleteDigitalTwin(odd);
  const long = await client.upsertDigitalTwin("x".repeat(129), JSON.stringify(roomTwin({ temperature: 20.5 }))).catch((error) => error);
  assert.equal(long.code, "InvalidArgument");
  const made = await client.upsertDigitalTwin("room-1", JSON.stringify(roomTwin({ temperature: 20.5, name: "Nord" })));
  assert.equal(made._response.status, 200);
  assert.match(made.etag, /^W\/"[0-9a-f-]{36}"$/);
  assert.equal(made.etag, made.body.$etag);
  assert.deepEqual((await client.getDigitalTwin("room-1")).body, made.body);
  await refused(client.upsertDigitalTwin("room-1", JSON.stringify(roomTwin({})), { ifNoneMatch: "*" }), 412, "PreconditionFailed",
    "If-None-Match: * header was specified but a twin with the id room-1 was found. Please specify a different twin id.");

  const updated = await client.updateDigitalTwin("room-1", [{ op: "replace", path: "/temperature", value: 21 }, { op: "remove", path: "/name" }],
    { ifMatch: made.etag });
  assert.equal(updated._response.status, 204);
  assert.notEqual(etagOf(updated), made.etag);
  const now = await client.getDigitalTwin("room-1");
  assert.equal(now.etag, etagOf(updated));
  assert.equal(now.body.temperature, 21);
  assert.ok(!("name" in now.body));
  assert.equal(now.body.$metadata.$model, ROOM);
  await refused(client.updateDigitalTwin("room-1", [{ op: "add", path: "/name", value: "Süd" }], { ifMatch: made.etag }), 412, "PreconditionFailed");
  await refused(client.updateDigitalTwin("room-1", [{ op: "move", path: "/temperature", from: "/name" }]), 400, "JsonPatchInvalid");
  await refused(client.getDigitalTwin("nothing"), 404, "DigitalTwinNotFound");
  await refused(client.deleteDigitalTwin("room-1", { ifMatch: made.etag }), 412, "PreconditionFailed");
  await client.deleteDigitalTwin("room-1", { ifMatch: now.etag });
  await refused(client.deleteDigitalTwin("room-1"), 404, "DigitalTwinNotFound");
});

test("components and telemetry", async () => {
  await client.upsertDigitalTwin("room-2", JSON.stringify(roomTwin({ sensor: { $metadata: {}, serial: "A" } })));
  const component = await client.getComponent("room-2", "sensor");
  assert.equal(component.body.serial, "A");
  assert.equal(component.etag, (await client.getDigitalTwin("room-2")).etag);
  const updated = await client.updateComponent("room-2", "sensor", [{ op: "replace", path: "/serial", value: "B" }], { ifMatch: component.etag });
  assert.equal(updated._response.status, 204);
  assert.equal((await client.getComponent("room-2", "sensor")).body.serial, "B");
  assert.equal((await client.getDigitalTwin("room-2")).etag, etagOf(updated));
  await refused(client.getComponent("room-2", "none"), 404, "ComponentNotFound");
  // As published, the SDK swaps message and id of a component's telemetry: that is a message as well.
  assert.equal((await client.publishTelemetry("room-2", { humidity: 0.4 }, "message-1"))._response.status, 204);
  assert.equal((await client.publishComponentTelemetry("room-2", "sensor", '{"reading":1.5}', "message-2"))._response.status, 204);
  await refused(client.publishTelemetry("nothing", { humidity: 0.4 }, "message-3"), 404, "DigitalTwinNotFound");
  await client.deleteDigitalTwin("room-2");
});

test("relationships", async () => {
  await client.upsertDigitalTwin("floor", JSON.stringify({ $metadata: { $model: FLOOR }, level: 1 }));
  for (let i = 0; i < 5; i++) {
    await client.upsertDigitalTwin(`r${i}`, JSON.stringify(roomTwin({})));
    await client.upsertRelationship("floor", `has-${i}`, { $relationshipName: "contains", $targetId: `r${i}`, locked: false });
  }
  const one = await client.getRelationship("floor", "has-0");
  assert.deepEqual([one.body.$sourceId, one.body.$targetId, one.body.locked], ["floor", "r0", false]);
  assert.equal(one.etag, one.body.$etag);
  const updated = await client.updateRelationship("floor", "has-0", [{ op: "replace", path: "/locked", value: true }], { ifMatch: one.etag });
  assert.equal(updated._response.status, 204);
  await refused(client.updateRelationship("floor", "has-0", [{ op: "replace", path: "/locked", value: false }], { ifMatch: one.etag }),
    412, "PreconditionFailed");
  const listed = await all(client.listRelationships("floor"));
  assert.deepEqual(listed.map((link) => [link.$relationshipId, link.locked]), [["has-0", true], ...[1, 2, 3, 4].map((i) => [`has-${i}`, false])]);
  const incoming = await all(client.listIncomingRelationships("r3"));
  assert.deepEqual(incoming.map((link) => [link.relationshipId, link.sourceId, link.relationshipName]), [["has-3", "floor", "contains"]]);
  assert.equal(incoming[0].relationshipLink, "/digitaltwins/floor/relationships/has-3");
  await refused(client.upsertRelationship("floor", "has-9", { $relationshipName: "contains", $targetId: "none" }), 404, "TargetDigitalTwinNotFound");
  await refused(client.getRelationship("floor", "none"), 404, "RelationshipNotFound");
  await refused(client.deleteDigitalTwin("floor"), 400, "RelationshipsNotDeleted");
  for (let i = 0; i < 5; i++) {
    await client.deleteRelationship("floor", `has-${i}`);
    await client.deleteDigitalTwin(`r${i}`);
  }
  await client.deleteDigitalTwin("floor");
});

test("queries", async () => {
  for (let i = 0; i < 7; i++) {
    await client.upsertDigitalTwin(`q${i}`, JSON.stringify(roomTwin({ temperature: i })));
  }
  const rows = await all(client.queryTwins("SELECT * FROM digitaltwins WHERE temperature >= 2", 2));
  assert.deepEqual(rows.map((row) => row.$dtId).sort(), ["q2", "q3", "q4", "q5", "q6"]);
  let pages = 0;
  for await (const page of client.queryTwins("SELECT T.temperature FROM DIGITALTWINS T WHERE STARTSWITH(T.$dtId, 'q')", 3).byPage()) {
    assert.ok(page.value.length <= 3);
    assert.ok(Number(page.queryCharge ?? page._response?.parsedHeaders?.queryCharge) > 0);
    pages++;
  }
  assert.equal(pages, 3);
  await refused(client.queryTwins("foo").next(), 400, "SqlQueryError",
    "SQL query parse failed: SQL Parser Error, Line=1, Position=0, Message=missing SELECT at 'foo' " +
    "See samples in https://aka.ms/adtv2query for the correct syntax.");
  for (let i = 0; i < 7; i++) {
    await client.deleteDigitalTwin(`q${i}`);
  }
});

test("event routes", async () => {
  const put = await client.upsertEventRoute("route-1", process.env.GEMEL_ENDPOINT, "type = 'Microsoft.DigitalTwins.Twin.Create'");
  assert.equal(put._response.status, 204);
  const route = await client.getEventRoute("route-1");
  assert.deepEqual([route.id, route.endpointName, route.filter],
    ["route-1", process.env.GEMEL_ENDPOINT, "type = 'Microsoft.DigitalTwins.Twin.Create'"]);
  assert.deepEqual((await all(client.listEventRoutes())).map((one) => one.id), ["route-1"]);
  await client.deleteEventRoute("route-1");
  await refused(client.getEventRoute("route-1"), 404, "EventRouteNotFound");
  await refused(client.upsertEventRoute("route-2", "nowhere", "true"), 400, "EventRouteEndpointInvalid");
});
