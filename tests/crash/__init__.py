"""The server is killed at given points, and the state that it leaves is checked."""
