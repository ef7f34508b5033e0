"""Keras' own files: what they hold → a Model, and a Model → the JSON that Keras loads."""
