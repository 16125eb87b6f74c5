#!/usr/bin/env python3
"""Writes src/dtdl/facts_terms.c, facts_types.c and facts_quantities.c: facts of DTDL v2 and v3 from the
digest of its metamodel (dtdl_digest.json of the DTDL parser).

    tools/dtdl_facts.py DIGEST src/dtdl

The tables are committed; this is only needed when the metamodel grows. What is small or irregular
(classes, members, standard schemas) stands in facts.c and standard.c, written by hand.
"""
import collections
import json
import sys

CONTEXTS = [  # in the order of enum gm_dtdl_known in facts.h
    ("dtmi:dtdl:context", 2), ("dtmi:dtdl:context", 3),
    ("dtmi:dtdl:extension:quantitativeTypes", 1), ("dtmi:dtdl:extension:quantitativeTypes", 2),
    ("dtmi:dtdl:extension:quantitativeTypes", 3),
    ("dtmi:dtdl:extension:annotation", 1), ("dtmi:dtdl:extension:annotation", 2),
    ("dtmi:dtdl:extension:historization", 1), ("dtmi:dtdl:extension:historization", 2),
    ("dtmi:dtdl:extension:mqtt", 1), ("dtmi:dtdl:extension:mqtt", 2),
    ("dtmi:dtdl:extension:mqtt", 3), ("dtmi:dtdl:extension:mqtt", 4),
    ("dtmi:dtdl:extension:overriding", 1), ("dtmi:dtdl:extension:overriding", 2),
    ("dtmi:dtdl:extension:requirement", 1), ("dtmi:dtdl:extension:requirement", 2),
    ("dtmi:dtdl:extension:initialization", 1), ("dtmi:dtdl:extension:initialization", 2),
    ("dtmi:iotcentral:context", 2), ("dtmi:iotoperations:context", 4),
]
HEAD = """/* %s Written by
 * tools/dtdl_facts.py from the digest of DTDL's metamodel. */
#include "dtdl/facts.h"

/* One fact a line reads better than what the formatter would make of them. */
/* clang-format off */
"""
CLASSES = {}  # name -> enum word


def add_initialization(digest):
    """Was taken out of the metamodel, but models use it: a value that a property begins with."""
    for version in (1, 2):
        start = "dtmi:dtdl:extension:initialization:v%d:" % version
        context = "dtmi:dtdl:extension:initialization;%d" % version
        digest["contexts"][context] = {"Initialized": start + "Initialized",
                                       "initialValue": start + "Initialized:initialValue"}
        value = {"type": "x#JSON", "optional": False, "uniqueValue": False, "typeName": "JSON",
                 "propertyName": "initialValue"}
        digest["supplementalTypes"][start + "Initialized"] = {
            "abstract": False, "constraints": [], "cotypes": ["Property"], "cotypeVersions": [3],
            "extensionContext": context, "extensionKind": "AdjunctType", "parent": None,
            "properties": {start + "Initialized:initialValue": value}, "siblings": []}


def wrapped(line):
    """Lines of at most 100 columns, cut in a list of words or of bits."""
    out = ""
    while len(line) > 100:
        cut = line.rfind(" ", 0, 98)
        quoted = line.count('"', 0, cut) % 2 == 1
        out += line[:cut + 1] + '"\n' if quoted else line[:cut] + "\n"
        line = "           " + ('"' if quoted else "") + line[cut + 1:]
    return out + line


def constant(name):
    out = ""
    for i, c in enumerate(name):
        if c.isupper() and i > 0:
            out += "_"
        out += c.upper()
    return out


def spaces_of(digest):
    """{(prefix, suffix): context index}, in order; and {term: set of space indexes}."""
    spaces, terms, odd = [], collections.defaultdict(set), []
    for index, (name, version) in enumerate(CONTEXTS):
        for term, uri in digest["contexts"]["%s;%d" % (name, version)].items():
            body, semicolon, tail = uri.partition(";")
            if not body.endswith(":" + term) or name == "dtmi:iotoperations:context":  # no bits are left
                odd.append((index, term, uri))
                continue
            space = (body[: -len(term)], semicolon + tail, index)
            if space not in spaces:
                spaces.append(space)
            terms[term].add(spaces.index(space))
    return spaces, terms, odd


