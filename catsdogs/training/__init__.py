"""Training of a model version on a folder of photos. Only this package imports Keras and TensorFlow."""

import psycopg2  # noqa: F401 (before TensorFlow, see catsdogs.model.runtimes; photos may come from the database)
