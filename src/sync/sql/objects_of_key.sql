SELECT pipeline, id, key, target, owned, body, next, waiting_for, link_to FROM sync_objects WHERE pipeline = $1 AND key = $2
