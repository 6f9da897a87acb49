"""The endpoints. Each file holds one resource and is named after its path.

``/api/NAME`` is ``NAME.py``, ``/admin/NAME`` is ``admin/NAME.py``, ``/open_api/NAME`` is
``open_api/NAME.py``. ``/emails`` is ``resend/emails.py`` for sending, which a Worker imports when
it starts, and ``resend/stored_emails.py`` for the rest.

The docstring of a handler is its text in the API description. The fields of the docstring, such as
``:body NewEmail:``, name the parameters, types and errors. ``tools/openapi/__init__.py`` explains
the fields.
"""
