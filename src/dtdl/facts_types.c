/* Types that elements carry beside their class. Written by
 * tools/dtdl_facts.py from the digest of DTDL's metamodel. */
#include "dtdl/facts.h"

/* One fact a line reads better than what the formatter would make of them. */
/* clang-format off */
#define BIT(name) GM_DTDL_BIT(name)
#define V2 (1u << 2)
#define V3 (1u << 3)
#define EVERY GM_DTDL_EVERY_CLASS

static const struct gm_dtdl_extra extras_1[] = {
    {.id_z = "dtmi:dtdl:property:aliasFor;3", .kind = GM_DTDL_KIND_ELEMENT,
      .type_z = "dtmi:dtdl:class:Entity;3"},
};
static const struct gm_dtdl_extra extras_6[] = {
    {.id_z = "dtmi:dtdl:extension:annotation:v1:ValueAnnotation:annotates",
      .kind = GM_DTDL_KIND_STRING},
};
static const struct gm_dtdl_sibling siblings_6[] = {
    {.keyref_z = "dtmi:dtdl:extension:annotation:v1:ValueAnnotation:annotates",
      .types_z = "dtmi:dtdl:class:Property;3 dtmi:dtdl:class:Telemetry;3",
      .words_z = "Property or Telemetry",
      .refused_z = "dtmi:dtdl:extension:annotation:v1:ValueAnnotation"},
};
static const struct gm_dtdl_extra extras_7[] = {
    {.id_z = "dtmi:dtdl:extension:annotation:v2:ValueAnnotation:annotates",
      .kind = GM_DTDL_KIND_STRING},
};
static const struct gm_dtdl_sibling siblings_7[] = {
    {.keyref_z = "dtmi:dtdl:extension:annotation:v2:ValueAnnotation:annotates",
      .types_z = "dtmi:dtdl:class:Property;3 dtmi:dtdl:class:Telemetry;3",
      .words_z = "Property or Telemetry",
      .refused_z = "dtmi:dtdl:extension:annotation:v2:ValueAnnotation"},
};
static const struct gm_dtdl_extra extras_10[] = {
    {.id_z = "dtmi:dtdl:extension:initialization:v1:Initialized:initialValue",
      .kind = GM_DTDL_KIND_JSON},
};
static const struct gm_dtdl_extra extras_11[] = {
    {.id_z = "dtmi:dtdl:extension:initialization:v2:Initialized:initialValue",
      .kind = GM_DTDL_KIND_JSON},
};
static const struct gm_dtdl_extra extras_12[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Cacheable:ttl", .kind = GM_DTDL_KIND_DURATION},
};
static const struct gm_dtdl_extra extras_14[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Indexed:index", .kind = GM_DTDL_KIND_INTEGER,
      .unique = true, .value_min = 1},
};
static const struct gm_dtdl_extra extras_15[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Mqtt:commandTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Mqtt:payloadFormat", .kind = GM_DTDL_KIND_STRING},
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Mqtt:telemetryTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
};
static const struct gm_dtdl_extra extras_16[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Cacheable:ttl", .kind = GM_DTDL_KIND_DURATION},
};
static const struct gm_dtdl_extra extras_18[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Indexed:index", .kind = GM_DTDL_KIND_INTEGER,
      .unique = true, .value_min = 1},
};
static const struct gm_dtdl_extra extras_19[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Mqtt:cmdServiceGroupId", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_LABEL},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Mqtt:commandTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Mqtt:payloadFormat", .kind = GM_DTDL_KIND_STRING},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Mqtt:telemetryTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Mqtt:telemServiceGroupId", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_LABEL},
};
static const struct gm_dtdl_constraint constraints_20[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:Object;3",
      .words_z = "Object"},
};
static const struct gm_dtdl_extra extras_21[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Cacheable:ttl", .kind = GM_DTDL_KIND_DURATION},
};
static const struct gm_dtdl_constraint constraints_23[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v3:Error", .words_z = "Error",
      .alone_z = "dtmi:dtdl:extension:mqtt:v3:ErrorMessage"},
    {.property = GM_DTDL_PROPERTY_SCHEMA,
      .types_z = "dtmi:dtdl:class:String;2 dtmi:dtdl:class:String;3", .words_z = "String"},
};
static const struct gm_dtdl_constraint constraints_24[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v3:Result", .words_z = "Result",
      .alone_z = "dtmi:dtdl:extension:mqtt:v3:ErrorResult"},
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:extension:mqtt:v3:Error",
      .words_z = "Error"},
};
static const struct gm_dtdl_extra extras_26[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Indexed:index", .kind = GM_DTDL_KIND_INTEGER,
      .unique = true, .value_min = 1},
};
static const struct gm_dtdl_extra extras_27[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Mqtt:cmdServiceGroupId", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_LABEL},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Mqtt:commandTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Mqtt:payloadFormat", .kind = GM_DTDL_KIND_STRING},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Mqtt:telemetryTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Mqtt:telemServiceGroupId", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_LABEL},
};
static const struct gm_dtdl_constraint constraints_28[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v3:Result", .words_z = "Result",
      .alone_z = "dtmi:dtdl:extension:mqtt:v3:NormalResult"},
};
static const struct gm_dtdl_constraint constraints_29[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS,
      .types_z = "dtmi:dtdl:extension:mqtt:v3:NormalResult dtmi:dtdl:extension:mqtt:v3:ErrorResult",
      .words_z = "NormalResult or ErrorResult"},
};
static const struct gm_dtdl_constraint constraints_30[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:Object;3",
      .words_z = "Object"},
};
static const struct gm_dtdl_extra extras_31[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Cacheable:ttl", .kind = GM_DTDL_KIND_DURATION},
};
static const struct gm_dtdl_constraint constraints_33[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:Result dtmi:dtdl:extension:mqtt:v4:Error",
      .words_z = "Result or Error", .alone_z = "dtmi:dtdl:extension:mqtt:v4:ErrorCode"},
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:Enum;3", .words_z = "Enum"},
};
static const struct gm_dtdl_constraint constraints_34[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:Result dtmi:dtdl:extension:mqtt:v4:Error",
      .words_z = "Result or Error", .alone_z = "dtmi:dtdl:extension:mqtt:v4:ErrorInfo",
      .beside_z = "dtmi:dtdl:extension:mqtt:v4:ErrorCode"},
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:Object;3",
      .words_z = "Object"},
};
static const struct gm_dtdl_constraint constraints_35[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:Error", .words_z = "Error",
      .alone_z = "dtmi:dtdl:extension:mqtt:v4:ErrorMessage"},
    {.property = GM_DTDL_PROPERTY_SCHEMA,
      .types_z = "dtmi:dtdl:class:String;2 dtmi:dtdl:class:String;3", .words_z = "String"},
};
static const struct gm_dtdl_constraint constraints_36[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:Result", .words_z = "Result",
      .alone_z = "dtmi:dtdl:extension:mqtt:v4:ErrorResult"},
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:extension:mqtt:v4:Error",
      .words_z = "Error"},
};
static const struct gm_dtdl_constraint constraints_37[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:Map;3", .words_z = "Map"},
};
static const struct gm_dtdl_extra extras_39[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Indexed:index", .kind = GM_DTDL_KIND_INTEGER,
      .unique = true, .value_min = 1},
};
static const struct gm_dtdl_extra extras_41[] = {
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Mqtt:cmdServiceGroupId", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_LABEL},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Mqtt:commandTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Mqtt:payloadFormat", .kind = GM_DTDL_KIND_STRING},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Mqtt:propertyTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Mqtt:telemetryTopic", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_TOPIC},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Mqtt:telemServiceGroupId", .kind = GM_DTDL_KIND_STRING,
      .optional = true, .pattern = GM_DTDL_PATTERN_LABEL},
};
static const struct gm_dtdl_constraint constraints_42[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:Result", .words_z = "Result",
      .alone_z = "dtmi:dtdl:extension:mqtt:v4:NormalResult"},
};
static const struct gm_dtdl_constraint constraints_43[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:PropertyValue dtmi:dtdl:extension:mqtt:v4:ReadError "
           "dtmi:dtdl:extension:mqtt:v4:WriteError",
      .words_z = "PropertyValue or ReadError or WriteError"},
};
static const struct gm_dtdl_constraint constraints_44[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:PropertyResult", .words_z = "PropertyResult",
      .alone_z = "dtmi:dtdl:extension:mqtt:v4:PropertyValue"},
};
static const struct gm_dtdl_constraint constraints_45[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:PropertyResult", .words_z = "PropertyResult",
      .alone_z = "dtmi:dtdl:extension:mqtt:v4:ReadError"},
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:extension:mqtt:v4:Error",
      .words_z = "Error"},
};
static const struct gm_dtdl_constraint constraints_46[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:NormalResult "
           "dtmi:dtdl:extension:mqtt:v4:ErrorResult dtmi:dtdl:extension:mqtt:v4:ErrorCode "
           "dtmi:dtdl:extension:mqtt:v4:ErrorInfo",
      .words_z = "NormalResult or ErrorResult or ErrorCode or ErrorInfo"},
};
static const struct gm_dtdl_constraint constraints_47[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:Object;3",
      .words_z = "Object"},
};
static const struct gm_dtdl_constraint constraints_48[] = {
    {.property = GM_DTDL_PROPERTY_FIELDS, .inverse = true,
      .types_z = "dtmi:dtdl:extension:mqtt:v4:PropertyResult", .words_z = "PropertyResult",
      .alone_z = "dtmi:dtdl:extension:mqtt:v4:WriteError"},
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:extension:mqtt:v4:Error",
      .words_z = "Error"},
};
static const struct gm_dtdl_extra extras_49[] = {
    {.id_z = "dtmi:dtdl:extension:overriding:v1:Override:overrides",
      .kind = GM_DTDL_KIND_IDENTIFIER},
};
static const struct gm_dtdl_constraint constraints_49[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA,
      .sibling_keyref_z = "dtmi:dtdl:extension:annotation:v1:ValueAnnotation:annotates",
      .sibling_parent_of_z = "dtmi:dtdl:extension:overriding:v1:Override:overrides"},
};
static const struct gm_dtdl_sibling siblings_49[] = {
    {.keyref_z = "dtmi:dtdl:extension:annotation:v1:ValueAnnotation:annotates",
      .path_z = "dtmi:dtdl:extension:overriding:v1:Override:overrides",
      .once_z = "dtmi:dtdl:extension:overriding:v1:Override:overrides"},
    {.keyref_z = "dtmi:dtdl:extension:annotation:v1:ValueAnnotation:annotates",
      .types_z = "dtmi:dtdl:class:Property;3 dtmi:dtdl:class:Telemetry;3",
      .words_z = "Property or Telemetry"},
};
static const struct gm_dtdl_extra extras_50[] = {
    {.id_z = "dtmi:dtdl:extension:overriding:v2:Override:overrides",
      .kind = GM_DTDL_KIND_IDENTIFIER},
};
static const struct gm_dtdl_constraint constraints_50[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA,
      .sibling_keyref_z = "dtmi:dtdl:extension:annotation:v2:ValueAnnotation:annotates",
      .sibling_parent_of_z = "dtmi:dtdl:extension:overriding:v2:Override:overrides"},
};
static const struct gm_dtdl_sibling siblings_50[] = {
    {.keyref_z = "dtmi:dtdl:extension:annotation:v2:ValueAnnotation:annotates",
      .path_z = "dtmi:dtdl:extension:overriding:v2:Override:overrides",
      .once_z = "dtmi:dtdl:extension:overriding:v2:Override:overrides"},
    {.keyref_z = "dtmi:dtdl:extension:annotation:v2:ValueAnnotation:annotates",
      .types_z = "dtmi:dtdl:class:Property;3 dtmi:dtdl:class:Telemetry;3",
      .words_z = "Property or Telemetry"},
};
static const struct gm_dtdl_extra extras_58[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:property:baseUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;3"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:property:prefix",
      .kind = GM_DTDL_KIND_ELEMENT, .optional = true, .type_z = "dtmi:dtdl:class:EnumValue;3"},
};
static const struct gm_dtdl_extra extras_64[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:property:baseUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;3"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:property:prefix",
      .kind = GM_DTDL_KIND_ELEMENT, .optional = true, .type_z = "dtmi:dtdl:class:EnumValue;3"},
};
static const struct gm_dtdl_extra extras_90[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:property:unit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;3"},
};
static const struct gm_dtdl_constraint constraints_90[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:NumericSchema;3",
      .words_z = "NumericSchema"},
};
static const struct gm_dtdl_extra extras_92[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:property:bottomUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;3"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:property:topUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;3"},
};
static const struct gm_dtdl_extra extras_99[] = {
    {.id_z = "dtmi:dtdl:property:symbol;3", .kind = GM_DTDL_KIND_STRING},
};
static const struct gm_dtdl_extra extras_104[] = {
    {.id_z = "dtmi:dtdl:property:exponent;3", .kind = GM_DTDL_KIND_INTEGER},
    {.id_z = "dtmi:dtdl:property:symbol;3", .kind = GM_DTDL_KIND_STRING},
};
static const struct gm_dtdl_extra extras_116[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:property:baseUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:property:prefix",
      .kind = GM_DTDL_KIND_ELEMENT, .optional = true, .type_z = "dtmi:dtdl:class:EnumValue;4"},
};
static const struct gm_dtdl_extra extras_122[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:property:baseUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:property:prefix",
      .kind = GM_DTDL_KIND_ELEMENT, .optional = true, .type_z = "dtmi:dtdl:class:EnumValue;4"},
};
static const struct gm_dtdl_extra extras_148[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:property:unit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
};
static const struct gm_dtdl_constraint constraints_148[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "", .words_z = "NumericSchema"},
};
static const struct gm_dtdl_extra extras_150[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:property:bottomUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:property:topUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
};
static const struct gm_dtdl_extra extras_157[] = {
    {.id_z = "dtmi:dtdl:property:symbol;4", .kind = GM_DTDL_KIND_STRING},
};
static const struct gm_dtdl_extra extras_162[] = {
    {.id_z = "dtmi:dtdl:property:exponent;4", .kind = GM_DTDL_KIND_INTEGER},
    {.id_z = "dtmi:dtdl:property:symbol;4", .kind = GM_DTDL_KIND_STRING},
};
static const struct gm_dtdl_extra extras_174[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:property:baseUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:property:prefix",
      .kind = GM_DTDL_KIND_ELEMENT, .optional = true, .type_z = "dtmi:dtdl:class:EnumValue;4"},
};
static const struct gm_dtdl_extra extras_180[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:property:baseUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:property:prefix",
      .kind = GM_DTDL_KIND_ELEMENT, .optional = true, .type_z = "dtmi:dtdl:class:EnumValue;4"},
};
static const struct gm_dtdl_extra extras_210[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:property:unit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
};
static const struct gm_dtdl_constraint constraints_210[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "", .words_z = "NumericSchema"},
};
static const struct gm_dtdl_extra extras_212[] = {
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:property:bottomUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:property:topUnit",
      .kind = GM_DTDL_KIND_ELEMENT, .type_z = "dtmi:dtdl:class:EnumValue;4"},
};
static const struct gm_dtdl_extra extras_223[] = {
    {.id_z = "dtmi:dtdl:property:symbol;4", .kind = GM_DTDL_KIND_STRING},
};
static const struct gm_dtdl_extra extras_229[] = {
    {.id_z = "dtmi:dtdl:property:exponent;4", .kind = GM_DTDL_KIND_INTEGER},
    {.id_z = "dtmi:dtdl:property:symbol;4", .kind = GM_DTDL_KIND_STRING},
};
static const struct gm_dtdl_extra extras_236[] = {
    {.id_z = "dtmi:dtdl:property:unit;2", .kind = GM_DTDL_KIND_ELEMENT, .optional = true,
      .type_z = "dtmi:standard:class:AccelerationUnit;2"},
};
static const struct gm_dtdl_constraint constraints_236[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .values_z = "dtmi:iotcentral:schema:vector;2",
      .words_z = "vector"},
};
static const struct gm_dtdl_constraint constraints_237[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA,
      .types_z = "dtmi:dtdl:class:NumericSchema;2 dtmi:dtdl:class:String;2",
      .words_z = "NumericSchema or String"},
};
static const struct gm_dtdl_constraint constraints_238[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA,
      .values_z = "dtmi:standard:schema:geospatial:point;2 "
           "dtmi:standard:schema:geospatial:multiPoint;2 "
           "dtmi:standard:schema:geospatial:lineString;2 "
           "dtmi:standard:schema:geospatial:multiLineString;2 "
           "dtmi:standard:schema:geospatial:polygon;2 "
           "dtmi:standard:schema:geospatial:multiPolygon;2 dtmi:iotcentral:schema:geopoint;2",
      .words_z = "point or multiPoint or lineString or multiLineString or polygon or multiPolygon "
           "or geopoint"},
};
static const struct gm_dtdl_constraint constraints_239[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:Enum;2", .words_z = "Enum"},
};
static const struct gm_dtdl_extra extras_240[] = {
    {.id_z = "dtmi:dtdl:property:unit;2", .kind = GM_DTDL_KIND_ELEMENT, .optional = true,
      .type_z = "dtmi:standard:class:VelocityUnit;2"},
};
static const struct gm_dtdl_constraint constraints_240[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .values_z = "dtmi:iotcentral:schema:vector;2",
      .words_z = "vector"},
};
static const struct gm_dtdl_extra extras_264[] = {
    {.id_z = "dtmi:dtdl:property:baseUnit;2", .kind = GM_DTDL_KIND_ELEMENT,
      .type_z = "dtmi:dtdl:class:Unit;2"},
    {.id_z = "dtmi:dtdl:property:prefix;2", .kind = GM_DTDL_KIND_ELEMENT, .optional = true,
      .type_z = "dtmi:standard:class:BinaryPrefix;2"},
};
static const struct gm_dtdl_extra extras_275[] = {
    {.id_z = "dtmi:dtdl:property:baseUnit;2", .kind = GM_DTDL_KIND_ELEMENT,
      .type_z = "dtmi:dtdl:class:Unit;2"},
    {.id_z = "dtmi:dtdl:property:prefix;2", .kind = GM_DTDL_KIND_ELEMENT, .optional = true,
      .type_z = "dtmi:standard:class:DecimalPrefix;2"},
};
static const struct gm_dtdl_extra extras_314[] = {
    {.id_z = "dtmi:dtdl:property:unit;2", .kind = GM_DTDL_KIND_ELEMENT,
      .type_z = "dtmi:dtdl:class:Unit;2"},
};
static const struct gm_dtdl_constraint constraints_314[] = {
    {.property = GM_DTDL_PROPERTY_SCHEMA, .types_z = "dtmi:dtdl:class:NumericSchema;2",
      .words_z = "NumericSchema"},
};
static const struct gm_dtdl_extra extras_315[] = {
    {.id_z = "dtmi:dtdl:property:bottomUnit;2", .kind = GM_DTDL_KIND_ELEMENT,
      .type_z = "dtmi:dtdl:class:Unit;2"},
    {.id_z = "dtmi:dtdl:property:topUnit;2", .kind = GM_DTDL_KIND_ELEMENT,
      .type_z = "dtmi:dtdl:class:Unit;2"},
};

