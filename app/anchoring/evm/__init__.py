"""The Ethereum side (以太坊侧): the one place that imports web3, which takes a second to load."""
