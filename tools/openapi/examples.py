"""Examples of requests, responses and parameters.

The key of `EXAMPLES` is the name of a type. Special examples for one status or operation have the
key `TYPE STATUS` or `OPERATION STATUS`. Tests check the examples against the types.
"""

import hashlib
import json
from base64 import b64decode
from typing import Any, get_args

from mail.delivery import DeliveryStatus
from mail.lifecycle import Status
from mail.webhook_events import EVENTS
from mail.webhook_examples import example_body
from settings import VERSION
from store.addresses import SORT_KEYS

Json = dict[str, Any]

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

_CURSOR_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

# The parameters that several operations have, and the schemas of all parameters that are not plain
# strings.
PARAMETERS: dict[str, Json] = {
    "Idempotency-Key": {
        "description": "A value of your choice that identifies this request. Within 24 hours the "
        "same key with the same request returns the first response, and no second message is sent.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        "example": "order-4711",
    },
    "id": {"description": "The id of a message.", "example": MESSAGE_ID},
    "limit": {
        "description": "The maximum number of rows on a page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        "example": 20,
    },
    "cursor": {
        "description": "The position of the page: empty for the first page, then the `next_cursor` "
        "of the previous page.",
        "schema": {"type": "string", "pattern": f"^({_CURSOR_PATTERN})?$"},
        "example": MESSAGE_ID,
    },
    "offset": {
        "description": "The number of rows to skip. Can't be combined with `cursor`.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**53 - 1, "default": 0},
        "example": 0,
    },
    "address": {"description": "Return only rows of this mail address.", "example": ADDRESS},
    "after": {"example": MESSAGE_ID},
    "before": {"example": OLDER_MESSAGE_ID},
    "q": {"schema": {"type": "string", "maxLength": 200}},
    # An empty value counts as a missing one.
    "delivery_status": {
        "description": "Return only messages with this delivery status.",
        "schema": {"type": "string", "enum": [*get_args(DeliveryStatus), ""]},
        "example": "bounced",
    },
    "status": {
        "description": "Return only messages with this status.",
        "schema": {"type": "string", "enum": [*get_args(Status), ""]},
        "example": "failed",
    },
    "recipient": {
        "description": "Return only messages to this mail address or, after `@`, to this domain.",
        "schema": {"type": "string", "maxLength": 320},
        "example": "bob@example.org",
    },
    "tag": {
        "description": "Return only messages with the tag of this name or, as `name:value`, with "
        "this name and value.",
        "schema": {"type": "string", "maxLength": 513},
        "example": "kind:order",
    },
    "since": {
        "description": "Return only messages that were accepted at this time or later: ISO 8601, "
        "UTC if it names no time zone.",
        "schema": {"type": "string", "maxLength": 40},
        "example": "2026-11-01",
    },
    "until": {
        "description": "Return only messages that were accepted before this time: ISO 8601, UTC if "
        "it names no time zone. A date includes its day.",
        "schema": {"type": "string", "maxLength": 40},
        "example": "2026-11-30",
    },
    "requested": {"schema": {"type": "string", "enum": ["true", "false", ""]}},
    "sort_by": {"schema": {"type": "string", "enum": [*SORT_KEYS, ""]}},
    "sort_order": {"schema": {"type": "string", "enum": ["asc", "desc", ""]}},
    "type": {"schema": {"type": "string", "enum": [*EVENTS, ""]}, "example": "email.sent"},
    "x-batch-validation": {"schema": {"enum": ["strict", "permissive"], "default": "strict"}},
}

