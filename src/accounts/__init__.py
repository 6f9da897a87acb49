"""Who may send: names, credentials and passwords. Runs in any Python."""
