"""Tests of `dense_calc/files`."""
