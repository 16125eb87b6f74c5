#!/usr/bin/env python3
"""The sink `adt` against a service that counts, refuses, fails and loses answers."""
import json
import time

import fake_adt
import gemel

MAP = {"$dtId": "p-{id}", "$model": "dtmi:t:P;1", "name": "name", "price": {"from": "price", "type": "double"},
       "box": {"object": {"width": "width"}}}
FAST = {"patches": 0, "creates": 0, "reads": 0, "per_twin": 0, "models": 0}
CREATE = "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT, price REAL, width INTEGER, next INTEGER)"


class AdtCase(gemel.Case):
    def setUp(self):
        super().setUp()
        self.service = fake_adt.Service()
        self.service.__enter__()
        self.addCleanup(self.service.__exit__)
        self.model("Box", {"width": "integer"})
        self.model("P", {"name": "string", "price": "double"}, ["next"], components={"box": "Box"})
        self.sql("erp.db", CREATE)

    def sink(self, **settings):
        return {"adt": {"url": self.service.url, "auth": {"token": {"value": "secret"}}, "rate": FAST, **settings}}

    def pipeline(self, mapping=None, sink=None, **more):
        more.setdefault("missing", {"delete_after_runs": 1, "max_share": "100%"})
        more.setdefault("retry", {"first": "1ms", "longest": "2ms"})
        return {**gemel.table("erp.db", "p", "id", mapping or MAP), "sink": sink or self.sink(), **more}

    def start(self, rows=3, **more):
        self.sql("erp.db", "INSERT INTO p VALUES (?, ?, ?, ?, ?)", *((i, f"name {i}", i + 0.5, i, None) for i in range(1, rows + 1)))
        self.configure({"p": self.pipeline(**more)})
        return self.run_pipeline("p")

    def execute(self, script):
        self.sql("erp.db", script)

    def calls(self):
        calls = dict(self.service.calls)
        self.service.reset_calls()
        return calls


