// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EpochNumber, HeaderHash} from "../types/EpochHeader.sol";

/// @title The EIP-712 message by which an agency co-signs an epoch (见证签名)
/// @dev Written out by hand: OpenZeppelin's EIP712 needs `mcopy`, and this must run on chains older than cancun. The
/// separator is computed on every call and never cached, so a chain that splits off under a new id is a new domain.
library EpochAttestation {
    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant ATTESTATION_TYPEHASH = keccak256("EpochAttestation(uint64 epoch,bytes32 headerHash)");
    bytes32 internal constant NAME_HASH = keccak256("CarbonAnchor");
    bytes32 internal constant VERSION_HASH = keccak256("1");

    /// @dev Returns the domain of the contract that runs this.
    function domainSeparator() internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    }

    /// @dev Returns the digest that is signed.
    function digest(EpochNumber epoch, HeaderHash headerHash) internal view returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(ATTESTATION_TYPEHASH, epoch, headerHash));
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(), structHash));
    }
}
