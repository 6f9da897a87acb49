"""``/emails``: the API of Resend, so that its official SDKs work here with another base URL."""
