"""The kernels behind open pages: on this machine or on a gateway, started ahead, limited and stopped."""
