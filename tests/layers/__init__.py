"""Tests of `dense_calc/layers`."""
