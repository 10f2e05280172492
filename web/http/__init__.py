"""What every answer shares: problem documents, security headers and the connection."""
