"""``/emails``: the API of Resend. Resend's SDKs work if their base URL is that of this service."""
