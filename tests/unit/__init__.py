"""What runs in any Python: pure modules, the store's SQL on SQLite, and the house's rules."""
