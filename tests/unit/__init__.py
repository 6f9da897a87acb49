"""Tests that need no server: pure modules, the store's SQL on SQLite, and the design rules."""
