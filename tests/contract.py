"""The HTTP contract, line by line, and the tests that hold each line.

``ENDPOINTS`` has every route, ``RULES`` what holds for more than one. A test is named by its file
below ``tests/`` and its function; ``tests/unit/test_contract.py`` sees that there is such a test,
and that no route is missing.
"""

Lines = dict[str, tuple[str, ...]]

RULES: dict[str, Lines] = {
    "errors": {
        "problem+json of RFC 9457, with code, retryable and request_id": (
            "unit/test_answers.py::test_a_refusal_is_a_problem_object_of_rfc_9457",
        ),
        "invalid input names its fields": (
            "unit/test_answers.py::test_the_fields_at_fault_are_named",
            "e2e/test_send_mail.py::test_wrong_field_type_is_named",
        ),
        "detail is the sentence, and all of the body where text/plain is preferred": (
            "e2e/test_errors.py::test_client_that_prefers_plain_text_gets_just_the_sentence",
        ),
        "a code is a stable word of one list, and each has its sentence": (
            "unit/test_sentences.py::test_a_code_is_a_snake_case_word_or_the_providers",
            "unit/test_sentences.py::test_every_code_that_is_raised_has_a_sentence",
            "unit/test_openapi.py::test_every_documented_error_is_described",
            "unit/test_openapi.py::test_every_error_is_one_of_an_operation_or_of_none",
        ),
        "the sentences stand to the letter": (
            "unit/test_sentences.py::test_the_contracts_sentences_stand_to_the_letter",
        ),
        "English and Chinese, none missing": (
            "unit/test_sentences.py::test_every_catalogue_has_the_codes_of_the_english_one",
            "unit/test_sentences.py::test_every_language_has_the_placeholders_of_the_english_sentence",
        ),
        "the language is that of x-lang, else DEFAULT_LANG, else English": (
            "e2e/test_errors.py::test_languages",
            "e2e/test_addresses.py::test_language_of_the_deployment",
        ),
        "Retry-After with every 429 and 503": (
            "unit/test_answers.py::test_503_says_when_to_try_again",
            "e2e/test_abuse.py::test_each_path_is_limited_for_each_client",
            "e2e/test_rate_limit.py::test_too_many",
        ),
        "no secret and nothing internal in an error or in the log": (
            "e2e/test_logins.py::test_secrets_are_never_in_the_log",
            "unit/test_settings.py::test_an_unreadable_value_is_never_shown",
            "faults/test_provider_faults.py::test_a_failure_says_nothing_of_the_mail_in_the_log",
        ),
        "malformed JSON: 400": ("e2e/test_errors.py::test_malformed_json",),
        "another content type: 415": ("e2e/test_errors.py::test_wrong_content_type",),
        "a wrong type of a field: 422": ("e2e/test_send_mail.py::test_wrong_field_type_is_named",),
        "too large a body: 413": (
            "e2e/test_errors.py::test_body_over_ten_mebibytes_with_its_length_announced",
            "e2e/test_errors.py::test_body_over_ten_mebibytes_in_chunks",
        ),
        "wrong method: 405 with Allow": ("e2e/test_errors.py::test_wrong_method",),
        "unknown path: 404": ("e2e/test_errors.py::test_unknown_path",),
        "nothing that a client sends is a 5xx": (
            "e2e/test_hostile_input.py::test_nothing_a_client_sends_is_a_server_error",
            "e2e/test_hostile_input.py::test_no_path_is_a_server_error",
            "e2e/test_openapi.py::test_two_thousand_generated_requests",
        ),
        "success is JSON in UTF-8, not escaped": (
            "unit/test_answers.py::test_json_is_utf8_and_not_escaped",
        ),
        "unknown fields are ignored": (
            "e2e/test_send_mail.py::test_unknown_fields_and_nulls_are_ignored",
        ),
    },
    "guards": {
        "CORS for every origin, without credentials": ("e2e/test_guards.py::test_preflight",),
        "a preflight is 204 and needs no password": (
            "e2e/test_guards.py::test_preflight",
            "e2e/test_guards.py::test_preflight_needs_no_password",
        ),
        "the site password comes first": (
            "e2e/test_guards.py::test_site_password_is_asked_for_first",
            "e2e/test_abuse.py::test_the_site_password_is_asked_for_before",
        ),
        "any entry of PASSWORDS opens": ("e2e/test_guards.py::test_either_site_password_opens",),
        "what needs no site password": (
            "e2e/test_guards.py::test_what_needs_no_site_password",
            "e2e/test_emails.py::test_the_site_password_is_not_asked_for",
        ),
        "creating addresses and logging in are limited for each client": (
            "e2e/test_abuse.py::test_each_path_is_limited_for_each_client",
            "e2e/test_abuse.py::test_nothing_else_is_limited",
        ),
        "without DB or JWT_SECRET: 500 that says which": (
            "e2e/test_settings.py::test_missing_database_says_so",
            "e2e/test_settings.py::test_incomplete_deployment_says_what_is_missing",
        ),
        "an address credential, the word Bearer in any case": (
            "e2e/test_guards.py::test_the_word_bearer_in_any_case",
            "e2e/test_guards.py::test_bad_credentials",
        ),
        "an admin password, else 401, whatever there is": (
            "e2e/test_guards.py::test_admin_password",
            "e2e/test_administration.py::test_a_thousand_paths_look_alike_without_the_password",
        ),
        "DISABLE_ADMIN_PASSWORD_CHECK opens administration, loudly": (
            "e2e/test_settings.py::test_settings_as_a_deployment_writes_them",
        ),
        "secrets are compared in constant time": (
            "unit/test_house.py::test_secrets_are_compared_in_constant_time",
            "unit/test_house.py::test_what_compares_secrets_does_it_in_constant_time",
        ),
        "every route has the guard of its prefix": (
            "unit/test_routes.py::test_a_route_has_the_guard_of_its_prefix",
        ),
    },
    "credential": {
        "HS256 with JWT_SECRET, and no other algorithm": (
            "e2e/test_attacks.py::test_algorithm_none",
            "e2e/test_attacks.py::test_other_algorithms_and_headers",
            "e2e/test_attacks.py::test_other_secrets",
        ),
        "claims of address, id, time and version": (
            "unit/test_credentials.py::test_a_token_says_no_more_than_it_must",
            "e2e/test_attacks.py::test_altered_claims",
        ),
        "tokens of the original service are version 0, ids of digits too": (
            "e2e/test_send_mail.py::test_tokens_of_the_replaced_service_are_accepted",
            "e2e/test_attacks.py::test_an_id_of_digits_is_the_original_services",
        ),
        "exp is honoured": (
            "unit/test_credentials.py::test_exp_is_honoured",
            "e2e/test_attacks.py::test_an_expired_credential",
        ),
        "CREDENTIAL_TTL_DAYS gives every new credential an exp": (
            "e2e/test_logins.py::test_every_new_credential_gets_the_lifetime",
        ),
        "deleted, renamed, rotated: 401 at once": (
            "e2e/test_send_mail.py::test_deleted_or_rotated_address_is_refused_at_once",
            "unit/test_store_addresses.py::test_a_credential_ends_at_once",
            "e2e/test_attacks.py::test_a_deleted_address_that_is_made_again",
        ),
        "faults of the request itself come before the row of the credential": (
            "e2e/test_send_mail.py::test_faults_of_the_request_come_before_what_the_database_says",
        ),
        "JWT_SECRET_PREVIOUS verifies and never signs": (
            "e2e/test_guards.py::test_previous_secret_still_verifies",
            "unit/test_settings.py::test_the_secret_that_signs_is_the_first_that_verifies",
        ),
    },
    "names of addresses": {
        "trimmed and cleaned by ADDRESS_REGEX": (
            "e2e/test_addresses.py::test_name_is_cleaned",
            "e2e/test_addresses.py::test_prefix_regex_and_first_domain",
        ),
        "random where there is none, or where none may be chosen": (
            "e2e/test_addresses.py::test_without_a_name_it_is_random",
            "e2e/test_settings.py::test_settings_as_a_deployment_writes_them",
            "unit/test_random_name.py::test_random_names_come_from_the_systems_generator",
        ),
        "block list, role names, check regex, length, in this order": (
            "e2e/test_addresses.py::test_refused_names",
            "e2e/test_addresses.py::test_rules_of_the_deployment",
            "e2e/test_addresses.py::test_blocked_names_are_read_from_the_list",
            "unit/test_naming.py::test_the_rules_are_checked_in_the_order_of_the_contract",
        ),
        "the prefix stands in front, in lower case": (
            "e2e/test_addresses.py::test_prefix_regex_and_first_domain",
            "unit/test_settings.py::test_the_prefix_is_trimmed_and_lowered",
        ),
        "one of the domains, in any case, else a random or the first one": (
            "e2e/test_addresses.py::test_domain_in_any_case",
            "e2e/test_addresses.py::test_prefix_regex_and_first_domain",
            "unit/test_settings.py::test_addresses_are_made_in_the_default_domains_or_else_in_all",
        ),
    },
    "what a send checks": {
        "the sender is the token's address, with a name that deceives nobody": (
            "e2e/test_send_mail.py::test_mail_leaves_as_written",
            "unit/test_compose.py::test_a_senders_name_must_not_show_another_address",
            "unit/test_compose.py::test_a_name_must_not_hide_anything",
        ),
        "domains leave as A-labels; local parts are ASCII": (
            "unit/test_compose.py::test_the_recipient_is_sent_in_a_label_form",
            "unit/test_compose.py::test_a_local_part_that_is_not_ascii_is_refused_in_clear_words",
        ),
        "faults of the request, in order": (
            "e2e/test_send_mail.py::test_what_the_request_gets_wrong",
            "e2e/test_send_mail.py::test_sender_domain_that_is_not_ours_comes_first",
            "e2e/test_settings.py::test_sending_limited_to_some_domains",
            "unit/test_compose.py::test_of_several_faults_the_first_of_the_contract_is_reported",
        ),
        "then balance, block list, daily and monthly limit, in order": (
            "unit/test_reserve.py::test_refusals_come_in_the_order_of_the_contract",
            "e2e/test_limits.py::test_ten_at_once_with_a_balance_of_one_send_one",
        ),
        "what is refused costs nothing and leaves nothing": (
            "e2e/test_full_message.py::test_what_is_wrong_is_named_and_nothing_is_kept",
            "unit/test_reserve.py::test_a_refused_message_is_granted_nothing",
        ),
        "the block list has addresses and domains without their subdomains": (
            "e2e/test_limits.py::test_send_block_list",
            "unit/test_reserve.py::test_a_blocked_domain_does_not_block_its_subdomains",
        ),
        "every recipient is checked": ("unit/test_reserve.py::test_every_recipient_is_checked",),
        "verified recipients cost no balance": (
            "e2e/test_limits.py::test_verified_recipient_costs_nothing",
        ),
        "unlimited addresses cost nothing and are counted": (
            "e2e/test_limits.py::test_unlimited_address_costs_nothing_and_says_so",
            "unit/test_reserve.py::test_an_unlimited_address_is_not_charged_and_still_counted",
        ),
        "limits count recipients in UTC days and months, exactly, over all addresses": (
            "e2e/test_limits.py::test_quotas_hold_exactly_over_all_addresses",
            "unit/test_reserve.py::test_days_and_months_end_at_midnight_utc",
            "faults/test_idempotency.py::test_two_hundred_at_once_against_a_daily_limit",
        ),
        "suppressed recipients are refused by name": (
            "e2e/test_limits.py::test_suppressed_recipient_is_refused_by_name",
            "faults/test_reputation.py::test_a_suppressed_recipient_is_refused_until_it_is_removed",
        ),
        "SENDING_PAUSED stops all with 503": ("e2e/test_settings.py::test_sending_paused",),
        "an address of which too much failed is paused": (
            "faults/test_reputation.py"
            "::test_an_address_is_paused_until_an_administrator_lets_it_send",
            "unit/test_pauses.py::test_it_is_paused_at_the_share",
        ),
        "two round trips and at most twelve rows": (
            "e2e/test_send_mail.py::test_a_send_is_two_round_trips_and_at_most_twelve_rows",
        ),
    },
    "what comes of a send": {
        "202 queued where the provider takes no more for now": (
            "faults/test_provider_faults.py::test_temporary_refusal_is_queued_and_stays_charged",
        ),
        "502 with the provider's code where it refuses for good": (
            "faults/test_provider_faults.py::test_permanent_refusal",
        ),
        "503 where it can't be queued": (
            "faults/test_retries.py::test_without_a_queue_it_is_refused_and_nothing_is_half_done",
        ),
        "502 outcome_unknown, not retryable, still charged": (
            "faults/test_provider_faults.py::test_unknown_outcome_keeps_the_charge",
        ),
    },
    "balance": {
        "the default is granted once, at first need": (
            "e2e/test_settings.py::test_settings_of_an_address_grant_the_balance_once",
            "e2e/test_limits.py::test_first_sends_at_once_grant_the_balance_once",
        ),
        "a default of 0 makes no row, but for a request for access": (
            "unit/test_store_balances.py::test_a_default_of_0_makes_no_row",
            "e2e/test_deletion.py::test_where_nothing_is_granted_access_waits_for_an_administrator",
        ),
        "an administrator's row is not touched": (
            "unit/test_reserve.py::test_a_balance_of_an_administrator_is_not_touched_by_the_default",
            "e2e/test_limits.py::test_disabled_balance_is_no_balance",
        ),
    },
    "deletion": {
        "only with ENABLE_USER_DELETE_EMAIL": (
            "e2e/test_deletion.py::test_owners_delete_only_where_they_may",
        ),
        "what waits is cancelled and given back, once": (
            "e2e/test_deletion.py::test_a_scheduled_message_is_cancelled_and_given_back_once",
            "e2e/test_deletion.py::test_what_waits_for_a_deleted_address_is_never_sent",
        ),
        "what is being sent stays: 409": ("e2e/test_deletion.py::test_a_message_in_flight_stays",),
        "what has ended loses its text and leaves the lists": (
            "e2e/test_deletion.py::test_a_message_that_was_sent",
        ),
    },
    "passwords": {
        "given once, kept as a slow salted hash": (
            "e2e/test_addresses.py::test_password_is_given_once_and_kept_only_as_a_slow_hash",
            "unit/test_passwords.py::test_the_slow_hash_is_called_once_with_100000_iterations",
        ),
        "unknown address and wrong password answer alike, in the same time": (
            "e2e/test_logins.py::test_unknown_address_and_wrong_password_answer_alike",
            "e2e/test_logins.py::test_an_unknown_address_takes_as_long",
        ),
        "ten failures in fifteen minutes, then 429": (
            "e2e/test_logins.py::test_ten_wrong_guesses_and_the_address_has_to_wait",
            "e2e/test_logins.py::test_of_forty_guesses_at_the_same_time_ten_are_answered",
        ),
        "off unless switched on": (
            "e2e/test_logins.py::test_passwords_are_off_unless_switched_on",
            "e2e/test_administration.py::test_without_passwords_none_is_reset",
        ),
    },
    "variables": {
        "lists, numbers and switches in every form": (
            "unit/test_settings.py::test_a_list_is_an_array_or_json_or_words_with_commas",
            "unit/test_settings.py::test_a_switch_is_true_or_false",
            "e2e/test_settings.py::test_settings_as_a_deployment_writes_them",
        ),
        "one that can't be read is named": (
            "e2e/test_settings.py::test_incomplete_deployment_says_what_is_missing",
        ),
    },
    "attacks": {
        "headers and lines of the log can't be injected": (
            "e2e/test_attacks.py::test_nothing_a_client_sends_makes_a_line_of_the_log",
            "e2e/test_attacks.py::test_headers_of_answers_repeat_nothing_that_is_not_sane",
            "e2e/test_hostile_input.py::test_no_control_character_reaches_the_transport",
        ),
        "SQL is data in every field and parameter": (
            "e2e/test_attacks.py::test_sql_and_oddities_in_every_field",
            "e2e/test_administration.py::test_what_is_hostile_does_no_harm",
            "unit/test_reserve.py::test_every_value_is_data_and_not_sql",
        ),
        "rotating while sending": ("e2e/test_attacks.py::test_rotation_while_many_mails_are_sent",),
    },
    "console": {
        "static files at / need no password": (
            "e2e/test_guards.py::test_what_needs_no_site_password",
        ),
    },
}

