#!/usr/bin/env python3
"""Queries over the twin API: operation 6."""
import concurrent.futures
import threading
import time

import adt
import gemel


class Queries(adt.Case):
    def setUp(self):
        super().setUp()
        self.model("Room", {"temp": "double", "name": "string"}, relationships=["next"])

    def fill(self, count, **api):
        server = self.serve(**api)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: server.make(f"r{number:03}", "Room", temp=number), range(count)))
        return server

    def test_rows_and_the_charge(self):
        server = self.fill(3)
        answer = server.post("/query", {"query": "SELECT T.$dtId AS id, T.temp FROM DIGITALTWINS T WHERE T.temp > 0"})
        self.assertEqual(200, answer.status, answer)
        self.assertEqual([{"id": "r001", "temp": 1}, {"id": "r002", "temp": 2}], sorted(answer.json["value"], key=lambda row: row["id"]))
        self.assertIsNone(answer.json["continuationToken"])
        self.assertGreater(float(answer.headers["query-charge"]), 0)
        whole = server.post("/Query", {"query": "select * from digitaltwins"}).json["value"]
        self.assertEqual([server.get(f"/digitaltwins/r{number:03}").json for number in range(3)],
                         sorted(whole, key=lambda row: row["$dtId"]))
        self.assertEqual([{"COUNT": 3}], server.query("SELECT COUNT() FROM DIGITALTWINS"))
        self.assertEqual([], server.query("SELECT * FROM DIGITALTWINS WHERE nothing = 1"))

    def test_a_query_sees_every_write_that_was_answered(self):
        server = self.fill(1)
        for number in range(100):
            server.patch("/digitaltwins/r000", [{"op": "replace", "path": "/temp", "value": number}])
            self.assertEqual([{"temp": number}], server.query("SELECT T.temp FROM DIGITALTWINS T WHERE T.$dtId = 'r000'"))
        server.delete("/digitaltwins/r000")
        self.assertEqual([{"COUNT": 0}], server.query("SELECT COUNT() FROM DIGITALTWINS"))

    # ---- pages ----

    def test_pages(self):
        server = self.fill(25)
        text = "SELECT * FROM DIGITALTWINS WHERE temp >= 3"
        wanted = {f"r{number:03}" for number in range(3, 25)}
        for page in (1, 7, 22, 1000):
            with self.subTest(page=page):
                rows = server.query(text, page)
                self.assertEqual((22, wanted), (len(rows), {row["$dtId"] for row in rows}))
        first = server.post("/query", {"query": text}, max_items_per_page="10").json
        self.assertEqual(10, len(first["value"]))
        for request in ({"continuationToken": first["continuationToken"]}, {"query": text, "continuationToken": first["continuationToken"]},
                        {"query": None, "continuationToken": first["continuationToken"]}):
            second = server.post("/query", request, max_items_per_page="10").json
            self.assertEqual((10, set()), (len(second["value"]),
                                           {row["$dtId"] for row in first["value"]} & {row["$dtId"] for row in second["value"]}))

    def test_a_page_has_a_hundred_rows_and_at_most_a_thousand(self):
        server = self.fill(110, limits={"query_page": 105})
        for headers, count in (({}, 100), ({"max_items_per_page": "2000000000"}, 105), ({"max_items_per_page": " 3 "}, 3)):
            with self.subTest(headers=headers):
                self.assertEqual(count, len(server.post("/query", {"query": "SELECT * FROM DIGITALTWINS"}, **headers).json["value"]))
        for number in ("0", "-1", "x", "1.5", ""):
            with self.subTest(number=number):
                answer = server.post("/query", {"query": "SELECT * FROM DIGITALTWINS"}, max_items_per_page=number)
                self.refused(answer, 400, "InvalidArgument")

    def test_pages_are_stable_while_others_write(self):
        server = self.fill(80)
        stop = threading.Event()

        def churn():
            number = 0
            while not stop.is_set():
                server.make(f"r{number % 80:03}x", "Room", temp=-1)
                server.patch(f"/digitaltwins/r{number % 80:03}", [{"op": "replace", "path": "/name", "value": str(number)}])
                server.delete(f"/digitaltwins/r{number % 80:03}x")
                number += 1

        writers = [threading.Thread(target=churn) for _ in range(1)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(5):
                ids = [row["$dtId"] for row in server.query("SELECT * FROM DIGITALTWINS", 9)]
                self.assertEqual(len(ids), len(set(ids)))
                self.assertEqual([f"r{number:03}" for number in range(80)], sorted(one for one in ids if not one.endswith("x")))
        finally:
            stop.set()
            for writer in writers:
                writer.join()

    def test_a_page_that_would_be_too_large_is_refused(self):
        self.model("Note", {f"text{number}": "string" for number in range(8)})
        server = self.serve(limits={"query_memory": "1MiB"})
        for number in range(40):
            server.make(f"n{number}", "Note", **{f"text{part}": "x" * 4000 for part in range(8)})
        message = self.refused(server.post("/query", {"query": "SELECT * FROM DIGITALTWINS"}), 400, "LimitExceeded")
        self.assertIn("max-items-per-page", message)
        self.assertEqual(40, len(server.query("SELECT * FROM DIGITALTWINS", 10)))

    # ---- what is wrong ----

    def test_wrong_queries_say_where(self):
        server = self.fill(0)
        message = self.refused(server.post("/query", {"query": "foo"}), 400, "SqlQueryError")
        self.assertEqual("SQL query parse failed: SQL Parser Error, Line=1, Position=0, Message=missing SELECT at 'foo' "
                         "See samples in https://aka.ms/adtv2query for the correct syntax.", message)
        message = self.refused(server.post("/query", {"query": "SELECT *\nFROM ROOMS"}), 400, "SqlQueryError")
        self.assertIn("Line=2, Position=5, Message=", message)
        for text in ("SELECT", "SELECT * FROM DIGITALTWINS WHERE", "SELECT * FROM DIGITALTWINS WHERE a = 'b", "SELECT * FROM DIGITALTWINS; DROP TABLE twins",
                     "' OR 1=1 --", "SELECT TOP(x) FROM DIGITALTWINS", "SELECT * FROM DIGITALTWINS WHERE " + "(" * 5000, "\u0000", "SELECT \ud83d\ude00"):
            with self.subTest(text=text[:40]):
                self.refused(server.post("/query", {"query": text}), 400, "SqlQueryError")

    def test_limits_of_a_query(self):
        server = self.fill(0)
        for text in ("SELECT * FROM DIGITALTWINS WHERE name = '" + "x" * 8000 + "'",
                     "SELECT * FROM DIGITALTWINS WHERE " + " AND ".join(["temp > 1"] * 60),
                     "SELECT * FROM DIGITALTWINS WHERE name IN [" + ",".join(["'a'"] * 51) + "]"):
            with self.subTest(text=text[-20:]):
                self.assertEqual(400, server.post("/query", {"query": text}).status)

    def test_wrong_bodies_and_tokens(self):
        server = self.fill(2)
        for body in ("", "{", "[]", "null", "1", "{}", '{"query":1}', '{"query":""}', '{"query":["x"]}', '{"query":"x","query":"y"}',
                     b'{"query":"\xff"}', b"\x00", '{"continuationToken":{}}'):
            with self.subTest(body=body):
                self.assertEqual(400, server.post("/query", body).status)
        text = "SELECT * FROM DIGITALTWINS"
        token = server.post("/query", {"query": text}, max_items_per_page="1").json["continuationToken"]
        for wrong in ("x", "00", token[:-2], token + "00", token.replace("7b", "5b", 1), "7b7d"):
            with self.subTest(token=wrong[:20]):
                self.refused(server.post("/query", {"continuationToken": wrong}), 400, "BadRequest")
        self.refused(server.post("/query", {"query": text + " WHERE temp = 1", "continuationToken": token}), 400, "BadRequest")

    def test_a_long_query_ends_at_its_deadline_and_holds_up_nobody(self):
        server = self.fill(60, limits={"query_time": "300ms"})
        for number in range(59):
            for other in range(0, 59, 4):
                if other != number:
                    server.link(f"r{number:03}", f"l{other}", "next", f"r{other:03}")
        text = "SELECT COUNT() FROM DIGITALTWINS MATCH (a)-[:next*9..10]-(b)-[:next*9..10]-(c) WHERE a.$dtId = 'r000'"
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            began = time.monotonic()
            slow = pool.submit(server.post, "/query", {"query": text})
            while not slow.done():
                self.assertEqual(200, server.get("/digitaltwins/r000").status)
            self.refused(slow.result(), 400, "TimeoutError")
            self.assertLess(time.monotonic() - began, 20)


if __name__ == "__main__":
    gemel.main()
