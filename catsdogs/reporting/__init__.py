"""The dated report: what it shows, and how it is built as HTML, notebook and PDF."""