_TO_BOB = {"to_mail": "bob@example.org", "subject": "Hello"}
_TEXT = {**_TO_BOB, "content": "Hello, Bob"}
_HTML = '<p>Thank you. <img src="cid:logo"></p>'
_DETAILS = {
    "cc": "dave@example.org",
    "subject": "Your order",
    "html": _HTML,
    "headers": {"X-Order": "4711"},
    "attachments": [{**FILE, "content_id": "logo"}],
    "tags": [{"name": "kind", "value": "order"}],
    "scheduled_at": SCHEDULED_AT,
}
_MAILS: dict[str, Json] = {
    "text": {"from_name": "Alice", **_TEXT, "to_name": "Bob", "is_html": False},
    "html": {**_TO_BOB, "content": "<p>Hello, <b>Bob</b></p>", "is_html": True},
    "full": {
        "from_name": "Alice",
        "to": ["Bob <bob@example.org>", {"email": "carol@example.org", "name": "Carol"}],
        "reply_to": "Help <help@example.com>",
        **_DETAILS,
    },
    "test": {
        "to_mail": "bounced@test.invalid",
        "subject": "Hello",
        "content": "Nothing is sent to this recipient: its outcome is simulated.",
    },
}
_SENDER = f"Alice <{ADDRESS}>"
_EMAIL = {"from": _SENDER, "to": "bob@example.org", "subject": "Hello", "text": "Hello, Bob"}
_OTHER_EMAIL = {**_EMAIL, "to": "carol@example.org", "text": "Hello, Carol"}
_LISTED_EMAIL = {
    "id": MESSAGE_ID,
    "message_id": PROVIDER_MESSAGE_ID,
    "from": _SENDER,
    "to": ["Bob <bob@example.org>"],
    "cc": [],
    "bcc": [],
    "reply_to": [],
    "subject": "Hello",
    "created_at": CREATED_AT,
    "scheduled_at": None,
}
_QUEUED = {
    "queued": {"status": "queued", "id": MESSAGE_ID},
    "repeated": {"status": "sent", "id": MESSAGE_ID, "message_id": PROVIDER_MESSAGE_ID},
}
_RAW = {
    "from_name": "Alice",
    "to_name": "Bob",
    "to_mail": "bob@example.org",
    "subject": "Your order",
    "is_html": True,
    "content": _HTML,
    "status": "sent",
}
_CREATED = "2026-11-20 09:30:00"
_ENTRY = {
    "id": MESSAGE_ID,
    "address": ADDRESS,
    "raw": json.dumps(_RAW),
    "created_at": _CREATED,
    "status": "sent",
    "delivery_status": "delivered",
    "delivery_count": 1,
    "recipient_count": 1,
    "scheduled_at": None,
}
_PAGE_OF_MESSAGES = {"results": [_ENTRY], "count": 1}
_ENDED = {"attempt": 1, "code": None}
_DELIVERED_AT = "2026-11-20T09:30:02.711Z"
_SMTP = {"smtp_code": "250", "enhanced_code": "2.0.0", "smtp_response": "250 2.0.0 OK"}
_USAGE = {
    "days": [
        {
            **{"day": "2026-11-20", "accepted": 42, "sent": 40, "failed": 1},
            **{"delivered": 38, "bounced": 1, "complained": 0},
        }
    ],
    "daily_left": 958,
    "monthly_left": None,
}
_LIMITS = {"dailyEnabled": True, "dailyLimit": 1000, "monthlyEnabled": False, "monthlyLimit": None}
_SETTINGS = {
    "blockList": ["boss"],
    "sendBlockList": ["@example.net", "bob@example.org"],
    "verifiedAddressList": ["carol@example.org"],
    "noLimitSendAddressList": [ADDRESS],
    "sendMailLimitConfig": _LIMITS,
}
_AUDIT_ROW = {
    "id": MESSAGE_ID,
    "at": CREATED_AT,
    "actor": "admin#1",
    "action": "balance.set",
    "object": ADDRESS,
    "source": "192.0.2.1",
    "details": {"balance": 100, "enabled": True},
}


def _page(**row: Any) -> dict[str, Json]:
    return {"page": {"results": [row], "count": 1}}


def _check(name: str, state: str = "ok", **more: Any) -> Json:
    return {"name": name, "state": state, "details": [], "at": None, "count": None, **more}


_RECIPIENTS = {
    "accepted": 1000,
    "delivered": 980,
    "delayed": 15,
    "bounced": 11,
    "failed": 0,
    "rejected": 2,
    "complained": 1,
}
_PERIOD = {**_RECIPIENTS, "bounce_rate": 0.011, "complaint_rate": 0.001}

_ENDPOINT = "https://hooks.example.com/mail"
_EVENTS = ["email.delivered", "email.bounced"]
_SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
_WEBHOOK = {
    **{"id": MESSAGE_ID, "endpoint": _ENDPOINT, "events": _EVENTS, "status": "enabled"},
    **{"disabled_reason": None, "failing_since": None, "created_at": CREATED_AT},
}
_DELIVERY = {
    **{"id": MESSAGE_ID, "type": "email.sent", "status": "success", "created_at": CREATED_AT},
}
_PAYLOAD = json.loads(example_body("email.sent", now=NOW))

