"""A photo's bytes become an answer: image preprocessing, the classifier, model versions and their evaluation."""
