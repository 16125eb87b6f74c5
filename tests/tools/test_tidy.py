#!/usr/bin/env python3
"""The checks of ./dev tidy find what they are for, and leave the rest alone."""
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from tidylib import checks, comments, source  # noqa: E402

RANKS = "```\n 0   src/base/   x\n 1   src/os/     x\n 2   src/db/     x\n 4   src/connect/ x\n```\n"


def findings(check, path, text):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "ARCHITECTURE.md").write_text(RANKS)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        return [finding.text for finding in check(checks.Project(root, [path]))]


class Ranks(unittest.TestCase):
    def test_a_lower_rank_and_the_own_folder_may_be_included(self):
        self.assertEqual([], findings(checks.ranks, "src/db/a.c", '#include "os/file.h"\n#include "db/db.h"\n#include "db_sql.h"\n'))

    def test_the_same_or_a_higher_rank_may_not(self):
        self.assertEqual(1, len(findings(checks.ranks, "src/os/a.c", '#include "db/db.h"\n')))

    def test_connectors_do_not_include_each_other(self):
        self.assertEqual(1, len(findings(checks.ranks, "src/connect/csv/a.c", '#include "connect/sql/b.h"\n')))
        self.assertEqual([], findings(checks.ranks, "src/connect/csv/a.c", '#include "connect/csv/b.h"\n#include "connect/connector.h"\n'))
        self.assertEqual([], findings(checks.ranks, "src/connect/registry.c", '#include "connect/csv/b.h"\n'))

    def test_a_folder_without_a_rank_is_a_finding(self):
        self.assertEqual(1, len(findings(checks.ranks, "src/new/a.c", "int a;\n")))


class Calls(unittest.TestCase):
    def test_banned_calls_are_found_but_not_in_comments_and_strings(self):
        text = '/* strcpy(a, b) */\nconst char *s = "strcpy(x)";\nvoid f(void)\n{\n    strcpy(a, b);\n}\n'
        self.assertEqual(1, len(findings(checks.calls, "src/db/a.c", text)))

    def test_members_of_that_name_are_no_calls_of_it(self):
        self.assertEqual([], findings(checks.calls, "src/db/a.c", "void f(void)\n{\n    self->open(x);\n    self.time(y);\n}\n"))

    def test_a_part_may_keep_a_call_to_itself(self):
        text = "void f(void)\n{\n    free(getenv(x));\n}\n"
        self.assertEqual(2, len(findings(checks.calls, "src/db/a.c", text)))
        self.assertEqual(1, len(findings(checks.calls, "src/os/a.c", text)))
        self.assertEqual(1, len(findings(checks.calls, "src/base/a.c", text)))

    def test_a_waiver_on_the_spot_covers_its_line_and_the_next(self):
        text = "void f(void)\n{\n    /* tidy: calls: the library made it */\n    free(x);\n    free(y);\n}\n"
        self.assertEqual(1, len(findings(checks.calls, "src/db/a.c", text)))


class Functions(unittest.TestCase):
    def functions(self, text):
        return [(one.name, one.parameter_count, one.defined) for one in source.read("src/db/a.c", text).functions]

    def test_definitions_and_prototypes_are_told_from_data(self):
        text = ("struct a {\n    int (*open)(int, int, int, int, int, int);\n};\n"
                "static const struct a table[] = {{.open = f(1, 2)}, {0}};\n"
                "#define F(a, b, c, d, e, g) f(a)\n"
                "int g(int a, void (*b)(int, int), char c);\n"
                "static int h(void)\n{\n    if (x) {\n        g(1, 2, 3);\n    }\n}\n"
                "enum e { A = F(1) };\n"
                "void k(const char *fmt, ...) GM_PRINTF(1, 2);\n"
                "const struct gm_x *m(struct a *a,\n                     int b) GM_MUST_CHECK;\n")
        self.assertEqual([("g", 3, False), ("h", 0, True), ("k", 1, False), ("m", 2, False)], self.functions(text))

    def test_six_parameters_are_one_too_many(self):
        self.assertEqual(1, len(findings(checks.params, "src/db/a.c", "int f(int a, int b, int c, int d, int e, int g);\n")))
        self.assertEqual([], findings(checks.params, "src/db/a.c", "int f(int a, int b, int c, int d, int e);\n"))

    def test_lengths_count_from_signature_to_closing_brace(self):
        body = "    x();\n" * 97
        self.assertEqual([], findings(checks.function_length, "src/db/a.c", "void f(void)\n{\n" + body + "}\n"))
        self.assertEqual(1, len(findings(checks.function_length, "src/db/a.c", "void f(void)\n{\n    y();\n" + body + "}\n")))


class Text(unittest.TestCase):
    def test_statements_in_strings_are_sql(self):
        self.assertEqual(1, len(findings(checks.sql, "src/os/a.c", 'const char *s = "SELECT " "x";\n')))
        self.assertEqual([], findings(checks.sql, "src/os/a.c", 'const char *s = "SELECTED";\n'))

    def test_paths_of_a_machine_are_found(self):
        self.assertEqual(1, len(findings(checks.neutral, "a.md", "see " + "/ho" + "me/me/x\n")))
        self.assertEqual([], findings(checks.neutral, "a.md", "see src/work/x and tests/home/y\n"))

    def test_addresses_do_not_stand_in_scripts(self):
        line = "curl http" + "://example.org\n"
        self.assertEqual(1, len(findings(checks.neutral, "dev", line)))
        self.assertEqual([], findings(checks.neutral, "README.md", line))


class Comments(unittest.TestCase):
    def test_prose_flows_into_the_next_line_of_its_paragraph(self):
        long = "/* " + "word " * 24 + "end\n * of it.\n *\n * next */\nint a;\n"
        fixed = comments.fix(long).split("\n")
        self.assertTrue(all(len(line) <= 100 for line in fixed))
        self.assertEqual(" * word word word word word end of it.", fixed[1])
        self.assertEqual(" *", fixed[2])

    def test_a_trailing_comment_goes_above_its_line(self):
        line = "    int a;" + " " * 20 + "/* " + "word " * 15 + "*/"
        self.assertEqual(["    /* " + "word " * 15 + "*/", "    int a;"], comments.fix(line).split("\n"))

    def test_examples_are_left_alone(self):
        line = "/* A:\n *\n *     f(" + "x, " * 40 + ");\n */\n"
        self.assertEqual(line, comments.fix(line))

    def test_hanging_lists_keep_their_column(self):
        line = "/* A:\n *   read   " + "word " * 20 + "\n *          more\n *   write  x\n */\n"
        fixed = comments.fix(line).split("\n")
        self.assertEqual(" *          word word word more", fixed[2])
        self.assertEqual(" *   write  x", fixed[3])


if __name__ == "__main__":
    unittest.main()
