"""Functions of TensorFlow that files of tf.keras call as layers."""
