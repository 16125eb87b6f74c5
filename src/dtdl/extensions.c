/* Cotypes of extensions and of DTDL v2 itself, and the units of quantities. */
#include "base/num.h"
#include "base/status.h"
#include "dtdl/dtmi.h"
#include "dtdl/metamodel.h"

static const struct {
    const char *id_z;     /* without the version */
    const char *name_z;   /* in the DTMIs of its cotypes */
    unsigned versions[2]; /* that v2, v3 of the language know; bits 1 << version */
} extensions[GM_DTDL_EXTENSION_COUNT] = {
    [GM_DTDL_EXTENSION_NONE] = {"", "", {0, 0}},
    [GM_DTDL_EXTENSION_QUANTITATIVE] = {"dtmi:dtdl:extension:quantitativeTypes",
                                        "quantitativeTypes",
                                        {0, 1 << 1}},
    [GM_DTDL_EXTENSION_ANNOTATION] = {"dtmi:dtdl:extension:annotation",
                                      "annotation",
                                      {0, 1 << 1 | 1 << 2}},
    [GM_DTDL_EXTENSION_HISTORIZATION] = {"dtmi:dtdl:extension:historization",
                                         "historization",
                                         {0, 1 << 1 | 1 << 2}},
    [GM_DTDL_EXTENSION_INITIALIZATION] = {"dtmi:dtdl:extension:initialization",
                                          "initialization",
                                          {0, 1 << 1 | 1 << 2}},
    [GM_DTDL_EXTENSION_OVERRIDING] = {"dtmi:dtdl:extension:overriding",
                                      "overriding",
                                      {0, 1 << 1 | 1 << 2}},
    [GM_DTDL_EXTENSION_MQTT] = {"dtmi:dtdl:extension:mqtt",
                                "mqtt",
                                {0, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4}},
    [GM_DTDL_EXTENSION_REQUIREMENT] = {"dtmi:dtdl:extension:requirement",
                                       "requirement",
                                       {0, 1 << 1 | 1 << 2}},
    [GM_DTDL_EXTENSION_IOT_CENTRAL] = {"dtmi:iotcentral:context", "iotcentral", {1 << 2, 0}},
};

#define BIT(name) GM_DTDL_BIT(name)
#define VALUES (BIT(PROPERTY) | BIT(TELEMETRY))
#define VALUES_V3                                                                                  \
    (VALUES | BIT(FIELD) | BIT(MAP_VALUE) | BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE))
#define EVER (~0u)
#define FROM(version) (~0u << (version))

/* Quantities demand the member `unit` and a number. In v2 they belong to the language, in v3 to an
 * extension. */
#define QUANTITY_V2(name, unit)                                                                    \
    {                                                                                              \
        name, GM_DTDL_EXTENSION_NONE, 1 << 2, VALUES, unit, NULL, NULL, "number", NULL             \
    }
#define QUANTITY_V3(name, unit)                                                                    \
    {                                                                                              \
        name, GM_DTDL_EXTENSION_QUANTITATIVE, 1 << 1, VALUES_V3, unit, NULL, NULL, "number", NULL  \
    }
#define QUANTITY(name, unit) QUANTITY_V2(name, unit), QUANTITY_V3(name, unit)
#define COTYPE(name, extension, versions, classes, needed, more)                                   \
    {                                                                                              \
        name, GM_DTDL_EXTENSION_##extension, versions, classes, NULL, needed, more, NULL, NULL     \
    }

#define CENTRAL(name, more, schemas)                                                               \
    {                                                                                              \
        name, GM_DTDL_EXTENSION_IOT_CENTRAL, EVER, VALUES, NULL, NULL, more, schemas, NULL         \
    }

