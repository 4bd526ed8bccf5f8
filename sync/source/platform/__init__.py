"""The national platform as a source: its documents (pure parsers) and how they are asked for."""
