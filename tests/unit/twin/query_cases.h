/* Queries on the building and the rows they give, the same on every engine. */
#ifndef TESTS_UNIT_TWIN_QUERY_CASES_H
#define TESTS_UNIT_TWIN_QUERY_CASES_H

struct query_case {
    const char *text_z;
    const char *rows_z; /* with ' for " */
};

/* SELECT R.$dtId FROM DIGITALTWINS R WHERE …, and the ids. */
struct where_case {
    const char *condition_z;
    const char *ids_z; /* "r1 r2", in the order of rows */
};

static const struct where_case where_cases[] = {
    /* ids */
    {"R.$dtId = 'r1'", "r1"},
    {"R.$dtid = 'r1'", "r1"},
    {"$dtId IN ['s4', 'r1', 'nobody']", "r1 s4"},
    {"$dtId NOT IN ['r1','r2','r3','r9','h1','s1','s2','s3','s4']", "b1"},
    {"R.$dtId != 'r1' AND STARTSWITH(R.$dtId, 'r')", "r2 r3 r9"},
    {"R.$dtId > 's2'", "s3 s4"},
    {"STARTSWITH(R.$dtId, '')", "r1 r2 r3 r9 h1 s1 s2 s3 s4 b1"},
    {"ENDSWITH($dtId, '1') AND NOT ENDSWITH($dtId, 'h1')", "r1 s1 b1"},
    {"CONTAINS($dtId, '3')", "r3 s3"},
    {"R.$dtId = R.$dtId AND CONTAINS(R.$dtId, '9')", "r9"},
    /* numbers */
    {"temperature > 20", "r1 h1"},
    {"temperature >= 21.5 AND temperature < 30", "r1"},
    {"temperature = 18", "r2"},
    {"temperature = 18.0", "r2"},
    {"temperature != 18", "r1 h1"},
    {"NOT temperature < 20", "r1 h1"},
    {"20 < R.temperature", "r1 h1"},
    {"temperature IN [18, 30.0, 'warm']", "r2 r9 h1"},
    {"temperature NIN [18]", "r1 h1"},
    {"value < 0", "s3"},
    {"value = -3", "s3"},
    {"temperature = value", ""},
    /* texts */
    {"name = 'Kitchen'", "r1"},
    {"name = 'kitchen'", ""},
    {"name = 'D\\'Souza\\\\ 100%'", "r3"},
    {"name > 'H'", "r1 r9 h1"},
    {"CONTAINS(name, '100%')", "r3"},
    {"ENDSWITH(name, '%') OR STARTSWITH(name, 'Ha')", "r3 h1"},
    {"STARTSWITH(temperature, 'w')", "r9"},
    {"ENDSWITH(name, '')", "r1 r2 r3 r9 h1"},
    {"ENDSWITH(name, 'a very long ending that no name has')", ""},
    {"temperature = '18'", ""},
    {"[[Group]] = 'A'", "r1"},
    {"R.[[Group]] = 'A'", "r1"},
    /* booleans */
    {"occupied = true", "r1"},
    {"occupied != true", "r2"},
    {"occupied", "r1"},
    {"NOT occupied", "r2"},
    {"occupied = 1", ""},
    {"IS_BOOL(occupied) AND occupied != false", "r1"},
    {"true AND temperature = 18", "r2"},
    {"false OR temperature = 18", "r2"},
    /* what is not there */
    {"nothing = 1", ""},
    {"NOT nothing = 1", ""},
    {"nothing = 1 OR $dtId = 'r1'", "r1"},
    {"nothing = null", ""},
    {"temperature != null", "r1 r2 r9 h1"},
    {"IS_NULL(temperature)", ""},
    {"NOT IS_NULL(temperature) AND STARTSWITH($dtId, 's')", "s1 s2 s3 s4"},
    {"NOT IS_DEFINED(name)", "s1 s2 s3 s4 b1"},
    {"IS_DEFINED(R.tags.red)", "r1"},
    {"NOT IS_DEFINED(tags.red) AND tags.size = 'big'", "r2"},
    {"tags.size = 'small'", "r1"},
    {"IS_OBJECT(tags)", "r1 r2"},
    {"IS_NUMBER(temperature)", "r1 r2 h1"},
    {"IS_STRING(temperature)", "r9"},
    {"IS_PRIMITIVE(temperature)", "r1 r2 r9 h1"},
    {"IS_PRIMITIVE(tags)", ""},
    {"IS_STRING($dtId) AND IS_DEFINED($metadata.$model) AND $dtId = 'b1'", "b1"},
    {"IS_NUMBER($dtId)", ""},
    /* arrays, components */
    {"ARRAY_CONTAINS(floors, 2)", "r1"},
    {"ARRAY_CONTAINS(floors, 3)", ""},
    {"ARRAY_CONTAINS(words, 'b')", "r1"},
    {"ARRAY_CONTAINS(words, 2)", ""},
    {"ARRAY_CONTAINS(name, 'Kitchen')", ""},
    {"NOT ARRAY_CONTAINS(name, 'Kitchen') AND name = 'Kitchen'", "r1"},
    {"thermostat.target > 19", "r1 r3"},
    {"R.thermostat.unit = 'C'", "r1"},
    {"IS_OBJECT(thermostat)", "r1 r2 r3 h1"},
    /* models */
    {"IS_OF_MODEL('dtmi:t:Room;1')", "r1 r2 r3 r9 h1"},
    {"IS_OF_MODEL(R, 'dtmi:t:Room;2')", "r9"},
    {"IS_OF_MODEL('dtmi:t:Room;1', exact)", "r1 r2 r3"},
    {"IS_OF_MODEL('dtmi:t:Thing;1')", "r1 r2 r3 r9 h1"},
    {"IS_OF_MODEL('dtmi:t:Room;3')", ""},
    {"IS_OF_MODEL('dtmi:t:Nothing;1')", ""},
    {"NOT IS_OF_MODEL('dtmi:t:Thing;1')", "s1 s2 s3 s4 b1"},
    {"IS_OF_MODEL('dtmi:t:Room;1') AND temperature > 20", "r1 h1"},
    {"IS_OF_MODEL('dtmi:t:Room;1') AND NOT IS_OF_MODEL('dtmi:t:Hall;1', exact)", "r1 r2 r3 r9"},
    {"IS_OF_MODEL('dtmi:t:Room;1') AND IS_OF_MODEL('dtmi:t:Sensor;1')", ""},
    {"IS_OF_MODEL('dtmi:t:Room;1') AND $dtId = 'r9'", "r9"},
    {"IS_OF_MODEL('dtmi:t:Hall;1') OR IS_OF_MODEL('dtmi:t:Sensor;1')", "h1 s1 s2 s3 s4"},
    {"R.$metadata.$model = 'dtmi:t:Hall;1'", "h1"},
    {"$metadata.$model IN ['dtmi:t:Building;1', 'dtmi:t:Hall;1']", "h1 b1"},
    {"$metadata.$model != 'dtmi:t:Sensor;1' AND $dtId > 'r3'", "r9"},
    {"STARTSWITH($metadata.$model, 'dtmi:t:B')", "b1"},
    /* times */
    {"$metadata.$lastUpdateTime > '2100-01-01'", ""},
    {"$metadata.$lastUpdateTime = '2023-11-14T22:13:20Z' AND $dtId = 'b1'", "b1"},
    {"R.$metadata.value.lastUpdateTime >= '2023-11-14T22:13:20.0000000Z'", "s1 s2 s3"},
    {"R.thermostat.$metadata.target.lastUpdateTime < '2050-01-01T00:00:00Z'", "r1 r3"},
    {"R.$metadata.value.lastUpdateTime > 'no time'", ""},
    {"R.$metadata.value.sourceTime > '2000-01-01'", ""},
    /* logic */
    {"(temperature = 18 OR temperature = 30) AND NOT (name = 'Hall' OR name = 'x')", "r2"},
    {"temperature = 18 OR temperature = 30 AND name = 'x'", "r2"},
    {"NOT NOT occupied", "r1"},
};

