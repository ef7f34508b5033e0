"""What the types of a layer kind say: its arguments in words, and mistakes in them."""