def write_terms(digest, path):
    spaces, terms, odd = spaces_of(digest)
    assert len(spaces) <= 64
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEAD % "What the terms of the language and of its extensions stand for.")
        out.write("const struct gm_dtdl_space gm_dtdl_spaces[] = {\n")
        for prefix, suffix, index in spaces:
            out.write('    {"%s", "%s", %d},\n' % (prefix, suffix, index))
        out.write("};\nconst size_t gm_dtdl_space_count = GM_ARRAY_COUNT(gm_dtdl_spaces);\n\n")
        out.write("const struct gm_dtdl_odd_term gm_dtdl_odd_terms[] = {\n")
        for index, term, uri in odd:
            out.write('    {"%s", "%s", %d},\n' % (term, uri, index))
        out.write("};\nconst size_t gm_dtdl_odd_term_count = GM_ARRAY_COUNT(gm_dtdl_odd_terms);\n\n")
        out.write("/* In byte order. The bits are the spaces a term is in. */\n")
        out.write("const struct gm_dtdl_term gm_dtdl_terms[] = {\n")
        line = "   "
        for term in sorted(terms, key=lambda t: t.encode()):
            bits = sum(1 << s for s in terms[term])
            cell = ' {"%s", 0x%x},' % (term, bits)
            if len(line) + len(cell) > 100:
                out.write(line + "\n")
                line = "   "
            line += cell
        out.write(line + "\n};\n")
        out.write("const size_t gm_dtdl_term_count = GM_ARRAY_COUNT(gm_dtdl_terms);\n\n")
        write_families(digest, out)
        out.write("/* clang-format on */\n")


def write_families(digest, out):
    """Units by family: of v2, of version 1 and 2, and of version 3 of the extension."""
    def extension(version):
        start = "dtmi:dtdl:extension:quantitativeTypes:v%d:enum:" % version
        return {k[len(start):]: v for k, v in digest["families"].items() if k.startswith(start)}
    v2 = dict(digest["units"]["dtmi:dtdl:context;2"])
    prefixes = collections.defaultdict(list)
    for element in digest["elements"]:
        if element["@id"].startswith("dtmi:standard:unitprefix:"):
            prefixes[element["@type"]].append(element["name"])
    v2.update(prefixes)
    out.write("const struct gm_dtdl_family gm_dtdl_families[] = {\n")
    sets = [(1 << 0, v2), (1 << 2 | 1 << 3, extension(1)), (1 << 4, extension(3))]
    assert extension(1) == extension(2)
    for bits, families in sets:
        for name in sorted(families):
            out.write('    {"%s", 0x%x,' % (name, bits))
            line = ""
            for i, unit in enumerate(families[name]):
                word = unit if i == 0 else " " + unit
                if len(line) + len(word) > 84:
                    out.write('\n     "%s"' % line)
                    line = ""
                line += word
            out.write('\n     "%s"},\n' % line)
    out.write("};\nconst size_t gm_dtdl_family_count = GM_ARRAY_COUNT(gm_dtdl_families);\n\n")


PATTERNS = {
    "^[!$-*,-.0-z|~]+$": "LABEL",
    "^[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?$": "NAME",
}


def pattern_of(text):
    return PATTERNS.get(text, "TOPIC") if text else "NONE"


def literal_kind(prop):
    kind = prop.get("type")
    if kind is None:
        return "IDENTIFIER"
    if kind.startswith("dtmi:"):
        return "ELEMENT"
    return {"string": "STRING", "integer": "INTEGER", "duration": "DURATION",
            "JSON": "JSON"}[kind.split("#")[1]]


def quote(text):
    return "NULL" if text is None else '"%s"' % text


def words(values):
    """What only v4 has is left out."""
    return quote(" ".join(v for v in values if not v.endswith(";4"))) if values else "NULL"


def mask(names):
    known = [n for n in names if n in CLASSES]
    if len(known) > 20:
        return "EVERY"
    return " | ".join("BIT(%s)" % constant(n) for n in known) or "0"


def version_bits(versions):
    return " | ".join("V%d" % v for v in versions if v < 4) or "0"


def is_known(name, fact):
    return any("%s;%d" % c == fact["extensionContext"] for c in CONTEXTS)


def is_quantity(fact):
    props = list(fact["properties"].values())
    return (fact["extensionKind"] == "SemanticType" and not fact["abstract"] and not fact["constraints"]
            and len(props) == 1 and props[0]["propertyName"] == "unit" and not props[0]["optional"])


