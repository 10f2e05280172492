"""An upload's body as a stream: from the multipart form to the object store."""