EXAMPLES: dict[str, dict[str, Any]] = {
    "Success": {"done": {"success": True}},
    "str": {"well": "OK"},
    # Addresses and their credentials
    "NewAddress": {"named": {"name": "alice", "domain": "example.com"}, "random": {}},
    "AdminNewAddress": {"named": {"name": "alice", "domain": "example.com", "enablePrefix": False}},
    "CreatedAddress": {
        "created": {"jwt": JWT, "address": ADDRESS, "address_id": 1, "password": None}
    },
    "AddressLogin": {"login": {"email": ADDRESS, "password": PASSWORD_DIGEST}},
    "LoggedIn": {"credential": {"jwt": JWT, "address": ADDRESS}},
    "PasswordChange": {
        "password": {"new_password": PASSWORD_DIGEST, "current_password": "0" * 64},
    },
    "Rotation": {"proof": {"current_password": PASSWORD_DIGEST}},
    "NewPassword": {"password": {"password": "0" * 64}},
    "Rotated": {"credential": {"jwt": JWT}},
    "ShownCredential": {"shown": {"jwt": JWT}},
    "CredentialLogin": {"credential": {"credential": JWT}},
    "PasswordLogin": {"password": {"password": PASSWORD_DIGEST}},
    "AccessResponse": {"made": {"status": "ok"}},
    "AddressSettings": {"balance": {"address": ADDRESS, "send_balance": 97}},
    "AddressUsage": {"usage": {**_USAGE, "send_balance": 58}},
    # Messages
    "SendMail": _MAILS,
    "SendMailWithToken": {name: {"token": JWT, **mail} for name, mail in _MAILS.items()},
    "AdminSendMail": {"text": {"from_mail": "news@example.com", **_TEXT}},
    "BindingMail": {
        "text": {**_EMAIL, "from": {"email": "news@example.com", "name": "News"}},
    },
    "SendResponse 200": {
        "sent": {"status": "ok", "id": MESSAGE_ID, "message_id": PROVIDER_MESSAGE_ID}
    },
    "SendResponse 202": {"scheduled": {"status": "scheduled", "id": MESSAGE_ID}, **_QUEUED},
    "retryMessage 202": _QUEUED,
    "BindingResponse 200": {"sent": {"status": "ok"}},
    "BindingResponse 202": {"queued": {"status": "queued"}},
    "SendboxPage": {"page": _PAGE_OF_MESSAGES},
    "listMessages 200": {
        "page": _PAGE_OF_MESSAGES,
        "cursor": {"results": [_ENTRY], "next_cursor": MESSAGE_ID},
        "end": {"results": [_ENTRY], "next_cursor": None},
    },
    "SendboxMessage": {
        "sent": {
            **_ENTRY,
            "message_id": PROVIDER_MESSAGE_ID,
            "request_id": REQUEST_ID,
            "retry_of": None,
            "retried_as": None,
            "code": None,
            "reason": None,
            "explanation": None,
            "attempts": 1,
            "transport": "send_email",
            "next_attempt_at": None,
            "finished_at": FINISHED_AT,
            "reply_to": {"address": "help@example.com", "name": "Help"},
            "headers": {"X-Order": "4711"},
            "tags": [{"name": "kind", "value": "order"}],
            "attachments": [
                {
                    "filename": FILE["filename"],
                    "content_type": FILE["content_type"],
                    "content_id": "logo",
                    "size": FILE_SIZE,
                    "sha256": FILE_SHA256,
                }
            ],
            "adaptations": [],
            "text": "Thank you.",
            "html": _HTML,
            "recipient_count": 2,
            "recipients": [
                {
                    **{"kind": "to", "address": "bob@example.org", "name": "Bob"},
                    **{"status": "delivered", "code": None, "explanation": None},
                    **{"delivery_status": "delivered", "delivery_status_at": _DELIVERED_AT},
                    **_SMTP,
                    **{"permanent": None, "reason": None},
                },
                {
                    **{"kind": "cc", "address": "dave@example.org", "name": None},
                    **{"status": "sent", "code": None, "explanation": None},
                    **{"delivery_status": "sent", "delivery_status_at": None, "permanent": None},
                    **dict.fromkeys([*_SMTP, "reason"]),
                },
            ],
            "history": [
                {"event": "accepted", "at": CREATED_AT, "attempt": 0, "code": None},
                {"event": "sent", "at": FINISHED_AT, **_ENDED, "transport": "send_email"},
                {
                    **{"event": "delivered", "at": _DELIVERED_AT, **_ENDED},
                    "recipient": "bob@example.org",
                    **_SMTP,
                },
            ],
        }
    },
    # Emails
    "NewEmail": {
        "plain": _EMAIL,
        "full": {
            "from": _SENDER,
            "to": ["Bob <bob@example.org>", "carol@example.org"],
            "reply_to": "help@example.com",
            **_DETAILS,
        },
    },
    "NewBatch": {"two": [_EMAIL, _OTHER_EMAIL]},
    "NewTime": {"later": {"scheduled_at": SCHEDULED_AT}},
    "EmailId": {"accepted": {"id": MESSAGE_ID}},
    "EmailObject": {"changed": {"object": "email", "id": MESSAGE_ID}},
    "Batch": {
        "strict": {"data": [{"id": OLDER_MESSAGE_ID}, {"id": MESSAGE_ID}]},
        "permissive": {
            "data": [{"id": MESSAGE_ID}],
            "errors": [{"index": 1, "message": "`subject`: Subject is empty"}],
        },
    },
    "EmailPage": {
        "page": {
            "object": "list",
            "has_more": False,
            "data": [{**_LISTED_EMAIL, "last_event": "sent", "status": "sent"}],
        }
    },
    "Email": {
        "delivered": {
            "object": "email",
            **_LISTED_EMAIL,
            "last_event": "delivered",
            "status": "sent",
            "text": "Hello, Bob",
            "html": None,
            "tags": [{"name": "kind", "value": "greeting"}],
        }
    },
    # Webhooks
    "NewWebhook": {"new": {"endpoint": _ENDPOINT, "events": _EVENTS}},
    "WebhookChange": {
        "events": {"events": ["email.bounced"]},
        "disable": {"status": "disabled"},
    },
    "WebhookSecret": {
        "created": {"object": "webhook", "id": MESSAGE_ID, "signing_secret": _SIGNING_SECRET}
    },
    "Webhook": {"one": {"object": "webhook", **_WEBHOOK, "signing_secret": _SIGNING_SECRET}},
    "WebhookList": {"page": {"object": "list", "has_more": False, "data": [_WEBHOOK]}},
    "WebhookObject": {"changed": {"object": "webhook", "id": MESSAGE_ID}},
    "RemovedWebhook": {"removed": {"object": "webhook", "id": MESSAGE_ID, "deleted": True}},
    "NewWebhookTest": {"bounce": {"type": "email.bounced"}},
    "WebhookTest": {
        "success": {
            **{"success": True, "status_code": 200, "milliseconds": 87, "response": "ok"},
            **{"error": None, "payload": _PAYLOAD},
        }
    },
    "DeliveryPage": {
        "page": {
            "results": [
                {
                    **_DELIVERY,
                    "next_attempt_at": None,
                    "attempts": [
                        {
                            **{"number": 1, "sent_at": FINISHED_AT, "milliseconds": 87},
                            **{"status_code": 200, "response": "ok", "error": None},
                        }
                    ],
                }
            ],
            "next_cursor": None,
        }
    },
    "ReplayedDelivery": {"replayed": {"object": "webhook_event", "id": MESSAGE_ID}},
    "WebhookEventList": {"page": {"object": "list", "has_more": False, "data": [_DELIVERY]}},
    "WebhookEventDetail": {
        "one": {
            "object": "webhook_event",
            **_DELIVERY,
            "next_attempt_at": None,
            "payload": _PAYLOAD,
        }
    },
    "WebhookEventAttemptList": {
        "page": {
            "object": "list",
            "has_more": False,
            "data": [
                {
                    **{"id": "1", "http_status_code": 200, "response": "ok"},
                    "sent_at": FINISHED_AT,
                }
            ],
        }
    },
    "DisabledWebhookPage": {
        "page": {
            "results": [
                {
                    **_WEBHOOK,
                    **{"status": "disabled", "disabled_reason": "failing", "address": ADDRESS},
                    "failing_since": CREATED_AT,
                }
            ],
            "next_cursor": None,
        }
    },
    # Administration
    "AddressPage": _page(
        **{"id": 1, "name": ADDRESS, "created_at": _CREATED, "updated_at": _CREATED},
        **{"source_meta": "192.0.2.1", "mail_count": 0, "send_count": 42},
    ),
    "BalancePage": _page(
        id=1, address=ADDRESS, balance=97, enabled=1, requested_at=None, created_at=_CREATED
    ),
    "NewBalance": {
        "row": {"address_id": 1, "balance": 100, "enabled": True},
        "address": {"address": ADDRESS, "address_id": 0, "balance": 5, "enabled": 1},
    },
    "AccountSettings": {"all": _SETTINGS, "one": {"blockList": []}},
    "getAccountSettings 200": {"settings": _SETTINGS},
    "SuppressionPage": {
        "page": {
            "results": [
                {
                    **{"address": "bob@example.org", "scope": "example.com"},
                    **{"reason": "complaint", "origin": MESSAGE_ID, "since": CREATED_AT},
                    "expires_at": None,
                }
            ],
            "next_cursor": "bob@example.org example.com",
        }
    },
    "NewSuppression": {
        "one": {"address": "bob@example.org"},
        "ending": {
            **{"address": "bob@example.org", "scope": "example.com", "reason": "hard_bounce"},
            "expires_at": "2030-01-01T00:00:00Z",
        },
    },
    "SuppressionRows": {"rows": {"csv": "bob@example.org,complaint,example.com,\n"}},
    "ImportedRows": {
        "rows": {"imported": 1, "errors": [{"line": 3, "message": "Invalid recipient address"}]}
    },
    "ExportedRows": {
        "page": {
            "csv": "address,reason,scope,expires_at\r\nbob@example.org,complaint,example.com,\r\n",
            "rows": 1,
            "next_cursor": None,
        }
    },
    "Pauses": _page(id=1, address=ADDRESS, since=CREATED_AT),
    "TransportList": {
        "two": {
            "results": [
                {
                    **{"name": "resend", "type": "resend", "domains": ["example.com"]},
                    **{"state": "skipped", "skipped_until": "2026-11-20T09:31:00.137Z"},
                    **{"sent_today": 120, "rejected_today": 3},
                    "last_error": "401 invalid_api_key The API key is invalid",
                    "last_error_at": CREATED_AT,
                },
                {
                    **{"name": "send_email", "type": "send_email", "domains": ["example.com"]},
                    **{"state": "ok", "skipped_until": None},
                    **{"sent_today": 4, "rejected_today": 0},
                    **{"last_error": None, "last_error_at": None},
                },
            ]
        }
    },
    "TestMail": {"mail": {"from_mail": "test@example.com", "to_mail": "bob@example.org"}},
    "DomainPage": {
        "page": {
            "results": [
                {
                    "domain": "example.com",
                    "state": "heard",
                    "last_heard": "2026-11-20",
                    "last_7_days": _PERIOD,
                    "last_30_days": _PERIOD,
                    "days": [{"day": "2026-11-20", **_RECIPIENTS}],
                }
            ],
            "count": 1,
            "marks": {"bounce_rate": 0.02, "complaint_rate": 0.001},
        }
    },
    "DomainDns": {
        "records": {
            "domain": "example.com",
            "records": [
                {
                    "kind": "dmarc",
                    "name": "_dmarc.example.com",
                    "type": "TXT",
                    "state": "weak",
                    "found": ["v=DMARC1; p=none"],
                    "expected": ["v=DMARC1; p=reject;"],
                    "policy": "none",
                }
            ],
        }
    },
    "Usage": {"usage": _USAGE},
    "Overview": {
        "overview": {
            "version": f"v{VERSION}",
            "database": {"size": 41_500_672, "limit": 500_000_000},
            "checks": [
                _check("bindings"),
                _check("secrets"),
                _check("migrations"),
                _check("cron", at=CREATED_AT),
                _check("queue", count=0),
                _check("domains", "waiting", details=["example.com"]),
                _check("address"),
                _check("balance"),
                _check("mail", "waiting"),
                _check("events", "waiting"),
            ],
        }
    },
    "AuditPage": {"page": {"results": [_AUDIT_ROW], "next_cursor": MESSAGE_ID}},
    "SiteSettings": {
        "settings": {
            "title": "Send Mail API",
            "prefix": "",
            "addressRegex": "[^a-z0-9]",
            "minAddressLen": 1,
            "maxAddressLen": 30,
            "defaultDomains": ["example.com"],
            "domains": ["example.com", "example.org"],
            "needAuth": False,
            "enableUserCreateEmail": True,
            "disableAnonymousUserCreateEmail": False,
            "disableCustomAddressName": False,
            "enableUserDeleteEmail": False,
            "enableAddressPassword": False,
            "enableSendMail": True,
            "cfTurnstileSiteKey": "",
            "enableGlobalTurnstileCheck": False,
            "disableAdminPasswordCheck": False,
            "version": f"v{VERSION}",
            "smtpImapProxyConfig": {
                "smtp": {"host": "smtp.example.com", "port": 587, "starttls": True}
            },
        }
    },
}
