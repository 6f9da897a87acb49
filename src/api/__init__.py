"""The types of the API: what requests are decoded into, and what answers are encoded from.

Plain Python, without the runtime, because the OpenAPI description is made of them as well
(``tools/openapi/``). What is said of a field here is what the description says of it.
"""
