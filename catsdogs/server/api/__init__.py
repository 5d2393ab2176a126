"""The REST API: one module for each group of routes, and their OpenAPI description."""