static const struct gm_dtdl_cotype cotypes[] = {
    QUANTITY("Acceleration", "AccelerationUnit"),
    QUANTITY("Angle", "AngleUnit"),
    QUANTITY("AngularAcceleration", "AngularAccelerationUnit"),
    QUANTITY("AngularVelocity", "AngularVelocityUnit"),
    QUANTITY_V3("ApparentEnergy", "ApparentEnergyUnit"),
    QUANTITY_V3("ApparentPower", "ApparentPowerUnit"),
    QUANTITY("Area", "AreaUnit"),
    QUANTITY("Capacitance", "CapacitanceUnit"),
    QUANTITY_V3("Concentration", "Unitless"),
    QUANTITY("Current", "CurrentUnit"),
    QUANTITY("DataRate", "DataRateUnit"),
    QUANTITY("DataSize", "DataSizeUnit"),
    QUANTITY("Density", "DensityUnit"),
    QUANTITY("Distance", "LengthUnit"),
    QUANTITY("ElectricCharge", "ChargeUnit"),
    QUANTITY("Energy", "EnergyUnit"),
    QUANTITY_V3("EnergyRate", "PowerUnit"),
    QUANTITY("Force", "ForceUnit"),
    QUANTITY("Frequency", "FrequencyUnit"),
    QUANTITY("Humidity", "DensityUnit"),
    QUANTITY("Illuminance", "IlluminanceUnit"),
    QUANTITY("Inductance", "InductanceUnit"),
    QUANTITY_V3("IonizingRadiationDose", "IonizingRadiationDoseUnit"),
    QUANTITY_V3("Irradiance", "IrradianceUnit"),
    QUANTITY("Latitude", "AngleUnit"),
    QUANTITY("Length", "LengthUnit"),
    QUANTITY("Longitude", "AngleUnit"),
    QUANTITY("Luminance", "LuminanceUnit"),
    QUANTITY("Luminosity", "PowerUnit"),
    QUANTITY("LuminousFlux", "LuminousFluxUnit"),
    QUANTITY("LuminousIntensity", "LuminousIntensityUnit"),
    QUANTITY("MagneticFlux", "MagneticFluxUnit"),
    QUANTITY("MagneticInduction", "MagneticInductionUnit"),
    QUANTITY("Mass", "MassUnit"),
    QUANTITY("MassFlowRate", "MassFlowRateUnit"),
    QUANTITY("Power", "PowerUnit"),
    QUANTITY("Pressure", "PressureUnit"),
    QUANTITY_V3("Radioactivity", "RadioactivityUnit"),
    QUANTITY_V3("ReactiveEnergy", "ReactiveEnergyUnit"),
    QUANTITY_V3("ReactivePower", "ReactivePowerUnit"),
    QUANTITY_V3("RelativeDensity", "Unitless"),
    QUANTITY("RelativeHumidity", "Unitless"),
    QUANTITY("Resistance", "ResistanceUnit"),
    QUANTITY("SoundPressure", "SoundPressureUnit"),
    QUANTITY("Temperature", "TemperatureUnit"),
    QUANTITY("Thrust", "ForceUnit"),
    QUANTITY("TimeSpan", "TimeUnit"),
    QUANTITY("Torque", "TorqueUnit"),
    QUANTITY("Velocity", "VelocityUnit"),
    QUANTITY("Voltage", "VoltageUnit"),
    QUANTITY("Volume", "VolumeUnit"),
    QUANTITY("VolumeFlowRate", "VolumeFlowRateUnit"),
    COTYPE("ValueAnnotation", ANNOTATION, EVER, VALUES, "annotates", NULL),
    COTYPE("Historized", HISTORIZATION, EVER, VALUES, NULL, NULL),
    COTYPE("Initialized", INITIALIZATION, EVER, BIT(PROPERTY), NULL, "initialValue"),
    {"Override", GM_DTDL_EXTENSION_OVERRIDING, EVER, BIT(PROPERTY), NULL, "overrides", NULL, NULL,
     "ValueAnnotation"},
    COTYPE("Required", REQUIREMENT, 1 << 1, BIT(FIELD), NULL, NULL),
    COTYPE("Required", REQUIREMENT, FROM(2), BIT(FIELD) | BIT(PROPERTY), NULL, NULL),
    COTYPE("Idempotent", MQTT, EVER, BIT(COMMAND), NULL, NULL),
    {"Cacheable", GM_DTDL_EXTENSION_MQTT, EVER, BIT(COMMAND), NULL, "ttl", NULL, NULL,
     "Idempotent"},
    COTYPE("Indexed", MQTT, 1 << 1 | 1 << 2 | 1 << 3, BIT(ENUM_VALUE) | BIT(FIELD) | BIT(TELEMETRY),
           "index", NULL),
    COTYPE("Indexed", MQTT, FROM(4), BIT(ENUM_VALUE) | BIT(FIELD) | BIT(TELEMETRY) | BIT(PROPERTY),
           "index", NULL),
    COTYPE("Mqtt", MQTT, 1 << 1, BIT(INTERFACE), "payloadFormat", "commandTopic telemetryTopic"),
    COTYPE("Mqtt", MQTT, 1 << 2 | 1 << 3, BIT(INTERFACE), "payloadFormat",
           "commandTopic telemetryTopic cmdServiceGroupId telemServiceGroupId"),
    COTYPE("Mqtt", MQTT, FROM(4), BIT(INTERFACE), "payloadFormat",
           "commandTopic telemetryTopic propertyTopic cmdServiceGroupId telemServiceGroupId"),
    COTYPE("Transparent", MQTT, FROM(2), BIT(COMMAND_REQUEST) | BIT(COMMAND_RESPONSE), NULL, NULL),
    COTYPE("Error", MQTT, FROM(3), BIT(OBJECT), NULL, NULL),
    COTYPE("ErrorMessage", MQTT, FROM(3), BIT(FIELD), NULL, NULL),
    COTYPE("ErrorResult", MQTT, FROM(3), BIT(FIELD), NULL, NULL),
    COTYPE("NormalResult", MQTT, FROM(3), BIT(FIELD), NULL, NULL),
    COTYPE("Result", MQTT, FROM(3), BIT(OBJECT), NULL, NULL),
    COTYPE("ErrorCode", MQTT, FROM(4), BIT(FIELD), NULL, NULL),
    COTYPE("ErrorInfo", MQTT, FROM(4), BIT(FIELD), NULL, NULL),
    COTYPE("Fragmented", MQTT, FROM(4), BIT(PROPERTY), NULL, NULL),
    COTYPE("Indirect", MQTT, FROM(4), BIT(FIELD), NULL, NULL),
    COTYPE("PropertyResult", MQTT, FROM(4), BIT(OBJECT), NULL, NULL),
    COTYPE("PropertyValue", MQTT, FROM(4), BIT(FIELD), NULL, NULL),
    COTYPE("ReadError", MQTT, FROM(4), BIT(FIELD), NULL, NULL),
    COTYPE("WriteError", MQTT, FROM(4), BIT(FIELD), NULL, NULL),
    CENTRAL("AccelerationVector", "unit", "vector"),
    CENTRAL("Event", NULL, "number string"),
    CENTRAL("Location", NULL,
            "point multiPoint lineString multiLineString polygon multiPolygon geopoint"),
    CENTRAL("State", NULL, "Enum"),
    CENTRAL("VelocityVector", "unit", "vector"),
};