static const struct query_case query_cases[] = {
    {"SELECT * FROM DIGITALTWINS WHERE $dtId = 'r1'",
     "{'$dtId':'r1','$metadata':{'$model':'dtmi:t:Room;1'},'Group':'A','floors':[1,2],"
     "'name':'Kitchen','occupied':true,'tags':{'red':'','size':'small'},'temperature':21.5,"
     "'thermostat':{'target':22,'unit':'C'},'words':['a','b']}\n"},
    {"select t from digitaltwins t where t.value = 1",
     "{'t':{'$dtId':'s1','$metadata':{'$model':'dtmi:t:Sensor;1'},'value':1}}\n"},
    {"SELECT COUNT() FROM DIGITALTWINS", "{'COUNT':10}\n"},
    {"SELECT COUNT(*) FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:t:Room;1')", "{'COUNT':5}\n"},
    {"SELECT COUNT() FROM RELATIONSHIPS", "{'COUNT':10}\n"},
    {"SELECT COUNT() FROM RELATIONSHIPS R WHERE R.$relationshipName = 'feeds'", "{'COUNT':3}\n"},
    {"SELECT COUNT() FROM DIGITALTWINS WHERE nothing = 1", "{'COUNT':0}\n"},
    {"SELECT TOP(2) FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Sensor;1')",
     "{'$dtId':'s1','$metadata':{'$model':'dtmi:t:Sensor;1'},'value':1}\n"
     "{'$dtId':'s2','$metadata':{'$model':'dtmi:t:Sensor;1'},'value':2.5}\n"},
    {"SELECT TOP (0) FROM DIGITALTWINS", ""},
    {"SELECT TOP(1) value FROM DIGITALTWINS WHERE value < 2", "{'value':1}\n"},
    {"SELECT name, temperature AS t FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Room;1')",
     "{'name':'Kitchen','t':21.5}\n{'name':'Den','t':18}\n{'name':'D`Souza\\\\ 100%'}\n"
     "{'name':'New','t':'warm'}\n{'name':'Hall','t':30}\n"},
    {"SELECT T.$dtId, T.$metadata.$model, T.thermostat.target AS goal, T.tags FROM DIGITALTWINS T "
     "WHERE T.$dtId = 'r1'",
     "{'$dtId':'r1','$model':'dtmi:t:Room;1','goal':22,'tags':{'red':'','size':'small'}}\n"},
    {"SELECT ROOM FROM DIGITALTWINS DT WHERE DT.$dtId = 'r1'", "{}\n"},
    {"SELECT * FROM RELATIONSHIPS WHERE $sourceId IN ['b1', 'r9'] AND since < 2010",
     "{'$relationshipId':'b1-r1','$relationshipName':'contains','$sourceId':'b1',"
     "'$targetId':'r1','kind':'old','since':2001}\n"},
    {"SELECT R.$relationshipId FROM RELATIONSHIPS R WHERE R.$targetId = 'r1'",
     "{'$relationshipId':'f31'}\n{'$relationshipId':'b1-r1'}\n"},
    {"SELECT $targetId AS t FROM RELATIONSHIPS WHERE $relationshipId = 'f12'", "{'t':'r2'}\n"},
    /* JOIN */
    {"SELECT T.$dtId AS a, CT.$dtId AS b FROM DIGITALTWINS T JOIN CT RELATED T.contains "
     "WHERE T.$dtId = 'b1'",
     "{'a':'b1','b':'h1'}\n{'a':'b1','b':'r1'}\n{'a':'b1','b':'r2'}\n"},
    {"SELECT source.$dtId FROM DIGITALTWINS source JOIN target RELATED source.feeds "
     "WHERE target.$dtId = 'r1'",
     "{'$dtId':'r3'}\n"},
    {"SELECT R, CT.$dtId FROM DIGITALTWINS T JOIN CT RELATED T.contains R "
     "WHERE T.$dtId = 'b1' AND R.kind = 'old'",
     "{'$dtId':'r1','R':{'$relationshipId':'b1-r1','$relationshipName':'contains',"
     "'$sourceId':'b1','$targetId':'r1','kind':'old','since':2001}}\n"},
    {"SELECT R.$sourceId, R.$targetId FROM DIGITALTWINS T JOIN CT RELATED T.feeds R "
     "WHERE R.volume = 7",
     "{'$sourceId':'r1','$targetId':'r2'}\n"},
    {"SELECT S.$dtId FROM DIGITALTWINS B JOIN R RELATED B.contains JOIN S RELATED R.contains "
     "WHERE B.$dtId IN ['b1', 'x'] AND IS_OF_MODEL(S, 'dtmi:t:Sensor;1') AND "
     "IS_OF_MODEL(R, 'dtmi:t:Room;1')",
     "{'$dtId':'s4'}\n{'$dtId':'s1'}\n{'$dtId':'s2'}\n{'$dtId':'s3'}\n"},
    {"SELECT COUNT() FROM DIGITALTWINS B JOIN R RELATED B.contains JOIN S RELATED R.contains "
     "WHERE B.$dtId = 'b1'",
     "{'COUNT':4}\n"},
    {"SELECT A.$dtId AS a, B.$dtId AS b, C.$dtId AS c FROM DIGITALTWINS A JOIN B RELATED A.feeds "
     "JOIN C RELATED A.contains WHERE IS_OF_MODEL(A, 'dtmi:t:Room;1')",
     "{'a':'r1','b':'r2','c':'s1'}\n{'a':'r1','b':'r2','c':'s2'}\n{'a':'r2','b':'r3','c':'s3'}\n"},
    {"SELECT A.name AS a, B FROM DIGITALTWINS A JOIN B RELATED A.contains WHERE A.$dtId = 'h1'",
     "{'B':{'$dtId':'s4','$metadata':{'$model':'dtmi:t:Sensor;1'}},'a':'Hall'}\n"},
    {"SELECT A.name, A.temperature FROM DIGITALTWINS A JOIN B RELATED A.feeds "
     "WHERE A.temperature > B.temperature",
     "{'name':'Kitchen','temperature':21.5}\n"},
    /* MATCH */
    {"SELECT a FROM DIGITALTWINS MATCH (a) WHERE a.$dtId = 's1'",
     "{'a':{'$dtId':'s1','$metadata':{'$model':'dtmi:t:Sensor;1'},'value':1}}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[:feeds]->(B) WHERE A.$dtId = 'r1'",
     "{'$dtId':'r2'}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)<-[:feeds]-(B) WHERE A.$dtId = 'r1'",
     "{'$dtId':'r3'}\n"},
    {"SELECT B.$dtId, r.$sourceId AS s FROM DIGITALTWINS MATCH (A)-[r:feeds]-(B) "
     "WHERE A.$dtId = 'r1'",
     "{'$dtId':'r2','s':'r1'}\n{'$dtId':'r3','s':'r3'}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[]->(B) WHERE A.$dtId = 'r1'",
     "{'$dtId':'r2'}\n{'$dtId':'s1'}\n{'$dtId':'s2'}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[:feeds|contains]->(B) WHERE A.$dtId = 'r2'",
     "{'$dtId':'r3'}\n{'$dtId':'s3'}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[:feeds*2]->(B) WHERE A.$dtId = 'r1'",
     "{'$dtId':'r3'}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[:feeds*..2]->(B) WHERE A.$dtId = 'r1'",
     "{'$dtId':'r2'}\n{'$dtId':'r3'}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[:feeds*1..3]->(B) WHERE A.$dtId = 'r1'",
     "{'$dtId':'r3'}\n{'$dtId':'r1'}\n"},
    {"SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[:feeds*4]->(B) WHERE A.$dtId = 'r1'",
     "{'COUNT':0}\n"},
    {"SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[:feeds*..3]-(B) WHERE A.$dtId = 'r1'",
     "{'COUNT':6}\n"},
    {"SELECT S.$dtId FROM DIGITALTWINS MATCH (B)-[:contains]->(R)-[:contains]->(S) "
     "WHERE B.$dtId = 'b1' AND R.temperature < 20",
     "{'$dtId':'s3'}\n"},
    {"SELECT S.$dtId FROM DIGITALTWINS MATCH (B)-[*2]->(S) WHERE B.$dtId = 'b1' AND S.value > 0",
     "{'$dtId':'s1'}\n{'$dtId':'s2'}\n"},
    {"SELECT C.$dtId FROM DIGITALTWINS MATCH (A)<-[:contains]-()-[:contains]->(C) "
     "WHERE A.$dtId = 'r1'",
     "{'$dtId':'h1'}\n{'$dtId':'r2'}\n"},
    {"SELECT A.$dtId FROM DIGITALTWINS MATCH (A)-[:feeds]->(B)-[:feeds]->(C)-[:feeds]->(A)",
     "{'$dtId':'r1'}\n{'$dtId':'r2'}\n{'$dtId':'r3'}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[feeds|contains*..1]->(B) WHERE A.$dtId = 'r3'",
     "{'$dtId':'r1'}\n"},
    {"SELECT TOP(1) S.$dtId FROM DIGITALTWINS MATCH (B)-[*..2]->(S) WHERE B.$dtId = 'b1'",
     "{'$dtId':'h1'}\n"},
};

#endif
