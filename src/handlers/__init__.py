"""One file a resource; each handler reads like the HTTP contract: decode, act, answer."""
