"""Numbers that remember how they were computed, and the conditions under which they were."""
