"""The types of layers' arguments, and what their values mean."""
