"""From a folder of photos to a model version. The only room that imports Keras and TensorFlow."""
