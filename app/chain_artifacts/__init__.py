"""The compiled contracts: ABI and bytecode, generated from ``contracts/`` and committed (合约产物).

``cd contracts && npm ci && npm run compile`` writes the JSON files beside this one; the same
sources give the same bytes, so CI runs it and then asks git for a difference. Nothing here needs
a compiler at run time. Each file holds ``contract``, ``compiler`` (version and settings),
``sources`` (SHA-256 of every file compiled, libraries included), ``selectors``, ``abi`` and
``bytecode``. Read them with ``importlib.resources``; never edit them.

Constructor arguments, in order:

* ``CarbonAnchor(firstEpoch uint64, firstPrev bytes32, origin bytes32, admin address,
  adminDelay uint48)``: 1 and zero on a new chain, else the next epoch and the last header hash.
* ``MethodologyRegistry(admin address, adminDelay uint48)``.

``adminDelay`` is in seconds: 172,800 (48 hours) or more in production. After deployment the admin
grants the roles; ``docs/contracts.md`` has the table.
"""