def fields(pairs):
    """`.name = value` for those that have one, over as many lines as they need."""
    out, line = "", "     "
    for name, value in pairs:
        if value in (None, "NULL", "0", "false"):
            continue
        cell = " .%s = %s," % (name, value)
        if len(line) + len(cell) > 98 and line.strip():
            out += line + "\n"
            line = "     "
        line += cell
    return (out + line)[5:].strip().rstrip(",")


def literal(value):
    return str(value).lower()


def extra_row(name, prop):
    kind = prop.get("type") or ""
    return fields([("id_z", quote(name)), ("kind", "GM_DTDL_KIND_" + literal_kind(prop)),
                   ("optional", literal(prop["optional"])),
                   ("type_z", quote(kind) if kind.startswith("dtmi:") else None),
                   ("child_of_z", quote(prop.get("childOf"))),
                   ("pattern", "GM_DTDL_PATTERN_" + pattern_of(prop.get("pattern"))
                    if "pattern" in prop else None),
                   ("unique", literal(prop["uniqueValue"])),
                   ("value_min", str(prop.get("minInclusive", 0)))])


def constraint_row(fact):
    return fields([("property", "GM_DTDL_PROPERTY_" + constant(fact["property"])),
                   ("inverse", literal(fact.get("inverse", False))),
                   ("types_z", words(fact.get("requiredTypes"))),
                   ("values_z", words(fact.get("requiredValues"))),
                   ("words_z", quote(fact.get("requiredTypesString") or
                                     fact.get("requiredValuesString"))),
                   ("alone_z", quote(fact.get("noneOtherType"))),
                   ("beside_z", quote(fact.get("someOtherType"))),
                   ("sibling_keyref_z", quote(fact.get("siblingKeyref"))),
                   ("sibling_parent_of_z", quote(fact.get("siblingParentOf")))])


def sibling_row(fact):
    return fields([("keyref_z", quote(fact["keyref"])),
                   ("types_z", words(fact.get("requiredTypes"))),
                   ("words_z", quote(fact.get("requiredTypesString"))),
                   ("refused_z", quote(fact.get("disallowedType"))),
                   ("path_z", quote(fact.get("supplementalProperty"))),
                   ("once_z", quote(fact.get("uniqueReference")))])


def write_irregular(out, number, name, fact):
    def table(kind, rows):
        if not rows:
            return []
        out.write("static const struct gm_dtdl_%s %ss_%d[] = {\n" % (kind, kind, number))
        for row in rows:
            out.write("    {%s},\n" % "\n".join(map(wrapped, row.split("\n"))))
        out.write("};\n")
        return [(kind + "s", "%ss_%d" % (kind, number)), (kind + "_count", str(len(rows)))]

    parent = fact["parent"] if fact["parent"] and ":dtdl:class:" not in fact["parent"] else None
    pairs = [("id_z", quote(name)), ("kind", "GM_DTDL_COTYPE_" + constant(fact["extensionKind"])),
             ("abstract", literal(fact["abstract"])),
             ("dtdl_versions", version_bits(fact["cotypeVersions"])), ("parent_z", quote(parent)),
             ("classes", mask(fact["cotypes"]))]
    pairs += table("extra", [extra_row(k, p) for k, p in fact["properties"].items()])
    pairs += table("constraint", [constraint_row(c) for c in fact["constraints"]])
    pairs += table("sibling", [sibling_row(s) for s in fact["siblings"]])
    pairs += [("with_z", words(fact.get("cocotypes"))), ("without_z", words(fact.get("discotypes"))),
              ("instead_z", words(fact.get("altcotypes")))]
    return "    {%s},\n" % "\n".join(map(wrapped, fields(pairs).split("\n")))


def write_types(digest, path):
    for name, fact in digest["materialClasses"].items():
        if 2 in fact["dtdlVersions"] or 3 in fact["dtdlVersions"]:
            CLASSES[name] = True
    rows = []
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEAD % "Types that elements carry beside their class.")
        out.write("#define BIT(name) GM_DTDL_BIT(name)\n#define V2 (1u << 2)\n#define V3 (1u << 3)\n")
        out.write("#define EVERY GM_DTDL_EVERY_CLASS\n\n")
        for number, (name, fact) in enumerate(facts_of(digest)):
            if not is_regular(fact):
                rows.append(write_irregular(out, number, name, fact))
        out.write("\n/* In byte order of their ids. */\nconst struct gm_dtdl_cotype gm_dtdl_cotypes[] = {\n")
        out.write("".join(rows))
        out.write("};\nconst size_t gm_dtdl_cotype_count = GM_ARRAY_COUNT(gm_dtdl_cotypes);\n")
        out.write("/* clang-format on */\n")


