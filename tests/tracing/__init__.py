"""Tests of `dense_calc/tracing`."""
