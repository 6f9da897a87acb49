"""The only package that uses JavaScript: requests, responses, bindings and Web Crypto."""
