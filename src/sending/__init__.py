"""Submit messages, attempt them at once or later, and record the outcomes."""
