"""A gate in the worker's way to everything outside of it: there it can be stopped, or misled."""
