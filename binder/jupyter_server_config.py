"""Where `start` runs, Jupyter shows the apps below /catsdogs/, and starts their server at the first visit."""

c = get_config()  # noqa: F821 (Jupyter defines it)

c.ServerProxy.servers = {
    "catsdogs": {
        "command": ["catsdogs", "serve", "--port", "{port}"],
        "timeout": 60,
        "launcher_entry": {"title": "Cats and dogs", "path_info": "catsdogs/inference"},
    }
}