/* Units by family; `more_z`: those that came with v3's extension. */
static const struct {
    const char *family_z;
    const char *units_z;
    const char *more_z;
} families[] = {
    {"AccelerationUnit", "centimetrePerSecondSquared gForce metrePerSecondSquared", ""},
    {"AngleUnit", "degreeOfArc minuteOfArc radian secondOfArc turn", ""},
    {"AngularAccelerationUnit", "radianPerSecondSquared", ""},
    {"AngularVelocityUnit",
     "degreePerSecond radianPerSecond revolutionPerMinute revolutionPerSecond", ""},
    {"ApparentEnergyUnit", "",
     "gigavoltAmpereHour kilovoltAmpereHour megavoltAmpereHour voltAmpereHour"},
    {"ApparentPowerUnit", "",
     "gigavoltAmpere kilovoltAmpere megavoltAmpere millivoltAmpere voltAmpere"},
    {"AreaUnit",
     "acre hectare squareCentimetre squareFoot squareInch squareKilometre "
     "squareMetre squareMillimetre",
     ""},
    {"BinaryPrefix", "", "exbi gibi kibi mebi pebi tebi yobi zebi"},
    {"CapacitanceUnit", "farad microfarad millifarad nanofarad picofarad", ""},
    {"ChargeUnit", "coulomb", "ampereHour milliampereHour"},
    {"CurrentUnit", "ampere microampere milliampere", "kiloampere"},
    {"DataRateUnit",
     "bitPerSecond bytePerSecond exbibitPerSecond exbibytePerSecond "
     "gibibitPerSecond gibibytePerSecond kibibitPerSecond kibibytePerSecond "
     "mebibitPerSecond mebibytePerSecond tebibitPerSecond tebibytePerSecond "
     "yobibitPerSecond yobibytePerSecond zebibitPerSecond zebibytePerSecond",
     ""},
    {"DataSizeUnit",
     "bit byte exbibit exbibyte gibibit gibibyte kibibit kibibyte mebibit mebibyte "
     "tebibit tebibyte yobibit yobibyte zebibit zebibyte",
     ""},
    {"DecimalPrefix", "",
     "atto centi deca deci exa femto giga hecto kilo mega micro milli nano peta "
     "pico tera yocto yotta zepto zetta"},
    {"DensityUnit", "gramPerCubicMetre kilogramPerCubicMetre",
     "microgramPerCubicMetre milligramPerCubicMetre"},
    {"EnergyUnit", "electronvolt gigajoule joule kilojoule kilowattHour megaelectronvolt megajoule",
     "britishThermalUnit gigawattHour kiloBritishThermalUnit megawattHour "
     "milliwattHour terawattHour wattHour"},
    {"ForceUnit", "newton ounce pound ton", ""},
    {"FrequencyUnit", "gigahertz hertz kilohertz megahertz", "millihertz"},
    {"IlluminanceUnit", "footcandle lux", ""},
    {"InductanceUnit", "henry microhenry millihenry", ""},
    {"IonizingRadiationDoseUnit", "", "gray microgray microsievert milligray millisievert sievert"},
    {"IrradianceUnit", "", "wattPerSquareMetre"},
    {"LengthUnit",
     "astronomicalUnit centimetre foot inch kilometre metre micrometre mile "
     "millimetre nanometre nauticalMile",
     ""},
    {"LuminanceUnit", "candelaPerSquareMetre", ""},
    {"LuminousFluxUnit", "lumen", ""},
    {"LuminousIntensityUnit", "candela", ""},
    {"MagneticFluxUnit", "maxwell weber", ""},
    {"MagneticInductionUnit", "tesla", "gauss"},
    {"MassFlowRateUnit", "gramPerHour gramPerSecond kilogramPerHour kilogramPerSecond",
     "massPoundPerHour"},
    {"MassUnit", "gram kilogram microgram milligram slug tonne", "massPound"},
    {"PowerUnit",
     "gigawatt horsepower kilowatt kilowattHourPerYear megawatt microwatt milliwatt "
     "watt",
     "britishThermalUnitPerHour gigajoulePerHour joulePerHour joulePerSecond "
     "kiloBritishThermalUnitPerHour kilojoulePerHour kilojoulePerSecond "
     "megajoulePerHour tonOfRefrigeration"},
    {"PressureUnit",
     "bar inchesOfMercury inchesOfWater kilopascal millibar millimetresOfMercury "
     "pascal poundPerSquareInch",
     "decapascal hectopascal"},
    {"RadioactivityUnit", "", "becquerel gigabecquerel kilobecquerel megabecquerel"},
    {"ReactiveEnergyUnit", "",
     "gigavoltAmpereReactiveHour kilovoltAmpereReactiveHour "
     "megavoltAmpereReactiveHour voltAmpereReactiveHour"},
    {"ReactivePowerUnit", "",
     "gigavoltAmpereReactive kilovoltAmpereReactive megavoltAmpereReactive "
     "millivoltAmpereReactive voltAmpereReactive"},
    {"ResistanceUnit", "kiloohm megaohm milliohm ohm", ""},
    {"SoundPressureUnit", "bel decibel", ""},
    {"TemperatureUnit", "degreeCelsius degreeFahrenheit kelvin", ""},
    {"TimeUnit", "day hour microsecond millisecond minute nanosecond second year", ""},
    {"TorqueUnit", "newtonMetre", ""},
    {"Unitless", "percent unity",
     "partsPerBillion partsPerMillion partsPerQuadrillion partsPerTrillion"},
    {"VelocityUnit",
     "centimetrePerSecond kilometrePerHour kilometrePerSecond knot metrePerHour "
     "metrePerSecond milePerHour milePerSecond",
     ""},
    {"VoltageUnit", "kilovolt megavolt microvolt millivolt volt", ""},
    {"VolumeFlowRateUnit", "litrePerHour litrePerSecond millilitrePerHour millilitrePerSecond",
     "cubicFootPerMinute cubicMetrePerHour cubicMetrePerMinute cubicMetrePerSecond "
     "gallonPerHour gallonPerMinute litrePerMinute millilitrePerMinute"},
    {"VolumeUnit",
     "cubicCentimetre cubicFoot cubicInch cubicMetre fluidOunce gallon litre "
     "millilitre",
     ""},
};

