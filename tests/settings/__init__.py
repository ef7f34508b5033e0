"""Tests of `dense_calc/settings`."""
