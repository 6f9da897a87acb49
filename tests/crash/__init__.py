"""All processes of the server are killed at given points, and what is left is compared."""
