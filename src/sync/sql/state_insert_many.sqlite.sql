-- New objects that took effect, as in state_insert_done: $1 to $3 are the same for all of them, then key, slot, hash and target of
-- each. OR FAIL: see twin_insert_many.
INSERT OR FAIL INTO sync_state (pipeline, run, changed, state, key, slot, hash, target)
VALUES
    ($1, $2, $3, 1, $4, $5, $6, $7),
    ($1, $2, $3, 1, $8, $9, $10, $11),
    ($1, $2, $3, 1, $12, $13, $14, $15),
    ($1, $2, $3, 1, $16, $17, $18, $19),
    ($1, $2, $3, 1, $20, $21, $22, $23),
    ($1, $2, $3, 1, $24, $25, $26, $27),
    ($1, $2, $3, 1, $28, $29, $30, $31),
    ($1, $2, $3, 1, $32, $33, $34, $35),
    ($1, $2, $3, 1, $36, $37, $38, $39),
    ($1, $2, $3, 1, $40, $41, $42, $43),
    ($1, $2, $3, 1, $44, $45, $46, $47),
    ($1, $2, $3, 1, $48, $49, $50, $51),
    ($1, $2, $3, 1, $52, $53, $54, $55),
    ($1, $2, $3, 1, $56, $57, $58, $59),
    ($1, $2, $3, 1, $60, $61, $62, $63),
    ($1, $2, $3, 1, $64, $65, $66, $67)
ON CONFLICT (pipeline, key) DO NOTHING
