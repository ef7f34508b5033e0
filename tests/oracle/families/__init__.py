"""How random cases are drawn: a module for each family of layer kinds."""
