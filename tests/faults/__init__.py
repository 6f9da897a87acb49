"""Failures of the mail provider, which the local provider never has: a stand-in fails on demand."""
