"""The API's JSON as pydantic models."""
