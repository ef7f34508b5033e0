"""Follow shapes through a Model and fill a Report."""
