"""English. Sentences that the HTTP contract fixes are verbatim."""

SENTENCES = {
    # Prefixes of error details
    "failed_to_send": "Failed to send mail ",
    "failed_to_create": "Failed to create address: ",
    # Authentication and configuration
    "site_password_required": (
        "You have enabled the private site password, please provide the password"
    ),
    "admin_password_required": "You need to provide the admin password to access this page",
    "invalid_credential": "Invalid address credential",
    "credential_missing": (
        "Missing API key: send an address credential in the header Authorization: Bearer"
    ),
    "client_rate_exceeded": "Rate limit exceeded for {path}",
    "binding_missing": "The {name} binding is missing: add it to wrangler.toml and deploy again",
    "secret_missing": (
        "The {name} secret is missing: set it with wrangler secret put {name}, or in .dev.vars for "
        "a local server"
    ),
    "invalid_setting": "The variable {name} can't be read: it must be {expected}",
    # All requests
    "not_found": "There is nothing at this path",
    "method_not_allowed": "This path takes only {allowed}",
    "malformed_json": "The body is not valid JSON: {problem}",
    "unsupported_media_type": (
        "The body must be JSON, sent with the header Content-Type: application/json"
    ),
    "unsupported_content_encoding": "The body must not be compressed (Content-Encoding)",
    "body_unreadable": "The body could not be read",
    "body_too_large": "The body is larger than {limit} bytes",
    "body_too_complex": (
        "The body has more than {objects} objects and lists, or more than {texts} strings"
    ),
    "body_too_slow": "The body arrived too slowly",
    "too_many_large_bodies": "Too many large requests at the same time, please try again later",
    "invalid_input": "The field {field} is not valid: {problem}",
    "invalid_field": "{problem}",
    "required_field_missing": "Required field is missing",
    "unknown_field": "There is no such field",
    "invalid_limit": "Invalid limit",
    "invalid_offset": "Invalid offset",
    "invalid_cursor": "Invalid cursor",
    "two_cursors": "Give either after or before, not both",
    "offset_with_cursor": "The parameter offset can't be combined with a cursor",
    "invalid_requested": "The parameter requested must be true or false",
    "invalid_sort_by": "Invalid sort_by",
    "invalid_delivery_status": "Invalid delivery_status",
    "invalid_status": "Invalid status",
    "invalid_recipient_filter": "The parameter recipient must be a mail address, or @ and a domain",
    "invalid_tag": "The tag is too long",
    "invalid_id": "The id is too long",
    "invalid_since": "The parameter since must be a time in ISO 8601",
    "invalid_until": "The parameter until must be a time in ISO 8601",
    "invalid_sort_order": "Invalid sort_order",
    "invalid_q": "The search q is longer than {limit} characters",
    "internal_error": "An internal error occurred, please report the request id",
    "database_unavailable": "The database does not respond, please try again later",
    "database_refused": "The database rejected a statement: check that all migrations are applied",
    "database_down": "The database D1 does not respond, or its migrations are not applied",
    # Creating addresses
    "new_address_disabled": "New address is disabled, please contact the administrator",
    "anonymous_new_address_disabled": (
        "New address for anonymous user is disabled, please contact the administrator"
    ),
    "address_name_too_short": "Name is too short (min {minimum})",
    "address_name_too_long": "Name is too long (max {maximum})",
    "address_name_no_match": "Name not match regex: /{pattern}/",
    "address_name_blocked": "Name[{name}]is blocked",
    "address_name_invalid": "Name can't be used in a mail address",
    "invalid_domain": "Invalid domain",
    "no_domains": "Invalid domain: DOMAINS is empty, so no sender domain is configured",
    "address_exists": "Address already exists",
    "random_subdomain_unsupported": (
        "Random subdomains are not supported: omit enableRandomSubdomain"
    ),
    "human_verification_failed": "Human verification check failed",
    "human_verification_unavailable": (
        "The human verification service does not respond, please try again later"
    ),
    "too_many_addresses": "A client can create at most {most} addresses a day",
    "address_not_found": "There is no such address",
    "user_delete_disabled": (
        "User delete address/email is disabled, please contact the administrator"
    ),
    "invalid_address_id": "Invalid address_id",
    "already_requested": "Already requested",
    "balance_disabled": (
        "Sending is switched off for this address, please contact the administrator"
    ),
    "balance_not_found": "No send balance is set for this address",
    "suppression_not_found": "This recipient is not on the suppression list",
    "invalid_scope": "The sending domain must be a domain, or empty",
    "expires_at_invalid": "The end must be a date or a time in ISO 8601",
    "expires_at_in_past": "The end must be in the future",
    "invalid_reason": "The reason must be one of: {reasons}",
    "suppression_columns": "A row has the columns address, reason, scope, expires_at",
    "suppression_line_too_long": "The line has more than {limit} characters",
    "suppression_quotes": "A row is one line of CSV; quotes around a value must be closed in it",
    "too_many_suppressions": "A request can import at most {limit} rows",
    "invalid_list_entry": "An entry of {list} is not valid",
    "list_entry_too_long": "The entry is too long (max {limit} characters)",
    "list_entry_name": "A name must have 1 to 64 characters, without control characters",
    "list_too_large": (
        "The list is too large (max {limit} entries, and max {bytes} bytes of JSON, where each "
        "entry counts twice)"
    ),
    "invalid_send_limits": (
        "sendMailLimitConfig must have dailyEnabled and monthlyEnabled (true or false), dailyLimit "
        "and monthlyLimit (whole numbers, -1 for unlimited, null only where disabled)"
    ),
    "invalid_sender": "The sender must be a single mailbox",
    "binding_not_enabled": "Please enable SEND_MAIL first",
    # Passwords
    "password_login_disabled": "Password login is disabled",
    "password_change_disabled": "Password change is disabled",
    "invalid_login": "Invalid email or password",
    "too_many_logins": "Too many failed logins for this address, please try again later",
    "current_password_missing": (
        "This address has a password: send it as current_password, or ask the administrator to set "
        "a new one"
    ),
    "wrong_password": "The present password is wrong",
    "too_many_credential_changes": (
        "The credential and the password can each be changed {most} times a day, please try again "
        "after midnight UTC"
    ),
    "password_not_digested": "The password must be its SHA-256 digest, in 64 hexadecimal digits",
    # Sending: errors in the request
    "invalid_recipient": "Invalid recipient address",
    "recipient_local_part_not_ascii": (
        "Invalid recipient address: the part before the @ must be ASCII"
    ),
    "address_syntax": "This is not one mail address of the form name@example.com",
    "address_local_part_not_ascii": "The part before the @ must be ASCII",
    "address_domain": "The part after the @ is not a domain name",
    "address_too_long": "The address is too long (max 64 bytes before the @, 254 in total)",
    "subject_empty": "Subject is empty",
    "subject_has_control": "Subject must not contain control characters or line breaks",
    "subject_too_long": "Subject is too long (max {limit} characters)",
    "content_empty": "Content is empty",
    "display_name_has_control": "A name must not contain control characters or line breaks",
    "display_name_has_hidden": ("A name must not contain invisible or text-direction characters"),
    "display_name_has_encoded_word": "A name must not contain encoded words (=?...?=)",
    "display_name_shows_address": "A name must not show another mail address",
    "display_name_too_long": "A name is too long (max {limit} characters)",
    "mailbox_too_long": "A mailbox is too long (max {limit} characters)",
    "mailbox_list": (
        "This seems to be several addresses: send them as a list, or put a name with a comma in "
        "quotes"
    ),
    "too_many_recipients": "A message has at most {limit} recipients in to, cc and bcc together",
    "invalid_reply_to": "Invalid reply-to address",
    "reply_to_too_many": "There are too many reply-to addresses (max {limit})",
    "reply_to_first_used": (
        "Only the first reply-to address is used, because the mail provider takes only one"
    ),
    "test_recipients_mixed": (
        "A message can't have both sandbox recipients and other recipients: send two messages"
    ),
    "unknown_test_recipient": (
        "Unknown sandbox recipient: use {known}; a +label before the @ is allowed"
    ),
    "test_outcomes_mixed": (
        "The sandbox recipients of a message must have the same outcome: send one message per "
        "outcome"
    ),
    "header_name_invalid": (
        "A header name must have 1 to {limit} ASCII letters, digits and hyphens; underscores are "
        "allowed only after X-"
    ),
    "header_has_own_field": (
        "The header {name} can't be set in headers: use the field {own_field} instead"
    ),
    "header_not_allowed": (
        "The mail provider sets the header {name} itself or does not accept it: the name of a "
        "custom header must begin with X-"
    ),
    "header_repeated": "The header {name} is given twice: header names are case-insensitive",
    "header_value_empty": "The header {name} must not be empty",
    "header_value_has_control": (
        "The header {name} must not contain control characters or line breaks"
    ),
    "header_value_too_long": "The header {name} is too long (max {limit} bytes in UTF-8)",
    "header_value_not_accepted": (
        "The mail provider accepts only these values of the header {name}: {accepted}"
    ),
    "headers_too_many": "There are too many headers (max {limit} whose names don't begin with X-)",
    "headers_too_large": "The headers are too large (max {limit} bytes together)",
    "list_unsubscribe_invalid": (
        "List-Unsubscribe must be <https://...> or <mailto:...>, or several of them separated "
        "by commas"
    ),
    "list_unsubscribe_post_invalid": (
        "List-Unsubscribe-Post must be List-Unsubscribe=One-Click, and requires a "
        "List-Unsubscribe with an <https://...> address"
    ),
    "adaptations_too_many": "There are too many adaptations (max {limit})",
    "adaptation_invalid": (
        "An adaptation must have 1 to {limit} characters, without control characters or line breaks"
    ),
    "attachments_too_many": "There are too many attachments (max {limit})",
    "attachment_filename_missing": "An attachment must have a filename",
    "attachment_filename_invalid": (
        "A filename must not contain slashes, encoded words (=?...?=), "
        "or control, invisible or text-direction characters"
    ),
    "attachment_filename_too_long": "A filename is too long (max {limit} bytes in UTF-8)",
    "attachment_content_missing": (
        "An attachment must have content (an empty string for an empty file)"
    ),
    "attachment_content_invalid": (
        "The content of an attachment must be base64 with the standard alphabet (+ and /)"
    ),
    "attachment_content_is_data_url": (
        "The content of an attachment must be plain base64, without the prefix data:...;base64,"
    ),
    "attachment_content_type_invalid": (
        "A content_type must be a media type like image/png (max {limit} characters)"
    ),
    "attachment_content_type_refused": (
        "A content_type can't be multipart/*, or message/* other than message/rfc822"
    ),
    "attachment_content_id_invalid": (
        "A content_id must have 1 to {limit} ASCII characters, without spaces or angle brackets"
    ),
    "attachment_content_id_repeated": "Two attachments have the same content_id",
    "tags_too_many": "There are too many tags (max {limit})",
    "tag_invalid": (
        "A tag's name and value must be one or more ASCII letters, digits, underscores or hyphens"
    ),
    "tag_too_long": "A tag's name or value is too long (max {limit} characters)",
    "tag_repeated": "Two tags have the same name",
    "tag_renamed": "Another tag has the same name, so this one is named {name}",
    "scheduled_at_invalid": (
        "scheduled_at must be a date and a time in ISO 8601, like 2026-12-31T09:30:00Z"
    ),
    "scheduled_in_past": "scheduled_at is in the past",
    "scheduled_too_far": "scheduled_at is too far ahead (max {days} days)",
    "message_too_large": "The message has {size} bytes after encoding, the limit is {limit}",
    "send_mail_not_enabled": "Please enable SEND_MAIL for this domain first",
    # Sending: the Resend API
    "invalid_from": "The sender must be a single mailbox",
    "from_not_own": "The sender must be the address of the API key: {address}",
    "template_unsupported": "Templates are not supported: give text or html instead",
    "topic_unsupported": "Topics are not supported: omit this field",
    "attachment_path_unsupported": (
        "Remote files are not supported: send the content of the file instead"
    ),
    "batch_with_attachments": "A mail in a batch can't have attachments: send it separately",
    "batch_with_schedule": "A mail in a batch can't be scheduled: send it separately",
    "batch_size": "A batch has 1 to {limit} mails",
    "invalid_batch_validation": "The header x-batch-validation must be strict or permissive",
    "id_mismatch": "This id differs from the id in the path",
    # Sending: checks in the database
    "no_balance": "No balance",
    "address_blocked": "Address is blocked",
    "recipient_blocked": "This address is blocked: {recipient}",
    "recipient_suppressed": "Recipient is suppressed: {recipient} ({reason})",
    "recipient_suppressed_until": (
        "Recipient is suppressed until {expires_at}: {recipient} ({reason})"
    ),
    "suppressed_manual": "an administrator added it",
    "suppressed_hard_bounce": "a mail to it was rejected permanently",
    "suppressed_soft_bounce": "a mail to it could not be delivered",
    "suppressed_complaint": "the recipient reported a mail as spam",
    "suppressed_provider": "the mail provider suppresses it",
    "daily_quota_reached": "Server daily send quota has been reached",
    "monthly_quota_reached": "Server monthly send quota has been reached",
    "address_paused": (
        "Sending from this address is paused because too many of its messages failed, "
        "please contact the administrator"
    ),
    "not_paused": "Sending from this address is not paused",
    "too_many_sandbox_recipients": (
        "This address has reached its daily limit of sandbox recipients, please try again after "
        "midnight UTC"
    ),
    "too_many_sandbox_bytes": (
        "The messages of this address to sandbox recipients are too large together, please try "
        "again after midnight UTC"
    ),
    "too_many_withdrawals": (
        "Too many messages of this address failed or were cancelled today, please try again after "
        "midnight UTC or contact the administrator"
    ),
    "too_many_changes": (
        "An address can do this at most {most} times a day, please try again after midnight UTC"
    ),
    "rate_limit_exceeded": "Too many messages for now, please try again later",
    "batch_over_rate_limit": (
        "A batch can have at most {limit} messages, the quota of the rate limit"
    ),
    "batch_too_long": "Without a queue a batch can have at most {limit} messages",
    "batch_too_large": (
        "Recipients, subjects, headers and tags of the batch have {size} bytes together, "
        "the limit is {limit}"
    ),
    "sending_paused": "Sending is paused by the administrator, please try again later",
    # Webhooks
    "invalid_endpoint": "Invalid endpoint",
    "endpoint_syntax": (
        "The endpoint must be a URL like https://hooks.example.com/mail, without a user, an IP "
        "address and a fragment (max 2048 characters)"
    ),
    "endpoint_scheme": "The endpoint must begin with https://",
    "endpoint_host": "The host of the endpoint must be a public domain name",
    "endpoint_port": (
        "The port of the endpoint must be 443 or above 1023, and not one that browsers block"
    ),
    "too_many_webhook_calls": (
        "An address can create, change, test and replay webhooks {most} times a day, please try "
        "again after midnight UTC"
    ),
    "too_many_webhooks": "There are too many webhooks (max {limit})",
    "transport_not_found": "There is no such transport",
    "invalid_signature": "The signature of the webhook is missing, invalid or too old",
    "events_not_recorded": "The message is being sent. Please send the webhook again later",
    "webhook_not_found": "There is no such webhook",
    "webhook_delivery_not_found": "There is no such delivery",
    "webhook_disabled": "This webhook is disabled: enable it first",
    "webhook_body_removed": "The body of this delivery has been removed",
    "webhook_in_flight": "This delivery is being sent. Try again when sending has finished",
    "invalid_type": "Unknown type of event",
    # Retries, cancellation and rescheduling
    "invalid_idempotency_key": "The Idempotency-Key must have 1 to 256 characters, in UTF-8",
    "idempotency_key_reused": "This Idempotency-Key was used for another request",
    "idempotency_in_flight": "A request with this Idempotency-Key is still in progress",
    "already_retried": "This message has already been sent again",
    "not_retryable": "Only a message that failed or has an unknown outcome can be sent again",
    "content_removed": "The content of this message has been removed",
    "not_cancellable": "Only a scheduled or queued message can be cancelled",
    "not_scheduled": "Only a scheduled message can be rescheduled",
    "message_not_found": "There is no such message",
    "message_in_flight": "This message is being sent. Try again when sending has finished",
    # Sending: errors of the provider
    "outcome_unknown": (
        "The mail provider's response is unknown: the mail may have been sent. It is not sent "
        "again automatically"
    ),
    "asked_again": (
        "The mail provider's response is unknown. The provider is asked again with the same key, "
        "so the mail is sent only once"
    ),
    "provider_refused": "The mail provider rejected the message ({provider_code})",
    "provider_busy": (
        "The mail provider accepts no more mail for now ({provider_code}), please try again later"
    ),
    "E_VALIDATION_ERROR": "The mail provider considers the message invalid",
    "E_FIELD_MISSING": "The message has no value for a field that the mail provider requires",
    "E_TOO_MANY_RECIPIENTS": "The mail provider rejected the number of recipients",
    "E_SENDER_NOT_VERIFIED": (
        "The sender's domain is not set up for sending: enable Email Sending for it at the provider"
    ),
    "E_RECIPIENT_NOT_ALLOWED": (
        "The mail provider does not send to this recipient: verify the address at the provider, "
        "or use a plan that allows any recipient"
    ),
    "E_RECIPIENT_SUPPRESSED": "The recipient is on the mail provider's suppression list",
    "E_SENDER_DOMAIN_NOT_AVAILABLE": "The sender's domain is not available at the mail provider",
    "E_CONTENT_TOO_LARGE": "The message is too large for the mail provider",
    "E_DELIVERY_FAILED": "The mail provider could not deliver the message",
    "E_RATE_LIMIT_EXCEEDED": "The mail provider's rate limit is reached, please try again later",
    "E_DAILY_LIMIT_EXCEEDED": "The mail provider's daily limit is reached, please try again later",
}
