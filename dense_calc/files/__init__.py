"""Read a file of any kind into a Model: from the disk, standard input or git."""
