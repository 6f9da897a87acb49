"""The only package that sends mail. It turns a provider's response into an ``Outcome``."""
