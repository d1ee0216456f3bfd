"""Every test of Tanpu (测试); a package, so that no dependency's ``tests`` shadows it."""
