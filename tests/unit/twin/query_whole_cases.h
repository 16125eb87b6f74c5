/* Queries on the building that order, group and make distinct; the same on every engine. */
#ifndef TESTS_UNIT_TWIN_QUERY_WHOLE_CASES_H
#define TESTS_UNIT_TWIN_QUERY_WHOLE_CASES_H

#include "query_cases.h"

static const struct query_case whole_cases[] = {
    /* undefined, then numbers, then texts; the other way round with DESC */
    {"SELECT $dtId FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Thing;1') ORDER BY temperature",
     "{'$dtId':'r3'}\n{'$dtId':'r2'}\n{'$dtId':'r1'}\n{'$dtId':'h1'}\n{'$dtId':'r9'}\n"},
    {"SELECT $dtId FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Thing;1') ORDER BY temperature DESC",
     "{'$dtId':'r9'}\n{'$dtId':'h1'}\n{'$dtId':'r1'}\n{'$dtId':'r2'}\n{'$dtId':'r3'}\n"},
    {"SELECT $dtId FROM DIGITALTWINS ORDER BY value DESC, $dtId DESC",
     "{'$dtId':'s2'}\n{'$dtId':'s1'}\n{'$dtId':'s3'}\n{'$dtId':'s4'}\n{'$dtId':'r9'}\n"
     "{'$dtId':'r3'}\n{'$dtId':'r2'}\n{'$dtId':'r1'}\n{'$dtId':'h1'}\n{'$dtId':'b1'}\n"},
    {"SELECT TOP(2) name AS n FROM DIGITALTWINS WHERE IS_STRING(name) ORDER BY n",
     "{'n':'D`Souza\\\\ 100%'}\n{'n':'Den'}\n"},
    {"SELECT * FROM DIGITALTWINS WHERE value > 0 ORDER BY value DESC",
     "{'$dtId':'s2','$metadata':{'$model':'dtmi:t:Sensor;1'},'value':2.5}\n"
     "{'$dtId':'s1','$metadata':{'$model':'dtmi:t:Sensor;1'},'value':1}\n"},
    {"SELECT $dtId FROM DIGITALTWINS WHERE IS_DEFINED(occupied) OR $dtId = 's1' ORDER BY occupied",
     "{'$dtId':'s1'}\n{'$dtId':'r2'}\n{'$dtId':'r1'}\n"},
    {"SELECT $dtId FROM DIGITALTWINS WHERE IS_OBJECT(tags) ORDER BY tags ASC",
     "{'$dtId':'r1'}\n{'$dtId':'r2'}\n"},
    {"SELECT $dtId FROM DIGITALTWINS WHERE $dtId < 'r2' ORDER BY $metadata.$lastUpdateTime, "
     "$metadata.$model DESC, $dtId",
     "{'$dtId':'r1'}\n{'$dtId':'h1'}\n{'$dtId':'b1'}\n"},
    {"SELECT $relationshipId AS r FROM RELATIONSHIPS WHERE $relationshipName = 'feeds' "
     "ORDER BY $targetId DESC",
     "{'r':'f23'}\n{'r':'f12'}\n{'r':'f31'}\n"},
    {"SELECT S.$dtId AS s, R.$dtId AS r FROM DIGITALTWINS B JOIN R RELATED B.contains JOIN S "
     "RELATED R.contains WHERE B.$dtId = 'b1' ORDER BY R.name DESC, S.value DESC",
     "{'r':'r1','s':'s2'}\n{'r':'r1','s':'s1'}\n{'r':'h1','s':'s4'}\n{'r':'r2','s':'s3'}\n"},
    {"SELECT X.$dtId, R FROM DIGITALTWINS B JOIN X RELATED B.contains R WHERE B.$dtId = 'b1' AND "
     "IS_DEFINED(R.since) ORDER BY R.since DESC",
     "{'$dtId':'r2','R':{'$relationshipId':'b1-r2','$relationshipName':'contains','$sourceId':"
     "'b1','$targetId':'r2','since':2019}}\n"
     "{'$dtId':'r1','R':{'$relationshipId':'b1-r1','$relationshipName':'contains','$sourceId':"
     "'b1','$targetId':'r1','kind':'old','since':2001}}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[:feeds|contains*..2]->(B) WHERE A.$dtId = 'r3' "
     "ORDER BY B.$dtId DESC",
     "{'$dtId':'s2'}\n{'$dtId':'s1'}\n{'$dtId':'r2'}\n{'$dtId':'r1'}\n"},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (A)-[:feeds*..2]-(B) WHERE A.$dtId = 'r1' "
     "ORDER BY B.name",
     "{'$dtId':'r3'}\n{'$dtId':'r3'}\n{'$dtId':'r2'}\n{'$dtId':'r2'}\n"},
    /* groups */
    {"SELECT $metadata.$model AS m, COUNT() AS n FROM DIGITALTWINS GROUP BY $metadata.$model "
     "ORDER BY n DESC, m",
     "{'m':'dtmi:t:Sensor;1','n':4}\n{'m':'dtmi:t:Room;1','n':3}\n{'m':'dtmi:t:Building;1','n':1}\n"
     "{'m':'dtmi:t:Hall;1','n':1}\n{'m':'dtmi:t:Room;2','n':1}\n"},
    {"SELECT occupied, COUNT() FROM DIGITALTWINS GROUP BY occupied",
     "{'COUNT':8}\n{'COUNT':1,'occupied':false}\n{'COUNT':1,'occupied':true}\n"},
    {"SELECT COUNT() AS n, COUNT(value) AS v, SUM(value) AS s, AVG(value) AS a, MIN(value) AS l, "
     "MAX(value) AS h FROM DIGITALTWINS",
     "{'a':0.16666666666666666,'h':2.5,'l':-3,'n':10,'s':0.5,'v':3}\n"},
    {"SELECT SUM(volume), COUNT() FROM RELATIONSHIPS", "{'COUNT':10,'SUM':7}\n"},
    {"SELECT MIN(temperature), MAX(temperature), AVG(nothing), COUNT(nothing) FROM DIGITALTWINS",
     "{'COUNT':0,'MAX':'warm','MIN':18}\n"},
    {"SELECT MIN(name) AS a, MAX(name) AS b FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Room;1')",
     "{'a':'D`Souza\\\\ 100%','b':'New'}\n"},
    {"SELECT MIN($metadata.$lastUpdateTime) AS t FROM DIGITALTWINS",
     "{'t':'2023-11-14T22:13:20.0000000Z'}\n"},
    {"SELECT R.$dtId AS room, COUNT() AS sensors, MAX(S.value) AS top FROM DIGITALTWINS R JOIN S "
     "RELATED R.contains WHERE IS_OF_MODEL(S, 'dtmi:t:Sensor;1') GROUP BY R.$dtId "
     "ORDER BY MAX(S.value) DESC, R.$dtId",
     "{'room':'r1','sensors':2,'top':2.5}\n{'room':'r2','sensors':1,'top':-3}\n"
     "{'room':'h1','sensors':1}\n"},
    {"SELECT R, COUNT() AS n FROM DIGITALTWINS R JOIN S RELATED R.contains WHERE "
     "R.$dtId IN ['h1', 'r2'] GROUP BY R ORDER BY n",
     "{'R':{'$dtId':'r2','$metadata':{'$model':'dtmi:t:Room;1'},'name':'Den','occupied':false,"
     "'tags':{'round':'','size':'big'},'temperature':18,'thermostat':{}},'n':1}\n"
     "{'R':{'$dtId':'h1','$metadata':{'$model':'dtmi:t:Hall;1'},'name':'Hall','temperature':30,"
     "'thermostat':{}},'n':1}\n"},
    {"SELECT tags.size AS s, floors, COUNT() FROM DIGITALTWINS WHERE IS_OBJECT(tags) GROUP BY "
     "tags.size, floors",
     "{'COUNT':1,'s':'big'}\n{'COUNT':1,'floors':[1,2],'s':'small'}\n"},
    {"SELECT COUNT() AS n FROM DIGITALTWINS WHERE nothing = 1", "{'n':0}\n"},
    {"SELECT name, COUNT() FROM DIGITALTWINS WHERE nothing = 1 GROUP BY name", ""},
    {"SELECT TOP(1) $relationshipName AS r, COUNT() AS n FROM RELATIONSHIPS GROUP BY "
     "$relationshipName ORDER BY COUNT() DESC",
     "{'n':7,'r':'contains'}\n"},
    /* distinct */
    {"SELECT DISTINCT $relationshipName FROM RELATIONSHIPS",
     "{'$relationshipName':'contains'}\n{'$relationshipName':'feeds'}\n"},
    {"SELECT DISTINCT TOP(1) A.$dtId FROM DIGITALTWINS A JOIN B RELATED A.contains ORDER BY "
     "A.$dtId DESC",
     "{'$dtId':'r2'}\n"},
    {"SELECT DISTINCT A FROM DIGITALTWINS A JOIN B RELATED A.contains WHERE A.$dtId = 'r2'",
     "{'A':{'$dtId':'r2','$metadata':{'$model':'dtmi:t:Room;1'},'name':'Den','occupied':false,"
     "'tags':{'round':'','size':'big'},'temperature':18,'thermostat':{}}}\n"},
    {"SELECT DISTINCT R FROM DIGITALTWINS A JOIN B RELATED A.feeds R JOIN C RELATED A.contains "
     "WHERE A.$dtId = 'r1'",
     "{'R':{'$relationshipId':'f12','$relationshipName':'feeds','$sourceId':'r1',"
     "'$targetId':'r2','volume':7}}\n"},
    {"SELECT DISTINCT B.$dtId AS b FROM DIGITALTWINS MATCH (A)-[:feeds*..3]-(B) WHERE "
     "A.$dtId = 'r1' AND B.$dtId != 'r1'",
     "{'b':'r2'}\n{'b':'r3'}\n"},
    {"SELECT DISTINCT * FROM DIGITALTWINS WHERE value = 1",
     "{'$dtId':'s1','$metadata':{'$model':'dtmi:t:Sensor;1'},'value':1}\n"},
    {"SELECT DISTINCT, COUNT FROM DIGITALTWINS WHERE $dtId = 'r1'", "{}\n"},
};

#endif
