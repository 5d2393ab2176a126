"""What the photos of a folder show, however many, as Parquet: part by part, on this machine or on others."""
