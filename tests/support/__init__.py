"""What tests stand on: throw-away servers, builders and faults."""
