"""``python -m catsdogs``, and the console script."""


def main() -> None:
    """Run a command; Ctrl-C while it is still being loaded ends it quietly."""
    try:
        from catsdogs.cli import main as run

        run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