/* In byte order of their ids. */
const struct gm_dtdl_cotype gm_dtdl_cotypes[] = {
    {.id_z = "dtmi:dtdl:class:AdjunctType;3", .kind = GM_DTDL_COTYPE_NONE, .abstract = true,
      .dtdl_versions = V2 | V3, .classes = EVERY},
    {.id_z = "dtmi:dtdl:class:Alias;3", .kind = GM_DTDL_COTYPE_NONE, .dtdl_versions = V3,
      .classes = EVERY, .extras = extras_1, .extra_count = 1},
    {.id_z = "dtmi:dtdl:class:SemanticType;2", .kind = GM_DTDL_COTYPE_NONE, .abstract = true,
      .dtdl_versions = V2, .classes = BIT(PROPERTY) | BIT(RELATIONSHIP) | BIT(TELEMETRY)},
    {.id_z = "dtmi:dtdl:class:SemanticType;3", .kind = GM_DTDL_COTYPE_NONE, .abstract = true,
      .dtdl_versions = V3,
      .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE) | BIT(FIELD) | BIT(MAP_VALUE) |
           BIT(PROPERTY) | BIT(RELATIONSHIP) | BIT(TELEMETRY)},
    {.id_z = "dtmi:dtdl:class:SemanticUnit;2", .kind = GM_DTDL_COTYPE_NONE, .abstract = true,
      .dtdl_versions = V2, .classes = BIT(UNIT)},
    {.id_z = "dtmi:dtdl:class:SemanticUnit;3", .kind = GM_DTDL_COTYPE_NONE, .abstract = true,
      .dtdl_versions = V3, .classes = BIT(UNIT)},
    {.id_z = "dtmi:dtdl:extension:annotation:v1:ValueAnnotation",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3,
      .classes = BIT(PROPERTY) | BIT(TELEMETRY), .extras = extras_6, .extra_count = 1,
      .siblings = siblings_6, .sibling_count = 1},
    {.id_z = "dtmi:dtdl:extension:annotation:v2:ValueAnnotation",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3,
      .classes = BIT(PROPERTY) | BIT(TELEMETRY), .extras = extras_7, .extra_count = 1,
      .siblings = siblings_7, .sibling_count = 1},
    {.id_z = "dtmi:dtdl:extension:historization:v1:Historized",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3,
      .classes = BIT(PROPERTY) | BIT(TELEMETRY)},
    {.id_z = "dtmi:dtdl:extension:historization:v2:Historized",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3,
      .classes = BIT(PROPERTY) | BIT(TELEMETRY)},
    {.id_z = "dtmi:dtdl:extension:initialization:v1:Initialized",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3, .classes = BIT(PROPERTY),
      .extras = extras_10, .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:initialization:v2:Initialized",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3, .classes = BIT(PROPERTY),
      .extras = extras_11, .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Cacheable", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND), .extras = extras_12, .extra_count = 1,
      .with_z = "dtmi:dtdl:extension:mqtt:v1:Idempotent"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Idempotent", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND)},
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Indexed", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(ENUM_VALUE) | BIT(FIELD) | BIT(TELEMETRY),
      .extras = extras_14, .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v1:Mqtt", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(INTERFACE), .extras = extras_15, .extra_count = 3},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Cacheable", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND), .extras = extras_16, .extra_count = 1,
      .with_z = "dtmi:dtdl:extension:mqtt:v2:Idempotent"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Idempotent", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND)},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Indexed", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(ENUM_VALUE) | BIT(FIELD) | BIT(TELEMETRY),
      .extras = extras_18, .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Mqtt", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(INTERFACE), .extras = extras_19, .extra_count = 5},
    {.id_z = "dtmi:dtdl:extension:mqtt:v2:Transparent", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE),
      .constraints = constraints_20, .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Cacheable", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND), .extras = extras_21, .extra_count = 1,
      .with_z = "dtmi:dtdl:extension:mqtt:v3:Idempotent"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Error", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(OBJECT)},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:ErrorMessage", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_23,
      .constraint_count = 2},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:ErrorResult", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_24,
      .constraint_count = 2, .without_z = "dtmi:dtdl:extension:requirement:v1:Required"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Idempotent", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND)},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Indexed", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(ENUM_VALUE) | BIT(FIELD) | BIT(TELEMETRY),
      .extras = extras_26, .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Mqtt", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(INTERFACE), .extras = extras_27, .extra_count = 5},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:NormalResult", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_28,
      .constraint_count = 1, .without_z = "dtmi:dtdl:extension:requirement:v1:Required"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Result", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(OBJECT), .constraints = constraints_29,
      .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v3:Transparent", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE),
      .constraints = constraints_30, .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Cacheable", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND), .extras = extras_31, .extra_count = 1,
      .with_z = "dtmi:dtdl:extension:mqtt:v4:Idempotent"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Error", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(OBJECT)},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:ErrorCode", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_33,
      .constraint_count = 2},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:ErrorInfo", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_34,
      .constraint_count = 2},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:ErrorMessage", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_35,
      .constraint_count = 2},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:ErrorResult", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_36,
      .constraint_count = 2, .without_z = "dtmi:dtdl:extension:requirement:v1:Required"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Fragmented", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(PROPERTY), .constraints = constraints_37,
      .constraint_count = 1, .instead_z = "dtmi:dtdl:extension:mqtt:v4:PropertyValue"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Idempotent", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND)},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Indexed", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3,
      .classes = BIT(ENUM_VALUE) | BIT(FIELD) | BIT(PROPERTY) | BIT(TELEMETRY),
      .extras = extras_39, .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Indirect", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD),
      .without_z = "dtmi:dtdl:extension:requirement:v1:Required"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Mqtt", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(INTERFACE), .extras = extras_41, .extra_count = 6},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:NormalResult", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_42,
      .constraint_count = 1, .without_z = "dtmi:dtdl:extension:requirement:v1:Required"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:PropertyResult", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(OBJECT), .constraints = constraints_43,
      .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:PropertyValue", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_44,
      .constraint_count = 1, .without_z = "dtmi:dtdl:extension:requirement:v1:Required"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:ReadError", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_45,
      .constraint_count = 2, .without_z = "dtmi:dtdl:extension:requirement:v1:Required"},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Result", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(OBJECT), .constraints = constraints_46,
      .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:Transparent", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE),
      .constraints = constraints_47, .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:mqtt:v4:WriteError", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD), .constraints = constraints_48,
      .constraint_count = 2, .without_z = "dtmi:dtdl:extension:requirement:v1:Required"},
    {.id_z = "dtmi:dtdl:extension:overriding:v1:Override", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(PROPERTY), .extras = extras_49, .extra_count = 1,
      .constraints = constraints_49, .constraint_count = 1, .siblings = siblings_49,
      .sibling_count = 2, .with_z = "dtmi:dtdl:extension:annotation:v1:ValueAnnotation",
      .without_z = "dtmi:dtdl:extension:initialization:v1:Initialized"},
    {.id_z = "dtmi:dtdl:extension:overriding:v2:Override", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(PROPERTY), .extras = extras_50, .extra_count = 1,
      .constraints = constraints_50, .constraint_count = 1, .siblings = siblings_50,
      .sibling_count = 2, .with_z = "dtmi:dtdl:extension:annotation:v2:ValueAnnotation",
      .without_z = "dtmi:dtdl:extension:initialization:v2:Initialized"},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:class:BinaryUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V2 | V3, .classes = EVERY,
      .extras = extras_58, .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:class:DecimalUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3, .classes = BIT(ENUM_VALUE),
      .extras = extras_64, .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:class:QuantitativeType",
      .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE, .abstract = true, .dtdl_versions = V3,
      .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE) | BIT(FIELD) | BIT(MAP_VALUE) |
           BIT(PROPERTY) | BIT(TELEMETRY),
      .extras = extras_90, .extra_count = 1, .constraints = constraints_90, .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:class:RatioUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3, .classes = BIT(ENUM_VALUE),
      .extras = extras_92, .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:class:SymbolicUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3, .classes = BIT(ENUM_VALUE),
      .extras = extras_99, .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v1:class:UnitPrefix",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V3, .classes = BIT(ENUM_VALUE),
      .extras = extras_104, .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:class:BinaryUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V2 | V3, .classes = EVERY,
      .extras = extras_116, .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:class:DecimalUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .classes = BIT(ENUM_VALUE), .extras = extras_122,
      .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:class:QuantitativeType",
      .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE, .abstract = true,
      .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE) | BIT(FIELD) | BIT(MAP_VALUE) |
           BIT(PROPERTY) | BIT(TELEMETRY),
      .extras = extras_148, .extra_count = 1, .constraints = constraints_148,
      .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:class:RatioUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .classes = BIT(ENUM_VALUE), .extras = extras_150,
      .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:class:SymbolicUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .classes = BIT(ENUM_VALUE), .extras = extras_157,
      .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v2:class:UnitPrefix",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .classes = BIT(ENUM_VALUE), .extras = extras_162,
      .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:class:BinaryUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .dtdl_versions = V2 | V3, .classes = EVERY,
      .extras = extras_174, .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:class:DecimalUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .classes = BIT(ENUM_VALUE), .extras = extras_180,
      .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:class:QuantitativeType",
      .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE, .abstract = true,
      .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE) | BIT(FIELD) | BIT(MAP_VALUE) |
           BIT(PROPERTY) | BIT(TELEMETRY),
      .extras = extras_210, .extra_count = 1, .constraints = constraints_210,
      .constraint_count = 1},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:class:RatioUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .classes = BIT(ENUM_VALUE), .extras = extras_212,
      .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:class:SymbolicUnit",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .classes = BIT(ENUM_VALUE), .extras = extras_223,
      .extra_count = 1},
    {.id_z = "dtmi:dtdl:extension:quantitativeTypes:v3:class:UnitPrefix",
      .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE, .classes = BIT(ENUM_VALUE), .extras = extras_229,
      .extra_count = 2},
    {.id_z = "dtmi:dtdl:extension:requirement:v1:Required", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD)},
    {.id_z = "dtmi:dtdl:extension:requirement:v2:Required", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .dtdl_versions = V3, .classes = BIT(FIELD) | BIT(PROPERTY)},
    {.id_z = "dtmi:iotcentral:class:AccelerationVector;2", .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE,
      .dtdl_versions = V2, .classes = BIT(PROPERTY) | BIT(TELEMETRY), .extras = extras_236,
      .extra_count = 1, .constraints = constraints_236, .constraint_count = 1},
    {.id_z = "dtmi:iotcentral:class:Event;2", .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE,
      .dtdl_versions = V2, .classes = BIT(PROPERTY) | BIT(TELEMETRY),
      .constraints = constraints_237, .constraint_count = 1},
    {.id_z = "dtmi:iotcentral:class:Location;2", .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE,
      .dtdl_versions = V2, .classes = BIT(PROPERTY) | BIT(TELEMETRY),
      .constraints = constraints_238, .constraint_count = 1},
    {.id_z = "dtmi:iotcentral:class:State;2", .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE,
      .dtdl_versions = V2, .classes = BIT(PROPERTY) | BIT(TELEMETRY),
      .constraints = constraints_239, .constraint_count = 1},
    {.id_z = "dtmi:iotcentral:class:VelocityVector;2", .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE,
      .dtdl_versions = V2, .classes = BIT(PROPERTY) | BIT(TELEMETRY), .extras = extras_240,
      .extra_count = 1, .constraints = constraints_240, .constraint_count = 1},
    {.id_z = "dtmi:iotoperations:class:Composite;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(INTERFACE), .without_z = ""},
    {.id_z = "dtmi:iotoperations:class:Congruence;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(ARRAY) | BIT(ENUM) | BIT(INTERFACE) | BIT(MAP) | BIT(OBJECT)},
    {.id_z = "dtmi:iotoperations:class:Detail;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(OBJECT)},
    {.id_z = "dtmi:iotoperations:class:Event;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(INTERFACE)},
    {.id_z = "dtmi:iotoperations:class:GroupMember;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(COMMAND)},
    {.id_z = "dtmi:iotoperations:class:HasCapability;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(RELATIONSHIP), .without_z = ""},
    {.id_z = "dtmi:iotoperations:class:HasComponent;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(RELATIONSHIP)},
    {.id_z = "dtmi:iotoperations:class:Limited;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE) | BIT(FIELD) | BIT(MAP_VALUE) |
           BIT(PROPERTY) | BIT(TELEMETRY)},
    {.id_z = "dtmi:iotoperations:class:Precise;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE) | BIT(FIELD) | BIT(MAP_VALUE) |
           BIT(PROPERTY) | BIT(TELEMETRY)},
    {.id_z = "dtmi:iotoperations:class:Qualified;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(COMMAND) | BIT(COMPONENT) | BIT(FIELD) | BIT(PROPERTY) | BIT(RELATIONSHIP) |
           BIT(TELEMETRY)},
    {.id_z = "dtmi:iotoperations:class:ScaledStatically;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE) | BIT(FIELD) | BIT(MAP_VALUE) |
           BIT(PROPERTY) | BIT(TELEMETRY)},
    {.id_z = "dtmi:iotoperations:class:Subject;4", .kind = GM_DTDL_COTYPE_ADJUNCT_TYPE,
      .classes = BIT(FIELD)},
    {.id_z = "dtmi:standard:class:BinaryUnit;2", .kind = GM_DTDL_COTYPE_SEMANTIC_UNIT,
      .dtdl_versions = V2, .classes = BIT(UNIT), .extras = extras_264, .extra_count = 2},
    {.id_z = "dtmi:standard:class:DecimalUnit;2", .kind = GM_DTDL_COTYPE_SEMANTIC_UNIT,
      .dtdl_versions = V2, .classes = BIT(UNIT), .extras = extras_275, .extra_count = 2},
    {.id_z = "dtmi:standard:class:QuantitativeType;2", .kind = GM_DTDL_COTYPE_SEMANTIC_TYPE,
      .abstract = true, .dtdl_versions = V2, .classes = BIT(PROPERTY) | BIT(TELEMETRY),
      .extras = extras_314, .extra_count = 1, .constraints = constraints_314,
      .constraint_count = 1},
    {.id_z = "dtmi:standard:class:RatioUnit;2", .kind = GM_DTDL_COTYPE_SEMANTIC_UNIT,
      .dtdl_versions = V2, .classes = BIT(UNIT), .extras = extras_315, .extra_count = 2},
};
const size_t gm_dtdl_cotype_count = GM_ARRAY_COUNT(gm_dtdl_cotypes);
/* clang-format on */