class Twins(AdtCase):
    def test_rows_become_twins_and_nothing_changed_costs_no_request(self):
        self.assertEqual(3, self.start().created)
        self.assertEqual({"name": "name 2", "price": 2.5, "box": {"$metadata": {}, "width": 2}}, self.service.twins["p-2"])
        self.assertEqual({"PUT twin": 3}, self.calls())
        self.assertEqual(3, self.run_pipeline("p").unchanged)
        self.assertEqual({}, self.calls())

    def test_a_change_is_one_patch_of_what_changed(self):
        self.start()
        self.calls()
        self.execute("UPDATE p SET name = 'other', price = NULL, width = 7 WHERE id = 2")
        self.assertEqual(1, self.run_pipeline("p").updated)
        self.assertEqual({"PATCH twin": 1}, self.calls())
        self.assertEqual({"name": "other", "box": {"$metadata": {}, "width": 7}}, self.service.twins["p-2"])
        self.execute("UPDATE p SET price = 4 WHERE id = 2")
        self.run_pipeline("p")
        self.assertEqual(4.0, self.service.twins["p-2"]["price"])
        self.assert_equal_to_source("p")

    def test_a_changed_row_that_changes_nothing_relevant_costs_no_request(self):
        self.start()
        self.calls()
        self.execute("UPDATE p SET next = 99")
        self.assertEqual(3, self.run_pipeline("p").same)
        self.assertEqual({}, self.calls())

    def test_a_map_without_a_property_takes_it_off(self):
        self.start()
        self.calls()
        self.configure({"p": self.pipeline({key: value for key, value in MAP.items() if key != "price"})})
        self.assertEqual(3, self.run_pipeline("p").updated)
        self.assertEqual({"PATCH twin": 3}, self.calls())
        self.assertNotIn("price", self.service.twins["p-1"])

    def test_a_twin_that_is_there_is_taken_over_and_never_deleted(self):
        self.service.twins["p-1"] = {"name": "old", "note": "theirs", "box": {"$metadata": {}}}
        self.service.models_of["p-1"] = "dtmi:t:P;1"
        self.service.mark("p-1")
        run = self.start()
        self.assertEqual((2, 1), (run.created, run.updated))
        self.assertEqual({"name": "name 1", "note": "theirs", "price": 1.5, "box": {"$metadata": {}, "width": 1}},
                         self.service.twins["p-1"])
        self.execute("DELETE FROM p WHERE id < 3")
        self.assertEqual(2, self.run_pipeline("p").deleted)
        self.assertEqual({"note": "theirs", "box": {"$metadata": {}}}, self.service.twins["p-1"])
        self.assertNotIn("p-2", self.service.twins)

    def test_a_twin_of_another_model_that_is_there_is_not_touched(self):
        self.service.twins["p-1"] = {"name": "old"}
        self.service.models_of["p-1"] = "dtmi:t:Other;1"
        self.service.mark("p-1")
        self.assertEqual(1, self.start().parked)
        self.assertEqual({"name": "old"}, self.service.twins["p-1"])
        self.assertIn("dtmi:t:Other;1", self.letters()[0]["error"])

    def test_a_twin_that_somebody_deleted_comes_back_with_its_next_change(self):
        self.start()
        del self.service.twins["p-2"], self.service.models_of["p-2"]
        self.execute("UPDATE p SET name = 'again' WHERE id = 2")
        self.run_pipeline("p")
        self.assertEqual({"name": "again", "price": 2.5, "box": {"$metadata": {}, "width": 2}}, self.service.twins["p-2"])

    def test_a_property_that_somebody_removed_does_not_stop_its_removal(self):
        self.start()
        del self.service.twins["p-2"]["price"]
        self.execute("UPDATE p SET price = NULL, name = 'other' WHERE id = 2")
        self.assertEqual(0, self.run_pipeline("p").parked)
        self.assertEqual({"name": "other", "box": {"$metadata": {}, "width": 2}}, self.service.twins["p-2"])

    def test_another_model_is_patched(self):
        self.start()
        self.model("Q", {"color": "string"}, extends="dtmi:t:P;1")
        self.configure({"p": self.pipeline({**MAP, "$model": "dtmi:t:Q;1"})})
        self.assertEqual(3, self.run_pipeline("p").updated)
        self.assertEqual("dtmi:t:Q;1", self.service.models_of["p-1"])

    def test_another_id_of_a_key_is_another_twin(self):
        self.start()
        self.configure({"p": self.pipeline({**MAP, "$dtId": "q-{id}"})})
        self.assertEqual(0, self.run_pipeline("p").parked)
        self.assertEqual(["q-1", "q-2", "q-3"], sorted(self.service.twins))

    def test_what_the_service_refuses_is_a_dead_letter_of_its_own(self):
        self.sql("erp.db", "INSERT INTO p VALUES (9, 'poison', 1, 1, NULL)")
        run = self.start()
        self.assertEqual((3, 1), (run.created, run.parked))
        self.assertIn("poison is not allowed", self.letters()[0]["error"])
        self.execute("UPDATE p SET name = 'cured' WHERE id = 9")
        self.assertEqual(1, self.run_pipeline("p").created)
        self.assertEqual([], self.letters())

    def test_a_letter_can_be_redriven(self):
        self.service.fail = None
        self.sql("erp.db", "INSERT INTO p VALUES (9, 'poison', 1, 1, NULL)")
        self.start()
        self.configure({"p": self.pipeline({**MAP, "name": {"value": "cured"}})})
        self.gemel("dead-letters", "redrive", "p", "--all")
        self.assertEqual("cured", self.service.twins["p-9"]["name"])
        self.assertEqual([], self.letters())
        self.run_pipeline("p")
        self.assert_equal_to_source("p")

    def test_two_keys_do_not_make_one_twin(self):
        self.start()
        self.configure({"p": self.pipeline({**MAP, "$dtId": "p-{width}"})})
        self.execute("INSERT INTO p VALUES (4, 'x', 1, 1, NULL)")
        self.assertEqual(1, self.run_pipeline("p").parked)
        self.assertEqual("name 1", self.service.twins["p-1"]["name"])

    def test_a_plan_sends_nothing(self):
        self.start()
        self.calls()
        self.execute("UPDATE p SET name = 'other' WHERE id = 1; INSERT INTO p VALUES (4, 'd', 1, 1, NULL); DELETE FROM p WHERE id = 3")
        plan = self.gemel("plan", "p", "--json").json()
        counts = plan["report"]["counts"]
        self.assertEqual((1, 1, 1), (counts["created"], counts["updated"], counts["deleted"]))
        self.assertEqual({}, self.calls())
        run = self.run_pipeline("p")
        self.assertEqual((1, 1, 1), (run.created, run.updated, run.deleted))

    def test_verification_reads_the_service(self):
        self.start()
        self.assert_equal_to_source("p")
        self.service.twins["p-2"]["name"] = "drifted"
        del self.service.twins["p-3"]
        self.service.twins["p-1"]["price"] = 1.5
        report = self.gemel("verify", "p", "--json", expect=gemel.FAILED).json()
        self.assertEqual([{"kind": "different", "key": "2"}, {"kind": "missing", "key": "3"}], report["differences"])
        self.run_all("--resync")
        self.assertEqual("name 2", self.service.twins["p-2"]["name"])
        self.assert_equal_to_source("p")

    def test_forgetting_leaves_or_deletes(self):
        self.start()
        self.gemel("forget", "p")
        self.assertEqual(3, len(self.service.twins))
        self.calls()
        run = self.run_pipeline("p")
        self.assertEqual((0, 3), (run.created, run.same))
        self.gemel("forget", "p", "--delete")
        self.assertEqual(3, len(self.service.twins))  # taken over, not made
        self.execute("UPDATE p SET id = id + 10")
        self.run_pipeline("p")
        self.gemel("forget", "p", "--delete")
        self.assertEqual(["p-1", "p-2", "p-3"], sorted(self.service.twins))

    def test_a_sink_of_the_other_kind_is_refused_until_the_pipeline_is_forgotten(self):
        self.start()
        self.configure({"p": self.pipeline(sink="twins")})
        run = self.run_pipeline("p", expect=gemel.FAILED)
        self.assertIn("gemel forget p", str(run))
        self.gemel("forget", "p")
        self.assertEqual(3, self.run_pipeline("p").created)


