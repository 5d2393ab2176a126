"""Cat or dog? Predictions with feedback, privacy and monitoring, as notebook apps.

Importing the package loads neither TensorFlow nor a database driver: the visitors' kernels are thin.

>>> import catsdogs
>>> service = catsdogs.connect()
>>> service.predict(open("photo.jpg", "rb").read()).prediction.answer
'cat'
"""

from importlib.metadata import PackageNotFoundError, version

from catsdogs.service import connect

try:
    __version__ = version("catsdogs")
except PackageNotFoundError:  # a checkout on the path of a Python in which it is not installed
    __version__ = "0+unknown"

__all__ = ["__version__", "connect"]
