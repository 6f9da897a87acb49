"""The only place that sends mail."""
