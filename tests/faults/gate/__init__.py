"""A gate around the worker's calls to the outside: it can hold them, or let them throw."""
