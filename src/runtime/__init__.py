"""The only place that touches JavaScript: requests, responses, bindings, clocks and ciphers."""