class Relationships(AdtCase):
    MAP = {**MAP, "relationships": [{"name": "next", "target": "p-{next}"}]}

    def test_relationships_are_made_after_their_ends_and_cost_one_request_each(self):
        self.sql("erp.db", "INSERT INTO p VALUES (1, 'a', 1, 1, 2), (2, 'b', 1, 1, 3), (3, 'c', 1, 1, 1)")
        self.configure({"p": self.pipeline(self.MAP)})
        self.run_pipeline("p")
        self.assertEqual({"PUT twin": 3, "PUT link": 3}, self.calls())
        self.assertEqual({("p-1", "next-p-2"), ("p-2", "next-p-3"), ("p-3", "next-p-1")}, set(self.service.links))
        self.execute("UPDATE p SET next = 3 WHERE id = 1")
        self.assertEqual(1, self.run_pipeline("p").updated)
        self.assertEqual({"PUT link": 1, "DELETE link": 1}, self.calls())
        self.execute("UPDATE p SET next = NULL WHERE id = 1")
        self.run_pipeline("p")
        self.assertEqual({"DELETE link": 1}, self.calls())
        self.assert_equal_to_source("p")

    def test_events_leave_relationships_alone_of_which_they_say_nothing(self):
        self.model("Q", {"name": "string"}, ["next", "before"])
        mapping = {"$dtId": "{$event.key}", "$model": "dtmi:t:Q;1", "name": "name",
                   "relationships": [{"name": "next", "target": "q-{next}"}, {"name": "before", "target": "q-{before}"}]}
        self.configure({"q": {"source": {"stream": {"name": "q"}}, "map": mapping, "sink": self.sink()}}, streams={"q": {"versions": True}})
        steps = [({"next": 2, "before": 2}, {"next-q-2", "before-q-2"}), ({"name": "x"}, {"next-q-2", "before-q-2"}),
                 ({"next": 3}, {"next-q-3", "before-q-2"}), ({"before": None}, {"next-q-3"})]
        events = [{"key": f"q-{n}", "name": "end"} for n in (2, 3)]
        for body, expected in steps:
            events.append({"key": "q-1", **body})
            self.gemel("append", "q", input="".join(json.dumps(one) + "\n" for one in events).encode())
            events = []
            self.run_pipeline("q")
            self.assertEqual(expected, {link for source, link in self.service.links if source == "q-1"})
        self.assertEqual("x", self.service.twins["q-1"]["name"])

    def test_a_relationship_waits_for_its_end(self):
        self.sql("erp.db", "INSERT INTO p VALUES (1, 'a', 1, 1, 2)")
        self.configure({"p": self.pipeline(self.MAP)})
        self.assertEqual(0, self.run_pipeline("p").parked)
        self.assertEqual({}, self.service.links)
        self.assertEqual([{"source": "p-1", "name": "next", "target": "p-2", "waiting_for": "p-2", "error": "is not there"}],
                         self.gemel("waiting", "--json").json())
        self.assert_equal_to_source("p")
        self.execute("INSERT INTO p VALUES (2, 'b', 1, 1, NULL)")
        self.run_pipeline("p")
        self.assertEqual([("p-1", "next-p-2")], list(self.service.links))
        self.calls()
        self.run_pipeline("p")
        self.assertEqual({}, self.calls())

    def test_a_relationship_to_somebody_elses_twin_is_made_by_the_next_run(self):
        self.sql("erp.db", "INSERT INTO p VALUES (1, 'a', 1, 1, 77)")
        self.configure({"p": self.pipeline(self.MAP)})
        self.run_pipeline("p")
        self.service.twins["p-77"] = {}
        self.service.models_of["p-77"] = "dtmi:t:P;1"
        self.service.mark("p-77")
        self.run_pipeline("p")
        self.assertEqual([("p-1", "next-p-77")], list(self.service.links))

    def test_a_relationship_that_waited_and_is_refused_goes_on_waiting_and_says_why(self):
        self.sql("erp.db", "INSERT INTO p VALUES (1, 'a', 1, 1, 77)")
        self.configure({"p": self.pipeline(self.MAP)})
        self.run_pipeline("p")
        self.service.twins["p-77"] = {}
        self.service.models_of["p-77"] = "dtmi:t:P;1"
        self.service.mark("p-77")
        self.service.fail = lambda method, path: 400 if method == "PUT" else None
        self.run_pipeline("p")
        self.assertIn("400 Unavailable", self.gemel("waiting", "--json").json()[0]["error"])
        self.service.fail = None
        self.run_pipeline("p")
        self.assertEqual([("p-1", "next-p-77")], list(self.service.links))
        self.assertEqual([], self.gemel("waiting", "--json").json())

    def test_deleting_a_twin_takes_our_relationships_and_keeps_what_waits_for_it(self):
        self.sql("erp.db", "INSERT INTO p VALUES (1, 'a', 1, 1, 2), (2, 'b', 1, 1, 1), (3, 'c', 1, 1, 2)")
        self.configure({"p": self.pipeline(self.MAP)})
        self.run_pipeline("p")
        self.execute("DELETE FROM p WHERE id = 2")
        run = self.run_pipeline("p")
        self.assertEqual(1, run.deleted, run)
        self.assertEqual({"p-1", "p-3"}, set(self.service.twins))
        self.assertEqual({}, self.service.links)
        self.execute("INSERT INTO p VALUES (2, 'b', 1, 1, 1)")
        self.run_pipeline("p")
        self.assertEqual({("p-1", "next-p-2"), ("p-2", "next-p-1"), ("p-3", "next-p-2")}, set(self.service.links))
        self.assert_equal_to_source("p")

    def test_others_relationships_keep_a_twin_unless_told(self):
        self.start(mapping=self.MAP)
        self.service.twins["theirs"] = {}
        self.service.models_of["theirs"] = "dtmi:t:P;1"
        self.service.links["theirs", "x"] = {"$relationshipName": "next", "$targetId": "p-1"}
        self.service.mark("theirs")
        self.service.mark(("theirs", "x"))
        self.execute("DELETE FROM p WHERE id < 3")
        run = self.run_pipeline("p")
        self.assertEqual(1, run.deleted)
        self.assertIn("theirs/x", run.reason)
        self.assertEqual({"theirs", "p-1", "p-3"}, set(self.service.twins))
        self.configure({"p": self.pipeline(self.MAP, self.sink(other_relationships="remove"))})
        self.assertEqual(1, self.run_pipeline("p").deleted)
        self.assertEqual({"theirs", "p-3"}, set(self.service.twins))

    def test_rows_of_a_join_table_are_relationships(self):
        self.start()
        self.sql("erp.db", "CREATE TABLE j (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER); INSERT INTO j VALUES (1, 1, 2), (2, 2, 9)")
        join = gemel.table("erp.db", "j", "id", {"relationship": {"name": "next", "source": "p-{a}", "target": "p-{b}", "id": "j-{id}"}})
        self.configure({"p": self.pipeline(), "j": {**join, "sink": self.sink(), "missing": {"delete_after_runs": 1, "max_share": "100%"}}})
        self.assertEqual(2, self.run_pipeline("j").created)
        self.assertEqual([("p-1", "j-1")], list(self.service.links))
        self.execute("UPDATE j SET b = 3 WHERE id = 1")
        self.run_pipeline("j")
        self.assertEqual("p-3", self.service.links["p-1", "j-1"]["$targetId"])
        self.assert_equal_to_source("j")
        self.execute("DELETE FROM j WHERE id = 1")
        self.run_pipeline("j")
        self.assertEqual({}, self.service.links)


