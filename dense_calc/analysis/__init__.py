"""Reports → answers: why a count is what it is, what two models differ in, what is over budget."""
