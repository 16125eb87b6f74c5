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


if __name__ == "__main__":
    gemel.main()
