"""``python -m catsdogs``."""

from catsdogs.cli import main

main()
