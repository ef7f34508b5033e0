"""Tests of `dense_calc/analysis`."""
