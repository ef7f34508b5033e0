"""Answers about models: why a count is what it is, how two models differ, what is over budget."""