static bool usable(enum gm_dtdl_extension extension, int version, int dtdl_version)
{
    return version > 0 && version < 32 &&
           (extensions[extension].versions[dtdl_version - 2] >> version & 1) != 0;
}

enum gm_dtdl_extension gm_dtdl_extension_of(struct gm_str context, int dtdl_version,
                                            int *out_version, bool *out_usable)
{
    struct gm_str id, version_text;
    int64_t version;
    *out_usable = false;
    if (!gm_str_cut(context, ';', &id, &version_text) || !gm_parse_i64(version_text, &version) ||
        version < 1 || version > 31) {
        return GM_DTDL_EXTENSION_NONE;
    }
    for (int i = 1; i < GM_DTDL_EXTENSION_COUNT; i++) {
        enum gm_dtdl_extension extension = (enum gm_dtdl_extension)i;
        if (gm_str_is(id, extensions[i].id_z) &&
            (usable(extension, (int)version, 2) || usable(extension, (int)version, 3))) {
            *out_version = (int)version;
            *out_usable = usable(extension, (int)version, dtdl_version);
            return extension;
        }
    }
    return GM_DTDL_EXTENSION_NONE;
}

/* What a cotype is called by: a term, or a DTMI that says where it belongs. */
struct cotype_name {
    struct gm_str name;
    bool any; /* a term: of any extension that is in force */
    enum gm_dtdl_extension extension;
    int version;
};

