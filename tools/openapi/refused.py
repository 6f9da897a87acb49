"""Which refusals any operation may meet."""

# Of every operation
OF_THE_DEPLOYMENT = ("binding_missing", "secret_missing", "invalid_setting", "internal_error")
# Of every operation that asks the database
OF_THE_DATABASE = ("database_refused", "database_unavailable")
# Of every operation with a JSON body
OF_A_BODY = (
    *("malformed_json", "body_unreadable", "body_too_large"),
    *("unsupported_media_type", "unsupported_content_encoding", "invalid_input"),
)
# By the guard of the route
OF_A_GUARD = {
    "OPEN": (),
    "SITE": ("site_password_required",),
    "ADDRESS": ("site_password_required", "invalid_credential"),
    "API_KEY": ("credential_missing", "invalid_credential"),
    "ADMIN": ("site_password_required", "admin_password_required"),
}
# Of paths and methods that are no operation
OF_NO_OPERATION = ("not_found", "method_not_allowed")
