"""The model: preprocessing of photos, the classifier, model versions and their evaluation."""