/* "dtmi:dtdl:extension:annotation:v1:ValueAnnotation", "…:quantitativeTypes:v1:class:Angle",
 * "dtmi:standard:class:Angle;2" */
static bool parse_cotype_name(struct gm_str term, int dtdl_version, struct cotype_name *out)
{
    *out = (struct cotype_name){.name = term, .any = true};
    if (term.n == 0 || memchr(term.p, ':', term.n) == NULL) {
        return term.n > 0;
    }
    out->any = false;
    if (gm_dtdl_term(term, "dtmi:standard:class:", dtdl_version, &out->name)) {
        out->version = 2;
        return true;
    }
    struct gm_str prefix = GM_STR("dtmi:dtdl:extension:");
    struct gm_str extension, version_text, rest;
    int64_t version;
    if (!gm_str_starts(term, prefix) ||
        !gm_str_cut((struct gm_str){term.p + prefix.n, term.n - prefix.n}, ':', &extension,
                    &rest) ||
        !gm_str_cut(rest, ':', &version_text, &out->name) || version_text.n < 2 ||
        version_text.p[0] != 'v' ||
        !gm_parse_i64((struct gm_str){version_text.p + 1, version_text.n - 1}, &version)) {
        return false;
    }
    if (gm_str_starts(out->name, GM_STR("class:"))) {
        out->name = (struct gm_str){out->name.p + 6, out->name.n - 6};
    }
    for (int i = 1; i < GM_DTDL_EXTENSION_COUNT; i++) {
        if (gm_str_is(extension, extensions[i].name_z) && version > 0 && version < 32) {
            out->extension = (enum gm_dtdl_extension)i;
            out->version = (int)version;
            return true;
        }
    }
    return false;
}

