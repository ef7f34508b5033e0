"""Keras' own files: reading one into a Model, and writing a Model as the JSON that Keras loads."""
