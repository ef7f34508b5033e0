"""Tests of `dense_calc/spec_language`."""
