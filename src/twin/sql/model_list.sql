SELECT num, id, uploaded, decommissioned, body FROM models ORDER BY num
