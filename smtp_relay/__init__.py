"""The SMTP relay: accepts mail by SMTP and sends it through this project's HTTP API.

A separate program for CPython 3.11 or newer. The worker does not contain it.
"""
