INSERT INTO model_bases (base, model) VALUES ($1, $2)
