"""The types of layer arguments, and the meaning of their values."""
