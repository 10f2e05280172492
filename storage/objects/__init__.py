"""Originals and results as objects: their contract, and the stores in local files and in S3."""
