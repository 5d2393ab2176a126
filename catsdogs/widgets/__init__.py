"""The parts of the apps.

A visitor's kernel imports them: nothing here loads numpy, pandas, a model or a database driver.
"""
