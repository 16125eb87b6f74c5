/* The kinds of errors, by the names the DTDL parser gave them, and what is said of each. */
#ifndef GM_DTDL_ERROR_KINDS_H
#define GM_DTDL_ERROR_KINDS_H

#define GM_DTDL_ERROR_KINDS(X)                                                                     \
    X(ABSTRACT_SUPPLEMENTAL_TYPE, "abstractSupplementalType",                                      \
      "@type {type} is abstract; write one of the types derived from it")                          \
    X(BAD_DTMI_OR_TERM, "badDtmiOrTerm",                                                           \
      "{property} is \"{value}\", which is neither a DTMI nor a term; write the @id of "           \
      "an element, or a name the language knows{hint}")                                            \
    X(BAD_TYPE, "badType", "{property} takes {restriction}{hint}; correct @type or the reference") \
    X(BOOLEAN_COUNT_BELOW_MIN, "booleanCountBelowMin",                                             \
      "{property} has no value; write true or false")                                              \
    X(BOOLEAN_MULTIPLE_VALUES, "booleanMultipleValues", "{property} has several values; keep one") \
    X(BOOLEAN_NOT_BOOLEAN, "booleanNotBoolean", "{property} is not true or false")                 \
    X(BOOLEAN_OBJECT_NO_VALUE, "booleanObjectNoValue",                                             \
      "{property} is an object without \"@value\"; write true or false")                           \
    X(BOOLEAN_TYPE_NOT_BOOLEAN, "booleanTypeNotBoolean",                                           \
      "{property} has an \"@type\" other than xsd:boolean; leave \"@type\" out")                   \
    X(BOOLEAN_VALUE_NOT_BOOLEAN, "booleanValueNotBoolean",                                         \
      "{property} has an \"@value\" that is not true or false")                                    \
    X(CONFLICTING_SUPPLEMENTAL_TYPES, "conflictingSupplementalTypes",                              \
      "@type names both {type} and {restriction}, which both bring \"{property}\"; keep "          \
      "one")                                                                                       \
    X(CROSS_PARTITION_REFERENCE, "crossPartitionReference",                                        \
      "{property} refers to {secondary}, which is defined inside of {value}; define a "            \
      "copy here, with an @id of its own")                                                         \
    X(DISALLOWED_COCOTYPE, "disallowedCocotype",                                                   \
      "@type {type} cannot stand beside @type {restriction}; remove one")                          \
    X(DISALLOWED_CONTEXT_FRAGMENT, "disallowedContextFragment",                                    \
      "@context \"{value}\": this version of DTDL takes no fragment; remove what begins "          \
      "with #")                                                                                    \
    X(DISALLOWED_CONTEXT_VERSION, "disallowedContextVersion",                                      \
      "@context \"{value}\": this version of DTDL is not supported; use {restriction} at "         \
      "most")                                                                                      \
    X(DISALLOWED_LOCAL_CONTEXT, "disallowedLocalContext",                                          \
      "@context defines terms of its own, which DTDL {restriction} does not allow; "               \
      "remove the object")                                                                         \
    X(DISALLOWED_TYPE, "disallowedType",                                                           \
      "{property} names \"{value}\", which is a {type} itself; name what that one is "             \
      "about")                                                                                     \
    X(DISALLOWED_VERSION_DEFINITION, "disallowedVersionDefinition",                                \
      "{property} has a value written in DTDL {value}; it takes DTDL {restriction}")               \
    X(DISALLOWED_VERSION_REFERENCE, "disallowedVersionReference",                                  \
      "{property} refers to {secondary}, which is written in DTDL {value}; it takes "              \
      "DTDL {restriction}")                                                                        \
    X(DTDL_CONTEXT_FOLLOWS_AFFILIATE, "dtdlContextFollowsAffiliate",                               \
      "@context \"{value}\" stands behind an extension; put it in front")                          \
    X(DTMI_SEG_PROPERTY_NOT_STRING_OR_NUMBER, "dtmiSegPropertyNotStringOrNumber",                  \
      "{property} has an element whose \"{value}\" is neither a string nor a number")              \
    X(DUPLICATE_DEFINITION, "duplicateDefinition",                                                 \
      "{primary} is defined twice; remove one, or give it an @id of its own")                      \
    X(DUPLICATE_PROPERTY_NAME, "duplicatePropertyName",                                            \
      "\"{property}\" is there twice, by its name and by its DTMI; remove one")                    \
    X(DURATION_COUNT_BELOW_MIN, "durationCountBelowMin",                                           \
      "{property} has no value; write a duration such as PT30S")                                   \
    X(DURATION_INVALID, "durationInvalid",                                                         \
      "{property} is \"{value}\"; write a duration such as PT30S")                                 \
    X(DURATION_MULTIPLE_VALUES, "durationMultipleValues",                                          \
      "{property} has several values; keep one")                                                   \
    X(DURATION_NOT_STRING, "durationNotString",                                                    \
      "{property} is not a string; write a duration such as \"PT30S\"")                            \
    X(DURATION_OBJECT_NO_VALUE, "durationObjectNoValue",                                           \
      "{property} is an object without \"@value\"; write a duration such as \"PT30S\"")            \
    X(DURATION_TYPE_NOT_DURATION, "durationTypeNotDuration",                                       \
      "{property} has an \"@type\" other than xsd:duration; leave \"@type\" out")                  \
    X(DURATION_VALUE_NOT_STRING, "durationValueNotString",                                         \
      "{property} has an \"@value\" that is not a string; write a duration such as "               \
      "\"PT30S\"")                                                                                 \
    X(EMPTY_CONTEXT, "emptyContext", "@context is empty; write \"dtmi:dtdl:context;3\"")           \
    X(EXCESSIVE_COUNT, "excessiveCount",                                                           \
      "{observed} values of {property}, with those of what it refers to; {count} are "             \
      "allowed")                                                                                   \
    X(EXCESSIVE_DEPTH_NARROW, "excessiveDepthNarrow",                                              \
      "{property} goes over more than {count} levels, down to {secondary}; make the "              \
      "chain shorter")                                                                             \
    X(EXCESSIVE_DEPTH_WIDE, "excessiveDepthWide",                                                  \
      "schemas are nested over more than {count} levels, down to {secondary}; make them "          \
      "flatter")                                                                                   \
    X(EXCLUDED_TYPE, "excludedType",                                                               \
      "{property} leads to {secondary}, of class {type}, which has no place here; {hint}")         \
    X(GRAPH_DISALLOWED, "graphDisallowed", "{property} has a value with \"@graph\"; remove it")    \
    X(ID_NOT_STRING, "idNotString",                                                                \
      "@id is empty or no string; write one such as dtmi:example:Thing;1")                         \
    X(ID_REFERENCE, "idReference",                                                                 \
      "{property} refers to {value} by an object; write the id as a string")                       \
    X(ID_TOO_LONG, "idTooLong", "@id \"{value}\" is too long; {count} characters are allowed")     \
    X(ID_TOO_LONG_FOR_TYPE, "idTooLongForType",                                                    \
      "@id \"{value}\" is too long; an {type} may have {count} characters")                        \
    X(IDENTIFIER_COUNT_BELOW_MIN, "identifierCountBelowMin",                                       \
      "{property} has no value; write a DTMI")                                                     \
    X(IDENTIFIER_MULTIPLE_VALUES, "identifierMultipleValues",                                      \
      "{property} has several values; keep one")                                                   \
    X(IDENTIFIER_NOT_DTMI, "identifierNotDtmi",                                                    \
      "{property} is \"{value}\"; write a DTMI such as dtmi:example:Thing;1")                      \
    X(IDENTIFIER_NOT_STRING, "identifierNotString",                                                \
      "{property} is no string; write a DTMI such as \"dtmi:example:Thing;1\"")                    \
    X(IDENTIFIER_TOO_LONG, "identifierTooLong",                                                    \
      "{property} is a DTMI of more than {count} characters")                                      \
    X(INCORRECT_PROPERTY_VALUE, "incorrectPropertyValue",                                          \
      "{property} is {value}; write {restriction}")                                                \
    X(INFERRED_TYPE_DOES_NOT_ALLOW, "inferredTypeDoesNotAllow",                                    \
      "\"{property}\" is no member of {type}; remove it, or name a type in @type that "            \
      "has it{hint}")                                                                              \
    X(INTEGER_COUNT_BELOW_MIN, "integerCountBelowMin",                                             \
      "{property} has no value; write an integer")                                                 \
    X(INTEGER_MULTIPLE_VALUES, "integerMultipleValues", "{property} has several values; keep one") \
    X(INTEGER_NOT_INTEGER, "integerNotInteger", "{property} is not an integer of 32 bits")         \
    X(INTEGER_OBJECT_NO_VALUE, "integerObjectNoValue",                                             \
      "{property} is an object without \"@value\"; write an integer")                              \
    X(INTEGER_TYPE_NOT_INTEGER, "integerTypeNotInteger",                                           \
      "{property} has an \"@type\" other than xsd:integer; leave \"@type\" out")                   \
    X(INTEGER_VALUE_NOT_INTEGER, "integerValueNotInteger",                                         \
      "{property} has an \"@value\" that is not an integer of 32 bits")                            \
    X(INVALID_CONTEXT, "invalidContext",                                                           \
      "@context has a part that is neither a DTMI nor an object; write "                           \
      "\"dtmi:dtdl:context;3\"")                                                                   \
    X(INVALID_CONTEXT_SPECIFIER, "invalidContextSpecifier",                                        \
      "@context \"{value}\" is not a DTMI; write one such as "                                     \
      "dtmi:dtdl:extension:quantitativeTypes;1")                                                   \
    X(INVALID_CONTEXT_SPECIFIER_FOR_VERSION, "invalidContextSpecifierForVersion",                  \
      "@context \"{value}\" is not a DTMI as DTDL {restriction} has them: lower the "              \
      "version to a whole number, or use a later DTDL")                                            \
    X(INVALID_COTYPE, "invalidCotype",                                                             \
      "@type {type} cannot be added to this class; it goes with {restriction}")                    \
    X(INVALID_COTYPE_VERSION, "invalidCotypeVersion",                                              \
      "@type {type} cannot be used in DTDL {count}; {hint}")                                       \
    X(INVALID_ID, "invalidId",                                                                     \
      "@id \"{value}\" is not a DTMI of DTDL {restriction}; write one such as "                    \
      "dtmi:example:Thing;1, of letters, digits and underscores between colons, with a version "   \
      "from 1 on and no #fragment")                                                                \
    X(KEYWORD_DISALLOWED, "keywordDisallowed",                                                     \
      "{property} has a value with \"{value}\", which DTDL does not use; remove it")               \
    X(LANG_MAP_OBJ_KEYWORD, "langMapObjKeyword",                                                   \
      "{property} is an object of texts by language, in which \"{value}\" has no place; "          \
      "write {\"en\": \"…\"}")                                                                     \
    X(LANG_STRING_ELEMENT_CODE_NOT_STRING, "langStringElementCodeNotString",                       \
      "{property} has an \"@language\" that is no string; write a code such as \"en\"")            \
    X(LANG_STRING_ELEMENT_CODE_NOT_UNIQUE, "langStringElementCodeNotUnique",                       \
      "{property} has two texts for \"{value}\"; keep one")                                        \
    X(LANG_STRING_ELEMENT_CONTEXT, "langStringElementContext",                                     \
      "{property} has a text with \"@context\"; remove it")                                        \
    X(LANG_STRING_ELEMENT_GRAPH, "langStringElementGraph",                                         \
      "{property} has a text with \"@graph\"; remove it")                                          \
    X(LANG_STRING_ELEMENT_ID, "langStringElementId",                                               \
      "{property} has a text with \"@id\"; remove it")                                             \
    X(LANG_STRING_ELEMENT_INVALID_CODE, "langStringElementInvalidCode",                            \
      "{property} has the language \"{value}\"; write a code such as en or en-US")                 \
    X(LANG_STRING_ELEMENT_INVALID_PROP, "langStringElementInvalidProp",                            \
      "{property} has a text with \"{value}\"; only \"@language\" and \"@value\" have a "          \
      "place there")                                                                               \
    X(LANG_STRING_ELEMENT_KEYWORD, "langStringElementKeyword",                                     \
      "{property} has a text with \"{value}\"; only \"@language\" and \"@value\" have a "          \
      "place there")                                                                               \
    X(LANG_STRING_ELEMENT_NO_VALUE, "langStringElementNoValue",                                    \
      "{property} has a text without \"@value\"")                                                  \
    X(LANG_STRING_ELEMENT_NOT_STRING_OR_OBJECT, "langStringElementNotStringOrObject",              \
      "{property} has a text that is neither a string nor an object of \"@language\" and "         \
      "\"@value\"")                                                                                \
    X(LANG_STRING_ELEMENT_TYPE, "langStringElementType",                                           \
      "{property} has a text with \"@type\"; remove it")                                           \
    X(LANG_STRING_ELEMENT_VALUE_NOT_STRING, "langStringElementValueNotString",                     \
      "{property} has an \"@value\" that is no string")                                            \
    X(LANG_STRING_INVALID_CODE, "langStringInvalidCode",                                           \
      "{property} has the language \"{value}\"; write a code such as en or en-US")                 \
    X(LANG_STRING_VALUE_NOT_STRING, "langStringValueNotString",                                    \
      "{property} has a text for \"{value}\" that is no string")                                   \
    X(LANG_STRING_VALUE_TOO_LONG, "langStringValueTooLong",                                        \
      "{property} has a text of more than {count} characters; make it shorter")                    \
    X(LANG_TAG_VALUE_IN_LANG_MAP, "langTagValueInLangMap",                                         \
      "{property} is one text with \"@language\" and \"@value\"; write {value}")                   \
    X(LITERAL_COUNT_BELOW_MIN, "literalCountBelowMin",                                             \
      "{property} has no value; write a string or a number")                                       \
    X(LITERAL_MULTIPLE_VALUES, "literalMultipleValues", "{property} has several values; keep one") \
    X(LITERAL_NOT_VALID, "literalNotValid", "{property} is neither a string nor a number")         \
    X(LITERAL_OBJECT_NO_VALUE, "literalObjectNoValue",                                             \
      "{property} is an object without \"@value\"; write a string or a number")                    \
    X(LITERAL_TYPE_NOT_SINGULAR, "literalTypeNotSingular",                                         \
      "{property} has several \"@type\"; leave them out")                                          \
    X(LOCAL_CONTEXT_NOT_LAST, "localContextNotLast", "@context has an object that is not last")    \
    X(MISPLACED_LIMIT_CONTEXT, "misplacedLimitContext",                                            \
      "@context \"{value}\" sets limits, which this version of DTDL does not take; "               \
      "remove it")                                                                                 \
    X(MATCHING_PROPERTY_NOT_SUPPLEMENTAL, "matchingPropertyNotSupplemental",                       \
      "{property} names \"{value}\", whose \"{restriction}\" comes of its class {type}, "          \
      "not of a type beside it, and cannot be overridden; name another")                           \
    X(MISSING_COCOTYPE, "missingCocotype",                                                         \
      "@type {type} needs @type {restriction} beside it; add it")                                  \
    X(MISSING_CONTEXT, "missingContext", "no @context; add \"@context\": \"dtmi:dtdl:context;3\"") \
    X(MISSING_CONTEXT_VERSION, "missingContextVersion",                                            \
      "@context \"{value}\" has no version; write one such as dtmi:dtdl:context;3")                \
    X(MISSING_DICT_KEY_PROPERTY_VALUE, "missingDictKeyPropertyValue",                              \
      "{property} refers to {secondary}, which has no \"{value}\"; give it one")                   \
    X(MISSING_DTDL_CONTEXT, "missingDtdlContext",                                                  \
      "@context names no version of DTDL in front; write \"dtmi:dtdl:context;3\" first")           \
    X(MISSING_DTMI_SEG_PROPERTY_VALUE, "missingDtmiSegPropertyValue",                              \
      "{property} has an element without \"{value}\"; give it one")                                \
    X(MISSING_LITERAL_PROPERTY, "missingLiteralProperty", "no \"{property}\"; add it")             \
    X(MISSING_OBJECT_PROPERTY, "missingObjectProperty", "no \"{property}\"; add it")               \
    X(MISSING_REQUIRED_ID, "missingRequiredId",                                                    \
      "{property} has an element without \"@id\"; give it one such as "                            \
      "dtmi:example:Thing;1")                                                                      \
    X(MISSING_SIBLING_TYPE, "missingSiblingType",                                                  \
      "@type {type} needs a sibling of @type {restriction}; add one")                              \
    X(MISSING_SUPPLEMENTAL_IDENTIFIER_PROPERTY, "missingSupplementalIdentifierProperty",           \
      "@type {type} needs \"{property}\"; add it")                                                 \
    X(MISSING_SUPPLEMENTAL_LITERAL_PROPERTY, "missingSupplementalLiteralProperty",                 \
      "@type {type} needs \"{property}\"; add it")                                                 \
    X(MISSING_SUPPLEMENTAL_OBJECT_PROPERTY, "missingSupplementalObjectProperty",                   \
      "@type {type} needs \"{property}\"; add it")                                                 \
    X(MISSING_TOP_LEVEL_ID, "missingTopLevelId",                                                   \
      "no @id; give the interface one such as dtmi:example:Thing;1")                               \
    X(MULTIPLE_MATERIAL_TYPES, "multipleMaterialTypes",                                            \
      "@type names several classes, {value}; keep one")                                            \
    X(MULTIPLE_REFERENCE, "multipleReference",                                                     \
      "{property} has two elements that give {aux_property} the values {value}; remove "           \
      "one")                                                                                       \
    X(NO_MATCHING_SUPPLEMENTAL_PROPERTY, "noMatchingSupplementalProperty",                         \
      "{property} names \"{value}\", which has no \"{restriction}\" to override; name "            \
      "another, or give that one a type that brings it")                                           \
    X(NO_TYPE_THAT_ALLOWS, "noTypeThatAllows",                                                     \
      "\"{property}\" is no member of this class, nor of the types beside it; remove it, "         \
      "or add the type that has it{hint}")                                                         \
    X(NON_CONFORMANT_DATATYPE, "nonConformantDatatype",                                            \
      "{property} is {value}, not {hint}, as \"{aux_property}\" of the enum {secondary} "          \
      "demands")                                                                                   \
    X(NON_CONFORMANT_PROPERTY_VALUE, "nonConformantPropertyValue",                                 \
      "\"{property}\" is not a value of the schema: {value}")                                      \
    X(NON_DTMI_CONTEXT_SPECIFIER, "nonDtmiContextSpecifier",                                       \
      "@context \"{value}\" is no DTMI; write one such as dtmi:dtdl:context;3")                    \
    X(NON_UNIQUE_ADJUNCT_TYPE, "nonUniqueAdjunctType",                                             \
      "{property} has two elements of @type {type}, this one and {secondary}; keep one")           \
    X(NON_UNIQUE_IMPORTED_PROPERTY_VALUE, "nonUniqueImportedPropertyValue",                        \
      "\"{value}\" is in the {property} of this and of {secondary}; what is inherited "            \
      "cannot be declared again, rename one")                                                      \
    X(NON_UNIQUE_PROPERTY_VALUE, "nonUniquePropertyValue",                                         \
      "two of the {property} have \"{value}\" as their {aux_property}; change one")                \
    X(NOT_JSON_OBJECT, "notJsonObject", "expected a JSON object with @id, @type and @context")     \
    X(NOT_REQUIRED_TYPE, "notRequiredType", "{property} is {secondary}; {type} is needed here")    \
    X(NOT_REQUIRED_VALUE, "notRequiredValue", "{property} is {secondary}; write {restriction}")    \
    X(NOT_SIBLING_REQUIRED_TYPE, "notSiblingRequiredType",                                         \
      "{property} names \"{value}\", which is no {type}")                                          \
    X(OBJECT_COUNT_ABOVE_MAX, "objectCountAboveMax",                                               \
      "{property} has {observed} values; {count} are allowed")                                     \
    X(OBJECT_COUNT_BELOW_MIN, "objectCountBelowMin", "{property} has no usable value; write one")  \
    X(OBJECT_MULTIPLE_VALUES, "objectMultipleValues", "{property} has several values; keep one")   \
    X(PARENT_MISSING_COTYPE, "parentMissingCotype",                                                \
      "@type {type} stands in the {property} of elements of @type {restriction} only; "            \
      "add that type to the element around this one")                                              \
    X(PARTITION_TOO_LARGE, "partitionTooLarge",                                                    \
      "the interface has more than {count} bytes; split it, with `extends`")                       \
    X(PROPERTY_INVALID_DTMI, "propertyInvalidDtmi",                                                \
      "\"{property}\" is not a DTMI; correct or remove it")                                        \
    X(PROPERTY_IRRELEVANT_DTMI_OR_TERM, "propertyIrrelevantDtmiOrTerm",                            \
      "\"{property}\" is no member that an element of this class can have; remove it")             \
    X(PROPERTY_NOT_DTMI_NOR_TERM, "propertyNotDtmiNorTerm",                                        \
      "\"{property}\" is neither a DTMI nor a term of DTDL; remove it")                            \
    X(PROPERTY_UNDEFINED_TERM, "propertyUndefinedTerm",                                            \
      "\"{property}\" is not known; correct its name or remove it{hint}")                          \
    X(RECURSIVE_STRUCTURE_NARROW, "recursiveStructureNarrow",                                      \
      "by {property} it leads back to itself; break the circle")                                   \
    X(RECURSIVE_STRUCTURE_WIDE, "recursiveStructureWide",                                          \
      "the schema contains itself; DTDL has no recursion, break the circle")                       \
    X(REF_NOT_STRING_OR_OBJECT, "refNotStringOrObject",                                            \
      "{property} is neither a string nor an object")                                              \
    X(REF_OBJECT_NOT_ALLOWED, "refObjectNotAllowed",                                               \
      "{property} is an object; write the name of a standard element, as a string")                \
    X(RESERVED_ID, "reservedId",                                                                   \
      "@id \"{value}\" begins with a name that is reserved; choose one of your own")               \
    X(SIBLING_PROPERTY_MISMATCH, "siblingPropertyMismatch",                                        \
      "{property} is {value}; write {restriction}, as what it overrides has it")                   \
    X(STRING_COUNT_BELOW_MIN, "stringCountBelowMin", "{property} has no value; write a string")    \
    X(STRING_INVALID, "stringInvalid", "{property} is \"{value}\"; it takes {restriction}")        \
    X(STRING_MULTIPLE_VALUES, "stringMultipleValues", "{property} has several values; keep one")   \
    X(STRING_NOT_STRING, "stringNotString", "{property} is not a string")                          \
    X(STRING_OBJECT_NO_VALUE, "stringObjectNoValue",                                               \
      "{property} is an object without \"@value\"; write a string")                                \
    X(STRING_TOO_LONG, "stringTooLong",                                                            \
      "{property} has more than {count} characters; make it shorter")                              \
    X(STRING_TYPE_NOT_STRING, "stringTypeNotString",                                               \
      "{property} has an \"@type\" other than xsd:string; leave \"@type\" out")                    \
    X(STRING_VALUE_NOT_STRING, "stringValueNotString",                                             \
      "{property} has an \"@value\" that is no string")                                            \
    X(TOO_DEEP, "tooDeep",                                                                         \
      "elements are nested over more than {count} levels; make the definition flatter")            \
    X(TOP_LEVEL_GRAPH_DISALLOWED, "topLevelGraphDisallowed",                                       \
      "\"@graph\" has no place here; write its interfaces as an array")                            \
    X(TOP_LEVEL_KEYWORD_DISALLOWED, "topLevelKeywordDisallowed",                                   \
      "\"{value}\" has no place here; remove it")                                                  \
    X(TYPE_INVALID_DTMI, "typeInvalidDtmi",                                                        \
      "@type \"{value}\" is not a DTMI; correct or remove it")                                     \
    X(TYPE_IRRELEVANT_DTMI_OR_TERM, "typeIrrelevantDtmiOrTerm",                                    \
      "@type \"{value}\" is no type that can be added to an element; remove it")                   \
    X(TYPE_NOT_DTMI_NOR_TERM, "typeNotDtmiNorTerm",                                                \
      "@type \"{value}\" is neither a DTMI nor a term of DTDL; remove it")                         \
    X(TYPE_NOT_ROOTABLE, "typeNotRootable",                                                        \
      "only interfaces stand on their own, and {hint}; put it inside of one, or write @type "      \
      "Interface")                                                                                 \
    X(TYPE_UNDEFINED_TERM, "typeUndefinedTerm", "@type \"{value}\" is not known; {hint}")          \
    X(UNDEFINED_IDENTIFIER, "undefinedIdentifier",                                                 \
      "{property} refers to {secondary}, which is not there; {hint}")                              \
    X(UNDEFINED_RESERVED_ID, "undefinedReservedId",                                                \
      "{property} refers to {secondary}, which the language does not have; correct "               \
      "it{hint}")                                                                                  \
    X(UNRECOGNIZED_CONTEXT_VERSION, "unrecognizedContextVersion",                                  \
      "@context \"{value}\": there is no such version of DTDL; write dtmi:dtdl:context;2 "         \
      "or dtmi:dtdl:context;3")                                                                    \
    X(UNRESOLVABLE_CONTEXT_SPECIFIER, "unresolvableContextSpecifier",                              \
      "@context \"{value}\" is no extension that is known; remove it or correct its name")         \
    X(UNRESOLVABLE_CONTEXT_VERSION, "unresolvableContextVersion",                                  \
      "@context \"{value}\": this version of the extension is not known; use one of "              \
      "{restriction}")                                                                             \
    X(VALUE_ABOVE_MAX, "valueAboveMax",                                                            \
      "{property} is {value}; {restriction} is the largest allowed")                               \
    X(VALUE_ABOVE_RANGE, "valueAboveRange",                                                        \
      "{property} is {value}; write a number in {restriction}")                                    \
    X(VALUE_BELOW_MIN, "valueBelowMin",                                                            \
      "{property} is {value}; {restriction} is the smallest allowed")                              \
    X(VALUE_BELOW_RANGE, "valueBelowRange",                                                        \
      "{property} is {value}; write a number in {restriction}")                                    \
    X(VALUE_NOT_EXACT, "valueNotExact",                                                            \
      "{property} is {value}; only {restriction} is allowed, leave it out")                        \
    X(VALUE_OBJECT_CONTEXT, "valueObjectContext",                                                  \
      "{property} has a value with \"@context\"; remove it")                                       \
    X(VALUE_OBJECT_GRAPH, "valueObjectGraph", "{property} has a value with \"@graph\"; remove it") \
    X(VALUE_OBJECT_ID, "valueObjectId", "{property} has a value with \"@id\"; remove it")          \
    X(VALUE_OBJECT_INVALID_PROP, "valueObjectInvalidProp",                                         \
      "{property} has a value with \"{value}\"; only \"@value\" and \"@type\" have a "             \
      "place there")                                                                               \
    X(VALUE_OBJECT_KEYWORD, "valueObjectKeyword",                                                  \
      "{property} has a value with \"{value}\"; only \"@value\" and \"@type\" have a "             \
      "place there")                                                                               \
    X(VALUE_OBJECT_LANGUAGE, "valueObjectLanguage",                                                \
      "{property} has a value with \"@language\"; remove it")                                      \
    X(WRONG_PARENT, "wrongParent", "{property} is {secondary}; it takes one of {restriction}{hint}")

enum gm_dtdl_error_kind {
#define GM_DTDL_ERROR_CONSTANT(constant, name, text) GM_DTDL_E_##constant,
    GM_DTDL_ERROR_KINDS(GM_DTDL_ERROR_CONSTANT)
#undef GM_DTDL_ERROR_CONSTANT
        GM_DTDL_E_COUNT
};

#endif
