"""Tests of `dense_calc/whatif`."""
