"""HTTP independent of the runtime: requests, access rules, bodies, queries and responses."""
