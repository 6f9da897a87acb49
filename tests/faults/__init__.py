"""The mail provider's failures, which can't be had locally: a stand-in that fails on demand."""
