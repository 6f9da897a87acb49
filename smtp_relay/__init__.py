"""The SMTP relay: SMTP in, this project's HTTP API out.

A program of its own, in CPython 3.11 or newer; nothing of it is uploaded with the worker.
"""
