"""What several test files share: small models, readers and ways to ask."""
