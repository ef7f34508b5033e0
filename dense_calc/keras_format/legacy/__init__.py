"""Reading files of Keras 1 and 2: their words become those of Keras 3."""
