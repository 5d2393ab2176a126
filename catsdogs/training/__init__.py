"""From a folder of photos to a model version. The only room that imports Keras and TensorFlow."""

import psycopg2  # noqa: F401 (before TensorFlow, see catsdogs.model.runtimes: photos may come from the database)
