"""Tests of `dense_calc/cli`."""