class Trouble(AdtCase):
    def test_answers_that_get_lost_leave_no_duplicate_and_no_lost_claim(self):
        lost = set()

        def lose(method, path):
            if method == "GET" or (method, path) in lost:
                return False
            lost.add((method, path))
            return True

        self.service.lose = lose
        run = self.start(20)
        self.assertEqual((20, 0), (run.created, run.parked))
        self.execute("UPDATE p SET name = NULL, price = 9")
        self.assertEqual(0, self.run_pipeline("p").parked)
        self.assert_equal_to_source("p")
        self.execute("DELETE FROM p WHERE id <= 5")
        self.assertEqual(5, self.run_pipeline("p").deleted)
        self.assertEqual(15, len(self.service.twins))

    def test_a_twin_whose_creation_got_no_answer_goes_with_its_row_whatever_was_tried_since(self):
        self.sql("erp.db", "INSERT INTO p VALUES (?, ?, ?, ?, ?)", *((i, "first", 1, 1, None) for i in range(1, 30)))
        self.configure({"p": self.pipeline(retry={"attempts": 1}, sink=self.sink(patience="1s"))})
        self.service.lose = lambda method, path: True
        for name in ("second", "third", "fourth"):
            self.run_pipeline("p", expect=gemel.FAILED)
            self.execute(f"UPDATE p SET name = '{name}'")
        self.assertTrue(self.service.twins)
        self.service.lose = None
        self.execute("DELETE FROM p WHERE id > 1")
        self.run_pipeline("p")
        self.assertEqual(["p-1"], list(self.service.twins))
        self.execute("DELETE FROM p; INSERT INTO p VALUES (100, 'other', 1, 1, NULL)")
        self.run_pipeline("p")
        self.assertEqual(["p-100"], list(self.service.twins))

    def test_a_service_that_is_down_is_tried_again_and_then_told(self):
        self.service.fail = lambda method, path: 500
        self.sql("erp.db", "INSERT INTO p VALUES (1, 'a', 1, 1, NULL)")
        self.configure({"p": self.pipeline(retry={"attempts": 2, "first": "1ms", "longest": "2ms"}, sink=self.sink(patience="1s"))})
        run = self.run_pipeline("p", expect=gemel.FAILED)
        self.assertEqual(("retry", 2, 0), (run.error["code"], run.report["attempts"], run.parked))
        self.service.fail = None
        self.assertEqual(1, self.run_pipeline("p").created)

    def test_refusals_wait_as_long_as_the_service_says(self):
        self.start(1)
        self.service.retry_after = "1"
        state = {"left": 3}

        def fail(method, path):
            state["left"] -= 1
            return 429 if state["left"] >= 0 else None

        self.service.fail = fail
        self.execute("UPDATE p SET name = 'later'")
        before = time.monotonic()
        self.assertEqual(1, self.run_pipeline("p").updated)
        self.assertGreater(time.monotonic() - before, 2.9)

    def test_a_throttled_service_is_fed_within_its_limit(self):
        self.service.limit = 200
        run = self.start(600, sink=self.sink(rate={**FAST, "creates": 200}))
        self.assertEqual(600, run.created)
        self.assertLess(self.service.refused, 10)
        times = [at for at, _ in self.service.times]
        rate = (len(times) - 1) / (times[-1] - times[0])
        self.assertTrue(190 <= rate <= 200, rate)

    def test_a_storm_of_refusals_ends_with_everything_delivered(self):
        self.service.limit = 150
        self.service.retry_after = "0.05"
        run = self.start(400)  # no budget of our own
        self.assertEqual((400, 0), (run.created, run.parked))
        self.assertGreater(self.service.refused, 0)
        self.assert_equal_to_source("p")

    def test_a_wrong_token_is_no_dead_letter(self):
        self.service.token = "another"
        self.sql("erp.db", "INSERT INTO p VALUES (1, 'a', 1, 1, NULL)")
        self.configure({"p": self.pipeline()})
        run = self.run_pipeline("p", expect=gemel.FAILED)
        self.assertEqual(0, run.parked)
        self.assertIn("credentials", str(run))
        self.assertNotIn("secret", self.log)

    def test_models_are_uploaded_in_order_and_once(self):
        self.start(sink=self.sink(upload_models=True))
        self.assertEqual({"dtmi:t:Box;1", "dtmi:t:P;1"}, set(self.service.models))
        self.calls()
        self.execute("UPDATE p SET name = 'x' WHERE id = 1")
        self.run_pipeline("p")
        self.assertEqual({"GET models": 1, "PATCH twin": 1}, self.calls())


