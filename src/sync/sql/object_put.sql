INSERT INTO sync_objects (pipeline, id, key, target, owned, body, next, waiting_for, link_to)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id, pipeline) DO UPDATE SET key = excluded.key, target = excluded.target, owned = excluded.owned, body = excluded.body,
    next = excluded.next, waiting_for = excluded.waiting_for, link_to = excluded.link_to