_SENDING_ONCE = {
    "sends once with an Idempotency-Key": (
        "faults/test_idempotency.py::test_two_hundred_at_once_with_one_key_send_one_mail",
    ),
}
_ID_OF_ADDRESS = {
    "404 where there is no such row": ("e2e/test_administration.py::test_no_such_address",),
}
_PAUSED = "faults/test_reputation.py::test_an_address_is_paused_until_an_administrator_lets_it_send"
_COUNTED = "e2e/test_usage.py::test_messages_are_counted_by_what_became_of_them"

ENDPOINTS: dict[str, Lines] = {
    "GET /health_check": {
        "OK": ("e2e/test_guards.py::test_what_needs_no_site_password",),
        "503 with a reason": ("e2e/test_settings.py::test_health_check_without_tables",),
    },
    "GET /open_api/settings": {
        "every member, public": (
            "e2e/test_settings.py::test_settings_of_the_site",
            "e2e/test_guards.py::test_what_needs_no_site_password",
        ),
    },
    "POST /open_api/credential_login": {
        "success, or 401": ("e2e/test_guards.py::test_credential_login",),
    },
    "POST /open_api/site_login": {"success, or 401": ("e2e/test_logins.py::test_site_login",)},
    "POST /open_api/admin_login": {"success, or 401": ("e2e/test_logins.py::test_admin_login",)},
    "POST /api/new_address": {
        "jwt, address, address_id and password": (
            "e2e/test_seed_page.py::test_both_examples_send_one_mail_each",
            "e2e/test_addresses.py::test_name_is_cleaned",
        ),
        "403 where creation is switched off": (
            "e2e/test_addresses.py::test_creation_switched_off",
        ),
        "Turnstile, where it is configured": (
            "e2e/test_abuse.py::test_a_solved_challenge_lets_pass",
            "e2e/test_abuse.py::test_whoever_solves_none_is_refused",
            "e2e/test_abuse.py::test_a_verification_without_an_answer_is_a_refusal",
        ),
        "of many at once exactly one gets the name": (
            "e2e/test_addresses.py::test_exactly_one_of_many_gets_the_name",
        ),
        "so many a day for one client": (
            "e2e/test_abuse.py::test_a_client_makes_exactly_so_many_addresses_a_day",
        ),
    },
    "POST /api/address_login": {
        "jwt and address": ("e2e/test_logins.py::test_a_password_gives_out_a_credential",),
        "fields that must be there": ("e2e/test_logins.py::test_what_must_be_there",),
    },
    "POST /api/address_change_password": {
        "another password": ("e2e/test_logins.py::test_a_password_is_changed",),
        "which is a digest": ("e2e/test_logins.py::test_a_password_that_is_no_digest_is_refused",),
    },
    "POST /api/rotate_credential": {
        "a new credential, the old one dead": (
            "e2e/test_logins.py::test_a_rotated_credential_is_dead_at_once",
            "e2e/test_attacks.py::test_rotation_while_many_mails_are_sent",
        ),
        "of many at once one": (
            "e2e/test_logins.py::test_one_of_many_rotations_at_the_same_time_succeeds",
        ),
    },
    "GET /api/usage": {
        "by day, of the address alone": (
            _COUNTED,
            "e2e/test_usage.py::test_days_of_the_last_ninety_are_shown_in_their_order",
            "unit/test_usage.py::test_an_address_sees_its_own",
        ),
        "what is left of balance and limits": (
            "e2e/test_usage.py::test_what_is_left_of_balance_and_limits",
        ),
        "a credential that holds": ("e2e/test_usage.py::test_the_credential_must_hold",),
    },
    "GET /api/settings": {
        "address and send_balance": (
            "e2e/test_settings.py::test_settings_of_an_address_grant_the_balance_once",
        ),
        "99999 for an unlimited one": (
            "e2e/test_limits.py::test_unlimited_address_costs_nothing_and_says_so",
        ),
    },
    "POST /api/request_send_mail_access": {
        "ok, and then 400": ("e2e/test_deletion.py::test_access_is_asked_for_once",),
    },
    "POST /api/send_mail": {
        "200 with both ids": (
            "e2e/test_seed_page.py::test_both_examples_send_one_mail_each",
            "e2e/test_send_mail.py::test_mail_leaves_as_written",
        ),
        **_SENDING_ONCE,
    },
    "GET /api/sendbox": {
        "newest first, in pages, with a count": (
            "e2e/test_sendbox.py::test_newest_first_in_pages",
        ),
        "the members of a row, raw without the token": (
            "e2e/test_sendbox.py::test_row",
            "e2e/test_send_mail.py::test_the_token_is_never_stored",
        ),
        "bad numbers": (
            "e2e/test_sendbox.py::test_bad_limit",
            "e2e/test_sendbox.py::test_bad_offset",
        ),
        "search": ("e2e/test_search.py::test_search_before_and_after_the_index",),
        "pages by cursor": ("e2e/test_search.py::test_pages_by_cursor",),
        "one's own alone": ("e2e/test_sendbox.py::test_others_do_not_see_it",),
    },
    "GET /api/sendbox/{id}": {
        "the row, its recipients and its history": ("e2e/test_send_mail.py::test_what_is_kept",),
        "one's own alone": ("e2e/test_sendbox.py::test_others_do_not_see_it",),
    },
    "DELETE /api/sendbox/{id}": {
        "success, and it is gone": ("e2e/test_deletion.py::test_a_message_that_was_sent",),
        "one's own alone": ("e2e/test_deletion.py::test_a_message_of_somebody_else",),
    },
    "DELETE /api/clear_sent_items": {
        "success, and all are gone": ("e2e/test_deletion.py::test_all_messages",),
        "also while sending": ("e2e/test_deletion.py::test_deleting_and_sending_at_once",),
    },
    "DELETE /api/delete_address": {
        "success, and its credential is dead": ("e2e/test_deletion.py::test_an_address",),
    },
    "POST /api/sendbox/{id}/retry": {
        "a new attempt, ordered by name": (
            "faults/test_sending_again.py::test_a_failed_message_is_sent_again_as_a_new_one",
            "faults/test_sending_again.py::test_an_unknown_message_is_sent_again_only_once",
        ),
    },
    "POST /external/api/send_mail": {
        "the token in the body": (
            "e2e/test_seed_page.py::test_both_examples_send_one_mail_each",
            "e2e/test_full_message.py::test_the_body_token_goes_with_a_full_message",
        ),
        "401 where it is bad or missing": ("e2e/test_send_mail.py::test_bad_body_token",),
        "never stored, logged or echoed": (
            "e2e/test_send_mail.py::test_the_token_is_never_stored",
        ),
    },
    "POST /emails": {
        "Resend's clients send": (
            "e2e/test_resend_python.py::test_send",
            "e2e/test_resend_node.py::test_send",
        ),
    },
    "GET /emails": {
        "Resend's clients list": (
            "e2e/test_resend_python.py::test_list_with_cursors",
            "e2e/test_resend_node.py::test_list_with_cursors",
        ),
    },
    "POST /emails/batch": {
        "Resend's clients send batches": (
            "e2e/test_resend_python.py::test_batch",
            "e2e/test_resend_node.py::test_batches",
        ),
    },
    "GET /emails/{id}": {
        "Resend's clients read": ("e2e/test_resend_python.py::test_send",),
        "one's own alone": ("e2e/test_emails.py::test_nobody_elses_mail_is_shown",),
    },
    "PATCH /emails/{id}": {
        "Resend's clients reschedule": (
            "e2e/test_resend_python.py::test_schedule_reschedule_and_cancel",
        ),
    },
    "POST /emails/{id}/cancel": {
        "Resend's clients cancel": (
            "e2e/test_resend_node.py::test_schedule_reschedule_and_cancel",
        ),
    },
    "POST /admin/new_address": {
        "any domain, and role names": (
            "e2e/test_addresses.py::test_admin_may_use_any_domain_and_role_names",
        ),
        "a name must be given": ("e2e/test_addresses.py::test_admin_must_give_a_name",),
        "1 to 30 characters": (
            "e2e/test_addresses.py::test_admin_refusals",
            "unit/test_settings.py::test_administrators_are_bound_by_1_to_30_characters_alone",
        ),
        "the prefix where it is asked for": (
            "e2e/test_addresses.py::test_admin_prefix_only_when_asked_for",
        ),
    },
    "GET /admin/address": {
        "rows and count": ("e2e/test_administration.py::test_addresses_are_listed",),
        "query and order": ("e2e/test_administration.py::test_addresses_are_found_and_sorted",),
        "parameters are checked": (
            "e2e/test_administration.py::test_parameters_of_lists_are_checked",
        ),
    },
    "DELETE /admin/delete_address/{id}": {
        "gone, with what it sent": ("e2e/test_deletion.py::test_an_address",),
        **_ID_OF_ADDRESS,
    },
    "GET /admin/show_password/{id}": {
        "jwt": (
            "e2e/test_administration.py::test_a_credential_is_shown_and_the_trail_tells_who_looked",
        ),
        **_ID_OF_ADDRESS,
    },
    "POST /admin/address/{id}/reset_password": {
        "another password": ("e2e/test_administration.py::test_a_password_is_reset",),
        **_ID_OF_ADDRESS,
    },
    "DELETE /admin/clear_sent_items/{id}": {
        "all messages of an address": ("e2e/test_deletion.py::test_all_messages",),
        **_ID_OF_ADDRESS,
    },
    "GET /admin/address_sender": {
        "rows, by address": (
            "e2e/test_administration.py::test_a_balance_is_asked_for_set_used_up_and_removed",
        ),
    },
    "POST /admin/address_sender": {
        "a row is made or changed": (
            "e2e/test_administration.py::test_a_balance_is_asked_for_set_used_up_and_removed",
        ),
        "fields are checked": ("e2e/test_administration.py::test_balances_are_checked",),
        "id and address fit": ("e2e/test_administration.py::test_id_and_address_must_fit",),
    },
    "DELETE /admin/address_sender": {
        "a row is removed": (
            "e2e/test_administration.py::test_a_balance_is_asked_for_set_used_up_and_removed",
        ),
    },
    "DELETE /admin/address_sender/{id}": {
        "a row that there is not": (
            "e2e/test_administration.py::test_a_balance_is_asked_for_set_used_up_and_removed",
        ),
        **_ID_OF_ADDRESS,
    },
    "GET /admin/account_settings": {
        "what was posted, and postable before": (
            "e2e/test_administration.py::test_what_was_posted_is_what_is_shown",
        ),
    },
    "POST /admin/account_settings": {
        "lists and limits hold": ("e2e/test_administration.py::test_lists_and_limits_hold",),
        "limits that are none": ("e2e/test_administration.py::test_other_limits_are_refused",),
        "entries that are none": (
            "e2e/test_administration.py::test_other_entries_are_refused_by_their_place",
        ),
        "ten thousand entries": ("e2e/test_administration.py::test_ten_thousand_entries",),
    },
    "POST /admin/send_mail": {
        "from any address, without a balance": (
            "e2e/test_administration.py"
            "::test_administrators_send_from_any_address_without_a_balance",
        ),
        "limits count": ("e2e/test_administration.py::test_limits_count_what_administrators_send",),
        "errors without the prefix": ("e2e/test_administration.py::test_errors_carry_no_prefix",),
        "sends once with a key": (
            "e2e/test_administration.py::test_administrators_send_once_with_a_key",
        ),
    },
    "POST /admin/send_mail_by_binding": {
        "all that the provider takes": ("e2e/test_administration.py::test_by_binding",),
        "400 without the binding": (
            "e2e/test_settings.py::test_settings_as_a_deployment_writes_them",
        ),
        "SEND_MAIL_DOMAINS limits it": (
            "e2e/test_administration.py::test_domains_of_the_binding_are_limited",
        ),
    },
    "GET /admin/sendbox": {
        "by address": (
            "e2e/test_administration.py"
            "::test_administrators_send_from_any_address_without_a_balance",
            "unit/test_administrators_mail.py::test_it_is_listed_under_its_sender",
        ),
    },
    "DELETE /admin/sendbox/{id}": {
        "anybody's message, but not one in flight": (
            "e2e/test_deletion.py::test_a_message_in_flight_stays",
        ),
    },
    "GET /admin/suppressions": {
        "listed": ("e2e/test_administration.py::test_suppressions",),
        "learned from the provider": (
            "faults/test_reputation.py::test_a_suppressed_recipient_is_refused_until_it_is_removed",
            "faults/test_reputation.py::test_of_several_recipients_none_is_suppressed",
        ),
    },
    "POST /admin/suppressions": {
        "added": ("e2e/test_administration.py::test_suppressions",),
    },
    "DELETE /admin/suppressions": {
        "removed": ("e2e/test_administration.py::test_suppressions",),
    },
    "GET /admin/pauses": {"who is paused": (_PAUSED,)},
    "DELETE /admin/pauses/{id}": {
        "lifted, so that only later messages count": (
            _PAUSED,
            "unit/test_pauses.py::test_after_a_pause_was_lifted_messages_count_anew",
        ),
        "404 where there is none": (
            "faults/test_reputation.py::test_a_pause_that_is_none_cannot_be_lifted",
        ),
    },
    "GET /admin/usage": {
        "by day, over all addresses": (
            _COUNTED,
            "unit/test_usage.py::test_each_message_is_counted_as_what_became_of_it",
        ),
        "what is left of the limits": (
            "e2e/test_usage.py::test_what_is_left_of_balance_and_limits",
        ),
        "kept for ninety days": ("unit/test_usage.py::test_counters_are_kept_for_ninety_days",),
    },
    "GET /admin/audit": {
        "page by page": ("e2e/test_administration.py::test_the_trail_is_read_page_by_page",),
        "never changed": ("unit/test_schema.py::test_the_audit_trail_is_never_changed",),
        "written once, where something was done": (
            "unit/test_store_addresses.py::test_what_is_done_is_written_down_once",
            "e2e/test_administration.py::test_an_address_that_is_refused_leaves_no_trail",
        ),
    },
}
