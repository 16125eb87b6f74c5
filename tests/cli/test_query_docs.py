#!/usr/bin/env python3
"""Statements of docs/query.md run on the graph that it shows, and give the rows that stand behind them."""
import json
import re

import gemel


class Statements(gemel.Case):
    def blocks(self):
        text = (gemel.SOURCE / "docs" / "query.md").read_text(encoding="utf-8")
        return [(text.count("\n", 0, match.start()) + 1, match[1], match[2])
                for match in re.finditer(r"^```(ndjson|sql|jsonl)\n(.*?)^```$", text, re.S | re.M)]

    def test_every_statement_gives_the_rows_shown(self):
        blocks = self.blocks()
        graph = next(text for _, language, text in blocks if language == "ndjson")
        self.gemel("import", self.write("graph.ndjson", graph), "--data", "data")
        checked = 0
        for (line, language, text), following in zip(blocks, [*blocks[1:], (0, "", "")]):
            if language != "sql":
                continue
            with self.subTest(line=line):
                result = self.gemel("query", text.strip(), "--json", "--data", "data")
                if following[1] == "jsonl":
                    self.assertEqual(result.json_lines(), [json.loads(row) for row in following[2].splitlines()])
                self.gemel("query", text.strip(), "--explain", "--data", "data")
                checked += 1
        self.assertGreater(checked, 8)

    def test_a_query_stops_at_its_timeout(self):
        lines = ['{"Section":"Header"}', '{"fileVersion":"1.0.0"}', '{"Section":"Models"}',
                 '{"@context":"dtmi:dtdl:context;3","@id":"dtmi:t:A;1","@type":"Interface","contents":'
                 '[{"@type":"Relationship","name":"r"}]}', '{"Section":"Twins"}']
        lines += [json.dumps({"$dtId": f"t{i}", "$metadata": {"$model": "dtmi:t:A;1"}}) for i in range(60)]
        lines += ['{"Section":"Relationships"}']
        lines += [json.dumps({"$dtId": f"t{i}", "$relationshipId": f"{i}-{k}", "$targetId": f"t{k}", "$relationshipName": "r"})
                  for i in range(60) for k in range(60) if i != k]
        self.gemel("import", self.write("graph.ndjson", "\n".join(lines)), "--data", "data")
        endless = "SELECT COUNT() FROM DIGITALTWINS MATCH (A)-[*6]->(B)"
        done = self.gemel("query", endless, "--timeout", "50ms", "--data", "data", expect=None)
        self.assertNotEqual(done.code, gemel.DONE)
        self.assertIn("deadline", done.err)
        self.gemel("query", endless, "--timeout", "soon", "--data", "data", expect=gemel.USAGE)


if __name__ == "__main__":
    gemel.main()
