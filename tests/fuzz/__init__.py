"""Files that nobody should send, through the same reader and the same ingest as any other."""
