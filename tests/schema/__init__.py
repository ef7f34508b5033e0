"""Tests of `dense_calc/schema`."""
