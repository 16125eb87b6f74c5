DELETE FROM model_bases WHERE model = $1
