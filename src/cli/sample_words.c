#include <stdio.h>

#include "cli/sample_parts.h"

/* The words the sample company is made of. Names have letters beyond ASCII on purpose: what reads
 * them must cope. */

const struct sample_factory sample_factories[SAMPLE_FACTORIES] = {
    {"SEA", "Seattle Works", "1201 Harbor Avenue SW", "Seattle", "WA", "98126", "United States",
     47.5755, -122.3770, "1998-04-14"},
    {"MEM", "Memphis Works", "4450 Tchulahoma Road", "Memphis", "TN", "38118", "United States",
     35.0286, -89.9182, "2003-09-01"},
    {"MTY", "Monterrey Works", "Avenida Ruiz Cortines 3200", "Monterrey", "NL", "64400", "Mexico",
     25.7161, -100.3458, "2009-02-16"},
    {"RTM", "Rotterdam Works", "Waalhaven Oostzijde 77", "Rotterdam", NULL, "3087 BM",
     "Netherlands", 51.8925, 4.4569, "2012-06-25"},
    {"PEN", "Penang Works", "Lebuhraya Kampung Jawa 12", "Bayan Lepas", "PNG", "11900", "Malaysia",
     5.3054, 100.2912, "2017-11-06"},
};

static const struct sample_place places[] = {
    {"Seattle", "WA", "United States", "981nn", "+1 206"},
    {"Portland", "OR", "United States", "972nn", "+1 503"},
    {"Chicago", "IL", "United States", "606nn", "+1 312"},
    {"Atlanta", "GA", "United States", "303nn", "+1 404"},
    {"San José", "CA", "United States", "951nn", "+1 408"},
    {"Vancouver", "BC", "Canada", "V6B nLn", "+1 604"},
    {"Montréal", "QC", "Canada", "H2X nLn", "+1 514"},
    {"Monterrey", "NL", "Mexico", "64nnn", "+52 81"},
    {"Querétaro", "QRO", "Mexico", "76nnn", "+52 442"},
    {"São Paulo", "SP", "Brazil", "01nnn-nnn", "+55 11"},
    {"Córdoba", NULL, "Argentina", "X50nn", "+54 351"},
    {"Rotterdam", NULL, "Netherlands", "30nn LL", "+31 10"},
    {"Eindhoven", NULL, "Netherlands", "56nn LL", "+31 40"},
    {"Köln", NULL, "Germany", "506nn", "+49 221"},
    {"München", NULL, "Germany", "803nn", "+49 89"},
    {"Lyon", NULL, "France", "690nn", "+33 4"},
    {"Birmingham", NULL, "United Kingdom", "Bn nLL", "+44 121"},
    {"Göteborg", NULL, "Sweden", "41n nn", "+46 31"},
    {"Ålesund", NULL, "Norway", "60nn", "+47 70"},
    {"Łódź", NULL, "Poland", "90-nnn", "+48 42"},
    {"Brno", NULL, "Czechia", "60n nn", "+420 54"},
    {"Torino", "TO", "Italy", "101nn", "+39 011"},
    {"İzmir", NULL, "Türkiye", "35nnn", "+90 232"},
    {"Bayan Lepas", "PNG", "Malaysia", "119nn", "+60 4"},
    {"Singapore", NULL, "Singapore", "6nnnnn", "+65 6"},
    {"Đà Nẵng", NULL, "Vietnam", "50nnnn", "+84 236"},
    {"Pune", "MH", "India", "4110nn", "+91 20"},
    {"名古屋", NULL, "Japan", "450-00nn", "+81 52"},
    {"Melbourne", "VIC", "Australia", "30nn", "+61 3"},
    {"Nairobi", NULL, "Kenya", "001nn", "+254 20"},
};

