"""How the service, its model and its readers are doing: SQL aggregates, charts and tables of them."""
