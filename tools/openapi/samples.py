"""What the examples are made of."""

import hashlib
from base64 import b64decode

ADDRESS = "alice@example.com"
JWT = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"
PASSWORD_DIGEST = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
MESSAGE_ID = "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f"
OLDER_MESSAGE_ID = "019a9f5b-03d2-7c55-8a41-b7d0f1e2a3c4"
PROVIDER_MESSAGE_ID = "<0100019a9f607c3e@example.com>"
REQUEST_ID = "2f0f0a0e-6a0e-4b8e-9d5c-0a4f6f1f6f0e"
CREATED_AT = "2026-11-20T09:30:00.137Z"
FINISHED_AT = "2026-11-20T09:30:00.420Z"
SCHEDULED_AT = "2026-12-01T08:00:00.000Z"
NOW = 1_795_167_000_000  # CREATED_AT, in Unix milliseconds

# An image of one pixel
FILE = {
    "filename": "logo.gif",
    "content": "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
    "content_type": "image/gif",
}
FILE_SIZE = len(b64decode(FILE["content"]))
FILE_SHA256 = hashlib.sha256(b64decode(FILE["content"])).hexdigest()
