"""The revisions, in order (迁移版本)."""
