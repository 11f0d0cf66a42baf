"""What makes a model: generated pictures, training, export.

Imports `inspector`, never the reverse.
"""
