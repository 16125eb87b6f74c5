-- The business system of Wide World Importers: how erp.db was made.
-- modified_at is kept by triggers, so that a change by hand is seen by pipelines that read incrementally.

CREATE TABLE factories (
    factory_id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    street TEXT NOT NULL,
    city TEXT NOT NULL,
    state TEXT,
    postal_code TEXT NOT NULL,
    country TEXT NOT NULL,
    latitude REAL NOT NULL,
    longitude REAL NOT NULL,
    in_service_since DATE NOT NULL
);

CREATE TABLE lines (
    line_id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    factory_id INTEGER NOT NULL REFERENCES factories (factory_id),
    name TEXT NOT NULL,
    purpose TEXT NOT NULL,
    units_per_hour INTEGER NOT NULL,
    in_service_since DATE NOT NULL
);

CREATE TABLE suppliers (
    supplier_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    contact_name TEXT,
    email TEXT,
    phone TEXT,
    street TEXT,
    city TEXT NOT NULL,
    state TEXT,
    postal_code TEXT,
    country TEXT NOT NULL,
    rating TEXT NOT NULL CHECK (rating IN ('P', 'A', 'X')),
    lead_time_days INTEGER NOT NULL
);

CREATE TABLE product_groups (
    group_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE products (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    group_id INTEGER NOT NULL REFERENCES product_groups (group_id),
    supplier_id INTEGER NOT NULL REFERENCES suppliers (supplier_id),
    unit_price NUMERIC NOT NULL CHECK (unit_price >= 0),
    weight_kg REAL,
    discontinued INTEGER NOT NULL DEFAULT 0,
    tags TEXT,              -- separated by commas
    attributes TEXT,        -- a JSON object
    modified_at TEXT NOT NULL
);

CREATE TABLE product_lines (
    sku TEXT NOT NULL REFERENCES products (sku),
    line_id INTEGER NOT NULL REFERENCES lines (line_id),
    cycle_seconds REAL NOT NULL,
    preferred INTEGER NOT NULL,
    PRIMARY KEY (sku, line_id)
) WITHOUT ROWID;

CREATE TABLE customers (
    customer_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    contact_name TEXT,
    email TEXT,
    phone TEXT,
    street TEXT,
    city TEXT NOT NULL,
    state TEXT,
    postal_code TEXT,
    country TEXT NOT NULL,
    segment TEXT NOT NULL,
    credit_limit NUMERIC,
    customer_since DATE NOT NULL,
    modified_at TEXT NOT NULL
);

CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
    factory_id INTEGER NOT NULL REFERENCES factories (factory_id),
    ordered_on DATE NOT NULL,
    required_on DATE NOT NULL,
    shipped_at TEXT,
    status TEXT NOT NULL,
    comment TEXT,
    modified_at TEXT NOT NULL
);

CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (order_id),
    line_no INTEGER NOT NULL,
    sku TEXT NOT NULL REFERENCES products (sku),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price NUMERIC NOT NULL,
    discount REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (order_id, line_no)
) WITHOUT ROWID;

CREATE INDEX products_modified ON products (modified_at);
CREATE INDEX customers_modified ON customers (modified_at);
CREATE INDEX orders_modified ON orders (modified_at);

CREATE TRIGGER products_touch AFTER UPDATE ON products WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE products SET modified_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE sku = NEW.sku;
END;
CREATE TRIGGER customers_touch AFTER UPDATE ON customers WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE customers SET modified_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE customer_id = NEW.customer_id;
END;
CREATE TRIGGER orders_touch AFTER UPDATE ON orders WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE orders SET modified_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE order_id = NEW.order_id;
END;
