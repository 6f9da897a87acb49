"""What a mail is: its parts, their syntax and their limits. Runs in any Python."""
