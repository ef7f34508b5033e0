"""What a setting means, and what it changes in a Model."""
