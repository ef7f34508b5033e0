"""`python -m dense_calc`, the same as the command `dense-calc`."""

from dense_calc.cli import main

if __name__ == "__main__":  # other processes import this, too
    main()
