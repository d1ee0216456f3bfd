"""The Ethereum side (以太坊侧): the one place that imports web3, which takes a second to load.

Loading it also lets the whole process recurse 100,000 deep, where a document that nests without
end overflows the stack and ends the process instead of raising; so the limit is put back.
"""

import sys
from importlib import import_module

_LIMIT = sys.getrecursionlimit()
import_module("web3")
sys.setrecursionlimit(_LIMIT)
