"""Failures of the mail provider. The local provider never fails, so a stand-in fails on demand."""
