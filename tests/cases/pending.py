"""The cases that the relay does not pass yet. Their tests may fail."""

PENDING = {
    "108-name-with-joined-emoji",
    "213-thread-index",
}