class Credentials(AdtCase):
    def test_client_credentials_are_asked_for_and_renewed(self):
        auth = {"client_credentials": {"token_url": self.service.url + "/token", "client_id": "me", "client_secret": "${file:hush}"}}
        self.write("hush", "hush hush\n")
        self.assertEqual(3, self.start(sink=self.sink(auth=auth)).created)
        self.assertEqual(1, self.service.issued)
        self.assertEqual(["https://digitaltwins.azure.net/.default"], self.service.form["scope"])
        state = {"done": False}

        def fail(method, path):  # the token is taken back while the run is under way
            if not state["done"]:
                state["done"] = True
                self.service.token = "revoked"
            return None

        self.execute("UPDATE p SET name = 'new'")
        self.service.fail = fail
        self.assertEqual(3, self.run_pipeline("p").updated)
        self.assertEqual(3, self.service.issued)  # two runs, and once for all calls that met the old one
        self.assertNotIn("hush hush", self.log)

    def test_a_refused_secret_is_told_without_it(self):
        auth = {"client_credentials": {"token_url": self.service.url + "/token", "client_id": "me", "client_secret": "${file:hush}"}}
        self.write("hush", "wrong secret\n")
        self.sql("erp.db", "INSERT INTO p VALUES (1, 'a', 1, 1, NULL)")
        self.configure({"p": self.pipeline(sink=self.sink(auth=auth))})
        run = self.run_pipeline("p", expect=gemel.FAILED)
        self.assertIn("invalid_client", str(run))
        self.assertNotIn("wrong secret", str(run) + self.log)

    def test_a_managed_identity_is_asked_for(self):
        auth = {"managed_identity": {"endpoint": self.service.url + "/token"}}
        self.assertEqual(3, self.start(sink=self.sink(auth=auth)).created)
        self.assertEqual(["https://digitaltwins.azure.net"], self.service.form["resource"])


if __name__ == "__main__":
    gemel.main()
