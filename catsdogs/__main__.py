"""``python -m catsdogs``, and the console script."""


def main() -> None:
    """Run a command; Ctrl-C while it is still being loaded ends it quietly."""
    from catsdogs.errors import SettingsError
    from catsdogs.service import require_supported_system

    try:
        require_supported_system()
        from catsdogs.cli import main as run

        run()
    except SettingsError as error:
        raise SystemExit(f"catsdogs: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
