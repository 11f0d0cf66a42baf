"""How good a model is, from labels to a report; `training/evaluate.py` puts it together."""
