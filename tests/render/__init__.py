"""Tests of `dense_calc/render`."""
