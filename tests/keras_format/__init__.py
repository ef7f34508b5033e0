"""Tests of `dense_calc/keras_format`."""
