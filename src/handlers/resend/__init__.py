"""``/emails``: the API of Resend. Its official SDKs work with the base URL of this service."""
