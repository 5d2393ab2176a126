"""The widgets of the apps.

Kernels import them: nothing here imports numpy, pandas, a model or a database driver.
"""
