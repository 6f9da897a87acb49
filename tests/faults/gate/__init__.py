"""A gate around the worker's calls to the database, the provider and the queue.

The gate can hold a call, or let it throw.
"""