def facts_of(digest):
    facts = {n: f for n, f in digest["supplementalTypes"].items() if is_known(n, f)}
    for name in facts:
        if name.startswith("dtmi:iotoperations:"):  # of v4 alone, where v2 and v3 are taken
            facts[name] = dict(facts[name], properties={}, constraints=[], siblings=[])
    return [(n, facts[n]) for n in sorted(facts, key=lambda n: n.encode())]


def is_regular(fact):
    return (fact["extensionKind"] in ("Unit", "UnitAttribute")
            or is_quantity(fact) and "iotcentral" not in fact["extensionContext"])


def write_quantities(digest, path):
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEAD % "Quantities, and units as types of v2.")
        out.write("#define BIT(name) GM_DTDL_BIT(name)\n#define V2 (1u << 2)\n#define V3 (1u << 3)\n")
        write_quantity_macros(out, digest)
        out.write("/* In byte order of their ids. */\nconst struct gm_dtdl_cotype gm_dtdl_quantities[] = {\n")
        for name, fact in facts_of(digest):
            if not is_regular(fact):
                continue
            if fact["extensionKind"] in ("Unit", "UnitAttribute"):
                out.write('    UNIT(%s, "%s"),\n' % (constant(fact["extensionKind"]), name))
                continue
            prop = list(fact["properties"].values())[0]
            if name.startswith("dtmi:standard:"):
                out.write('    QUANTITY_V2("%s", "%s"),\n'
                          % (name[len("dtmi:standard:class:"):-2], prop["typeName"]))
                continue
            out.write('    QUANTITY("%s", %s, "%s", "%s"),\n'
                      % (name.split(":quantitativeTypes:v")[1][0],
                         version_bits(fact["cotypeVersions"]), name.split(":")[-1],
                         prop["childOf"].split(":")[-1]))
        out.write("};\nconst size_t gm_dtdl_quantity_count = GM_ARRAY_COUNT(gm_dtdl_quantities);\n")
        out.write("/* clang-format on */\n")


def write_quantity_macros(out, digest):
    """Quantities differ in their name and the family of their unit alone."""
    sample = digest["supplementalTypes"]["dtmi:dtdl:extension:quantitativeTypes:v1:class:Length"]
    for other in digest["supplementalTypes"].values():
        if is_quantity(other) and ":quantitativeTypes:v" in other["extensionContext"]:
            assert other["cotypes"] == sample["cotypes"]
    out.write('''/* `versions` of the language, as bits, that version `version` of the extension can be used in. */
#define QUANTITY(version, versions, name, family) \\
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v" version ":class:" name, \\
     .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE, .dtdl_versions = (versions), \\
     .parent_z = "dtmi:dtdl:extension:quantitativeTypes:v" version ":class:QuantitativeType", \\
     .classes = %s, \\
     .extras = (const struct gm_dtdl_extra[]){ \\
         {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v" version ":property:unit", \\
          .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;3", \\
          .child_of_z = "dtmi:dtdl:extension:quantitativeTypes:v" version ":enum:" family}}, \\
     .extra_count = 1}
''' % mask(sample["cotypes"]).replace(" | BIT(FIELD)", " | \\\n                BIT(FIELD)"))
    out.write('''#define QUANTITY_V2(name, family) \\
    {.id_z = "dtmi:standard:class:" name ";2", .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE, \\
     .dtdl_versions = V2, .parent_z = "dtmi:standard:class:QuantitativeType;2", \\
     .classes = BIT(PROPERTY) | BIT(TELEMETRY), \\
     .extras = (const struct gm_dtdl_extra[]){ \\
         {.id_z = "dtmi:dtdl:property:unit;2", .kind = GM_DTDL_KIND_ELEMENT, \\
          .type_z = "dtmi:standard:class:" family ";2"}}, \\
     .extra_count = 1}
#define UNIT(kind_, id) {.id_z = (id), .kind = GM_DTDL_COTYPE_##kind_}

''')


def main():
    with open(sys.argv[1], encoding="utf-8-sig") as file:
        digest = json.load(file)
    add_initialization(digest)
    write_terms(digest, sys.argv[2] + "/facts_terms.c")
    write_types(digest, sys.argv[2] + "/facts_types.c")
    write_quantities(digest, sys.argv[2] + "/facts_quantities.c")


main()
