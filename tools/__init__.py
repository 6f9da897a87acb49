"""What prepares, runs and deploys the worker from a developer's machine."""
