"""``/hooks/``: webhooks of mail providers, which report what became of mail."""
