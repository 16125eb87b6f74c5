-- Twins that come into being together: $1 to $3 are the same for all of them, then number, id, change and body of each.
-- OR FAIL: a value that a column refuses ends the statement where it is, so that SQLite keeps no journal for undoing it; the
-- job that it is part of is undone anyway. It holds in triggers as well, whose rows are of new numbers and meet no others.
INSERT OR FAIL INTO twins (created, updated, sources, creator, version, num, id, last_change, body)
VALUES
    ($1, $1, $2, $3, 1, $4, $5, $6, $7),
    ($1, $1, $2, $3, 1, $8, $9, $10, $11),
    ($1, $1, $2, $3, 1, $12, $13, $14, $15),
    ($1, $1, $2, $3, 1, $16, $17, $18, $19),
    ($1, $1, $2, $3, 1, $20, $21, $22, $23),
    ($1, $1, $2, $3, 1, $24, $25, $26, $27),
    ($1, $1, $2, $3, 1, $28, $29, $30, $31),
    ($1, $1, $2, $3, 1, $32, $33, $34, $35),
    ($1, $1, $2, $3, 1, $36, $37, $38, $39),
    ($1, $1, $2, $3, 1, $40, $41, $42, $43),
    ($1, $1, $2, $3, 1, $44, $45, $46, $47),
    ($1, $1, $2, $3, 1, $48, $49, $50, $51),
    ($1, $1, $2, $3, 1, $52, $53, $54, $55),
    ($1, $1, $2, $3, 1, $56, $57, $58, $59),
    ($1, $1, $2, $3, 1, $60, $61, $62, $63),
    ($1, $1, $2, $3, 1, $64, $65, $66, $67)
ON CONFLICT (id) DO NOTHING
