"""Layers of Keras 1 and 2 that Keras 3 does not have."""
