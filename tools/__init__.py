"""Prepare, run and deploy the Worker from a developer's machine."""
