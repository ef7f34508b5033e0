"""What if: Models under other settings → rows of what they come to, and answers made of those."""
