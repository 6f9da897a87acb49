"""From a mail as SMTP carries it to the JSON that the API takes: pure functions, no network.

Whatever a mail holds is carried, or the mail is refused and the refusal names it.
"""