static const char *const first_names[] = {
    "Aisha",   "Anders", "Beatriz", "Carlos", "Chen",  "Daniela", "Eiji",  "Emeka",
    "Fatima",  "Grace",  "Hanna",   "Ingrid", "Isaac", "Jürgen",  "José",  "Kavya",
    "Lena",    "Łukasz", "Mateo",   "Mei",    "Nadia", "Oğuz",    "Olena", "Priya",
    "Quentin", "Renée",  "Søren",   "Tomáš",  "Uma",   "Viktor",  "Wanda", "Zoë",
};
static const char *const last_names[] = {
    "Abebe",    "Almeida", "Bergström", "Castro",  "Dubois", "Eriksen",  "Fernández", "García",
    "Haddad",   "Hughes",  "Ivanova",   "Jansen",  "Kaya",   "Kowalski", "Kumar",     "Lindqvist",
    "Martínez", "Müller",  "Nguyễn",    "O'Brien", "Okafor", "Petrov",   "Quispe",    "Rossi",
    "Sato",     "Silva",   "Tan",       "Novák",   "Wang",   "Weiß",     "Yılmaz",    "Zhang",
};
static const char *const trades[] = {
    "Toys",  "Trading",  "Packaging",      "Plastics",   "Imports",     "Novelties",  "Logistics",
    "Print", "Textiles", "Gifts",          "Components", "Retail",      "Wholesale",  "Industries",
    "Paper", "Metals",   "Party Supplies", "Workwear",   "Electronics", "Stationery",
};
static const char *const company_forms[] = {"Ltd",  "Inc",     "GmbH",   "B.V.",
                                            "S.A.", "Sdn Bhd", "& Sons", "Group"};
static const char *const streets[] = {
    "Harbour Road", "Mill Lane",   "Rue de la Gare", "Industriestraße", "Station Road",
    "Via Roma",     "Calle Mayor", "Dock Street",    "Foundry Way",     "Keizersgracht",
};

/* What a product of a group is: a thing in a variant. */
static const struct {
    const char *name, *tag;
    const char *things[6];
} groups[] = {
    {"USB Novelties",
     "electronic",
     {"USB rocket launcher", "USB food flash drive", "USB fan", "USB lamp", "USB cup warmer",
      "USB stick"}},
    {"Toys",
     "toys",
     {"Ride-on race car", "Remote control boat", "Building bricks", "Puzzle", "Spinning top",
      "Kite"}},
    {"Furry Footwear",
     "clothing",
     {"Gorilla slippers", "Shark slippers", "Bear slippers", "Dinosaur socks", "Penguin socks",
      "Cat slippers"}},
    {"Clothing", "clothing", {"Hoodie", "T-shirt", "Rain jacket", "Cap", "Scarf", "Work gloves"}},
    {"Mugs",
     "kitchen",
     {"Developer joke mug", "Travel mug", "Espresso cup", "Tea mug", "Enamel mug", "Beer mug"}},
    {"Packaging Materials",
     "packaging",
     {"Air cushion film", "Shipping carton", "Bubble wrap", "Packing tape", "Stretch film",
      "Padded envelope"}},
    {"Stationery",
     "office",
     {"Notebook", "Ballpoint pen", "Marker", "Ring binder", "Desk pad", "Sticky notes"}},
    {"Party",
     "party",
     {"Halloween mask", "Paper lantern", "Balloon pack", "Confetti", "Garland", "Party hat"}},
    {"Tools",
     "workshop",
     {"Box cutter", "Tape dispenser", "Hand truck strap", "Spirit level", "Bit set", "Clamp"}},
    {"Signs",
     "safety",
     {"Warning sign", "Floor marking", "Exit sign", "Fire point sign", "Lock-out tag",
      "Label roll"}},
    {"Garden",
     "outdoor",
     {"Watering can", "Plant pot", "Bird feeder", "Garden light", "Hose nozzle", "Trowel"}},
    {"Kitchen",
     "kitchen",
     {"Cutting board", "Kitchen timer", "Measuring jug", "Lunch box", "Bottle opener", "Apron"}},
};
static const char *const colours[] = {"black", "white", "red",    "blue",  "green",
                                      "grey",  "pink",  "orange", "brown", "clear"};
static const char *const sizes[] = {"XS", "S", "M", "L", "XL", "10 mm", "48 mm", "1 m", "10 pcs"};
static const char *const materials[] = {"ABS", "cotton", "steel", "paper", "wool",
                                        "PET", "beech",  "glass", "rubber"};
