"""A file or a text of any kind → a Model."""
