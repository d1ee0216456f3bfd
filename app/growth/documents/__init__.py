"""The published rules (规则文件), a TOML document a version, held to the digests in the lock."""