const struct gm_dtdl_cotype *gm_dtdl_cotype_find(struct gm_str term, int dtdl_version,
                                                 const uint8_t *versions)
{
    struct cotype_name wanted;
    if (!parse_cotype_name(term, dtdl_version, &wanted)) {
        return NULL;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(cotypes); i++) {
        const struct gm_dtdl_cotype *cotype = &cotypes[i];
        bool language = cotype->extension == GM_DTDL_EXTENSION_NONE;
        int version = language ? dtdl_version : versions[cotype->extension];
        bool in_force = (cotype->versions >> version & 1) != 0 &&
                        (language || usable(cotype->extension, version, dtdl_version));
        if (in_force && gm_str_is(wanted.name, cotype->name_z) &&
            (wanted.any || (wanted.extension == cotype->extension && wanted.version == version))) {
            return cotype;
        }
    }
    return NULL;
}

/* Classes that the language only has inside, or that stand for things no model defines. */
static const char other_classes_z[] =
    "AdjunctType Alias BinaryPrefix BinaryUnit Boolean CommandType ComplexSchema Content Date "
    "DateTime DecimalPrefix DecimalUnit Double Duration Entity Float Integer LatentType Long "
    "NamedEntity NamedLatentType NumericSchema PrimitiveSchema QuantitativeType RatioUnit Schema "
    "SchemaField SemanticType SemanticUnit String TemporalSchema Time Unit UnitAttribute";

enum gm_dtdl_foreign_type gm_dtdl_foreign_type_of(struct gm_str type, const uint8_t *versions)
{
    struct cotype_name wanted;
    const char *units_z, *more_z;
    bool term = type.n == 0 || memchr(type.p, ':', type.n) == NULL;
    bool named = parse_cotype_name(type, 3, &wanted);
    for (size_t i = 0; named && i < GM_ARRAY_COUNT(cotypes); i++) {
        if (gm_str_is(wanted.name, cotypes[i].name_z)) {
            return versions[cotypes[i].extension] > 0 ? GM_DTDL_FOREIGN_VERSION
                                                      : GM_DTDL_FOREIGN_EXTENSION;
        }
    }
    if (!term) {
        struct gm_dtmi dtmi;
        return gm_dtmi_parse(type, &dtmi)             ? GM_DTDL_FOREIGN_TAKEN
               : gm_str_starts(type, GM_STR("dtmi:")) ? GM_DTDL_FOREIGN_MALFORMED
                                                      : GM_DTDL_FOREIGN_URI;
    }
    if (type.n == 0) {
        return GM_DTDL_FOREIGN_MALFORMED;
    }
    bool taken = gm_dtdl_word_in(other_classes_z, type) ||
                 gm_dtdl_class_of(type, 3) != GM_DTDL_CLASS_NONE ||
                 gm_dtdl_property_of(type, 3) != GM_DTDL_PROPERTY_NONE ||
                 gm_dtdl_units(type, &units_z, &more_z);
    return taken ? GM_DTDL_FOREIGN_TAKEN : GM_DTDL_FOREIGN_UNKNOWN;
}

bool gm_dtdl_units(struct gm_str family, const char **out_units_z, const char **out_more_z)
{
    if (gm_str_is(family, "EnergyRateUnit")) { /* another name for the same */
        family = GM_STR("PowerUnit");
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(families); i++) {
        if (gm_str_is(family, families[i].family_z)) {
            *out_units_z = families[i].units_z;
            *out_more_z = families[i].more_z;
            return true;
        }
    }
    return false;
}
