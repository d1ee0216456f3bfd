// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev Number of an epoch; the first one is 1.
type EpochNumber is uint64;

/// @dev SHA-256 of the 324 bytes of an epoch header; zero means "none".
type HeaderHash is bytes32;

/// @dev Names the ledger whose headers these are: SHA-256("carbon-anchor/v1/origin" ‖ origin string).
type OriginTag is bytes32;

using {isSameHash as ==, isOtherHash as !=} for HeaderHash global;
using {isOtherOrigin as !=} for OriginTag global;

/// @dev What one epoch commits to (期头). Masses in milligrams CO2e, points in minor units, cumulative since the first
/// epoch. The order of the fields is the order of the bytes and never changes; a change is "v2" with a tag of its own.
struct EpochHeader {
    OriginTag originTag;
    /// @dev 1 << 16 | hash suite << 8 | b, where the account map has 2^b cells.
    uint32 params;
    EpochNumber epoch;
    /// @dev Seconds since 1970 at which the operator says the epoch closed: a claim, not a proof.
    uint64 closedAt;
    uint64 logSize;
    uint64 accountCount;
    bytes32 logRoot;
    bytes32 accountRoot;
    bytes32 methodologyRoot;
    uint128 co2Credits;
    uint128 co2Debits;
    uint128 ptsCredits;
    uint128 ptsDebits;
    bytes32 aux;
    HeaderHash prevHeader;
}

/// @dev SHA-256("carbon-anchor/v1/header"): no other preimage of the specification begins with these bytes.
bytes32 constant HEADER_TAG = 0xa24185a91d3f699a5721b12ee37e085555910cfa158cf6056e46165bb6aabfee;

/// @dev Returns the header hash as the ledger, the receipt verifier and the browser compute it. SHA-256 and not
/// keccak, so that a stranger needs a standard library and nothing else. Two halves, because one `encodePacked` of
/// seventeen values runs out of stack.
function hashOf(EpochHeader calldata header) pure returns (HeaderHash) {
    return HeaderHash.wrap(
        sha256(
            bytes.concat(
                abi.encodePacked(
                    HEADER_TAG,
                    header.originTag,
                    header.params,
                    header.epoch,
                    header.closedAt,
                    header.logSize,
                    header.accountCount,
                    header.logRoot,
                    header.accountRoot
                ),
                abi.encodePacked(
                    header.methodologyRoot,
                    header.co2Credits,
                    header.co2Debits,
                    header.ptsCredits,
                    header.ptsDebits,
                    header.aux,
                    header.prevHeader
                )
            )
        )
    );
}

function isSameHash(HeaderHash left, HeaderHash right) pure returns (bool) {
    return HeaderHash.unwrap(left) == HeaderHash.unwrap(right);
}

function isOtherHash(HeaderHash left, HeaderHash right) pure returns (bool) {
    return HeaderHash.unwrap(left) != HeaderHash.unwrap(right);
}

function isOtherOrigin(OriginTag left, OriginTag right) pure returns (bool) {
    return OriginTag.unwrap(left) != OriginTag.unwrap(right);
}
