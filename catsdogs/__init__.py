"""Cat or dog? Predictions with feedback, privacy and monitoring, as notebook apps.

Importing the package loads neither TensorFlow nor a database driver: the visitors' kernels are thin.

>>> import catsdogs
>>> service = catsdogs.connect()
>>> service.predict(open("photo.jpg", "rb").read()).prediction.answer
'cat'
"""

from importlib.metadata import version

from catsdogs.service import connect

__version__ = version("catsdogs")

__all__ = ["__version__", "connect"]
