"""The only place that touches JavaScript: requests, responses, bindings and ciphers."""
