"""The config: schema, composition, checks. Nothing here imports JAX."""
