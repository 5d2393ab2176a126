"""The files of photos: one module for each format reads what is needed of a file, in bounded time and memory."""
