"""Failures of the mail provider and of the database."""