static const char *const occasions[] = {"new", "limited", "promotion", "seasonal", "bestseller"};

#define PICK(rng, list) ((list)[gm_rng_below((rng), GM_ARRAY_COUNT(list))])

void sample_person(struct gm_rng *rng, char out[SAMPLE_TEXT_SIZE])
{
    const char *first = PICK(rng, first_names);
    (void)snprintf(out, SAMPLE_TEXT_SIZE, "%s %s", first, PICK(rng, last_names));
}

void sample_phone(struct gm_rng *rng, const char *code_z, char out[SAMPLE_TEXT_SIZE])
{
    (void)snprintf(out, SAMPLE_TEXT_SIZE, "%s 555 %04d", code_z, (int)sample_between(rng, 0, 9999));
}

static void make_postal_code(struct gm_rng *rng, const char *format_z, char out[SAMPLE_TEXT_SIZE])
{
    size_t n = 0;
    for (; format_z[n] != '\0' && n + 1 < SAMPLE_TEXT_SIZE; n++) {
        out[n] = format_z[n];
        if (out[n] == 'L') {
            out[n] = "ABCDEFGHKLMNPRSTVWXZ"[gm_rng_below(rng, 20)];
        } else if (out[n] == 'n') {
            out[n] = "0123456789"[gm_rng_below(rng, 10)];
        }
    }
    out[n] = '\0';
}

/* Mail addresses are ASCII: whatever else is in the name is left out. */
static void make_email(const char *name_z, const char *box_z, char out[SAMPLE_TEXT_SIZE])
{
    char domain[SAMPLE_TEXT_SIZE];
    size_t n = 0;
    for (const char *p = name_z; *p != '\0'; p++) {
        if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')) {
            domain[n++] = *p;
        }
    }
    domain[n] = '\0';
    (void)snprintf(out, SAMPLE_TEXT_SIZE, "%s@%.80s.example", box_z, domain);
}

void sample_party(struct gm_rng *rng, struct sample_party *out_party)
{
    static const char *const boxes[] = {"orders", "sales", "office", "info"};
    const struct sample_place *place = &PICK(rng, places);
    const char *owner = PICK(rng, last_names);
    const char *trade = PICK(rng, trades);
    (void)snprintf(out_party->name, SAMPLE_TEXT_SIZE, "%s %s %s", owner, trade,
                   PICK(rng, company_forms));
    sample_person(rng, out_party->contact);
    make_email(out_party->name, PICK(rng, boxes), out_party->email);
    sample_phone(rng, place->phone_code, out_party->phone);
    const char *street = PICK(rng, streets);
    (void)snprintf(out_party->street, SAMPLE_TEXT_SIZE, "%s %d", street,
                   (int)sample_between(rng, 1, 240));
    make_postal_code(rng, place->postal_format, out_party->postal_code);
    out_party->city = place->city;
    out_party->state = place->state;
    out_party->country = place->country;
}

int64_t sample_group_count(void)
{
    return (int64_t)GM_ARRAY_COUNT(groups);
}

const char *sample_group_name(int64_t group)
{
    return groups[group - 1].name;
}

void sample_product(struct gm_rng *rng, struct sample_product *out_product)
{
    size_t group = gm_rng_below(rng, GM_ARRAY_COUNT(groups));
    const char *thing = PICK(rng, groups[group].things);
    const char *colour = PICK(rng, colours);
    const char *size = PICK(rng, sizes);
    const char *material = PICK(rng, materials);
    out_product->group = (int64_t)group + 1;
    (void)snprintf(out_product->name, SAMPLE_TEXT_SIZE, "%s (%s, %s) %s", thing, colour, material,
                   size);
    (void)snprintf(out_product->tags, SAMPLE_TEXT_SIZE, "%s,%s", groups[group].tag,
                   PICK(rng, occasions));
    (void)snprintf(out_product->attributes, SAMPLE_TEXT_SIZE,
                   "{\"colour\":\"%s\",\"material\":\"%s\",\"size\":\"%s\"}", colour, material,
                   size);
}
