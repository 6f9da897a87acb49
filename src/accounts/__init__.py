"""Accounts: names, credentials, passwords and limits of senders. Runs in any Python."""
