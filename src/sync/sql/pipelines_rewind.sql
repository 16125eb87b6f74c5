UPDATE pipelines SET cursor = NULL
