"""Cat or dog? Predictions with feedback, privacy and monitoring, as notebook apps.

Importing the package loads neither TensorFlow nor a database driver: the visitors' kernels are thin.

>>> import catsdogs
>>> service = catsdogs.connect()
>>> service.predict(open("photo.jpg", "rb").read()).prediction.answer
'cat'
"""

from catsdogs.service import connect

__version__ = "1.0.0"

__all__ = ["__version__", "connect"]
