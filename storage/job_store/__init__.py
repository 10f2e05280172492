"""The job records: their contract, and the store that keeps them in Redis."""
