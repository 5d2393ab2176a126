"""Scoring of large folders: predictions as Parquet, part by part, on this machine or on a Dask cluster."""
