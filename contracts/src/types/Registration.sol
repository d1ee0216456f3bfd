// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EpochNumber} from "./EpochHeader.sol";
import {MethodologyKey} from "./Methodology.sol";

/// @dev Names an issue batch (签发批次): SHA-256(tag ‖ its id), so that nothing here says whose it is.
type BatchId is bytes32;

/// @dev Names a retirement (注销), in the same way.
type RetirementId is bytes32;

/// @dev Names the invalidation (失效) of a part of a batch, in the same way.
type InvalidationId is bytes32;

/// @dev SHA-256 of a tag and of everything that was said of one of them; zero means "none".
type RecordHash is bytes32;

using {isSameRecord as ==, isOtherRecord as !=} for RecordHash global;

/// @dev The units of one issuance; each is of one kilogram, and they are numbered from 1.
struct Issuance {
    BatchId batchId;
    uint64 amount;
    /// @dev Month of the acts, year * 100 + month.
    uint32 vintage;
    MethodologyKey methodologyKey;
    /// @dev Epoch whose block drew the verifier's sample.
    EpochNumber epoch;
}

/// @dev Units that are used for ever: `amount` of them, the first of which is `start`.
struct Retirement {
    RetirementId retirementId;
    BatchId batchId;
    uint64 start;
    uint64 amount;
    uint8 purpose;
    /// @dev Salted commitment to the name of who benefits; the name itself never comes here.
    bytes32 beneficiaryCommit;
    /// @dev Salted commitment to the certificate's claim, which the ledger's entry carries as well.
    bytes32 evidenceHash;
}

/// @dev Units that are declared void: the last `amount` of a batch that ended with the unit `end`.
struct Invalidation {
    InvalidationId invalidationId;
    BatchId batchId;
    uint64 end;
    uint64 amount;
}

/// @dev What citizens and organisations gave up of reductions in one epoch, without units (自愿注销).
struct Cancellation {
    EpochNumber epoch;
    /// @dev RFC 6962 root over the entries of the log that did it, in the log's order.
    bytes32 root;
    /// @dev [mg] of grade A, and of grade B.
    uint128 totalMgA;
    uint128 totalMgB;
}

/// @dev Where a batch stands; its units are 1 … cursor retired, … end in circulation, … issued void.
struct Batch {
    RecordHash record;
    uint64 issued;
    uint64 cursor;
    uint64 end;
}

/// @dev Sums over everything: [kg] of units, [mg] of cancelled reductions.
struct Totals {
    uint64 issued;
    uint64 retired;
    uint64 invalidated;
    uint128 cancelledMgA;
    uint128 cancelledMgB;
}

/// @dev SHA-256("carbon-anchor/v1/issuance-record") and so on: one tag a kind, so that no two kinds share bytes.
bytes32 constant ISSUANCE_TAG = 0x2a6f655a3a2c7192c7600c8cde3e27433cc0ea0b7b5a1185bf49b67c38ad1b6f;
bytes32 constant RETIREMENT_TAG = 0xcb076480a0eb9969707d53b254e1db875f9698090e3c434e9511207819a3af27;
bytes32 constant INVALIDATION_TAG = 0x416333a6324323ae7d6ddfee271a875ff870d54a34b43b6423708b0a661d9bb2;
bytes32 constant CANCELLATION_TAG = 0x2e3a46879763cc910caf395fff057025107c8a528ef5edfc3a6cff3fed6225be;

/// @dev Returns the record of an issuance; SHA-256 like a header's, so that a stranger needs a standard library only.
function recordOf(Issuance calldata said) pure returns (RecordHash) {
    return RecordHash.wrap(
        sha256(abi.encodePacked(ISSUANCE_TAG, said.batchId, said.amount, said.vintage, said.methodologyKey, said.epoch))
    );
}

/// @dev Returns the record of a retirement.
function recordOf(Retirement calldata said) pure returns (RecordHash) {
    return RecordHash.wrap(
        sha256(
            abi.encodePacked(
                RETIREMENT_TAG,
                said.retirementId,
                said.batchId,
                said.start,
                said.amount,
                said.purpose,
                said.beneficiaryCommit,
                said.evidenceHash
            )
        )
    );
}

/// @dev Returns the record of an invalidation.
function recordOf(Invalidation calldata said) pure returns (RecordHash) {
    return RecordHash.wrap(
        sha256(abi.encodePacked(INVALIDATION_TAG, said.invalidationId, said.batchId, said.end, said.amount))
    );
}

/// @dev Returns the record of an epoch's cancellations: also the digest of the header's `aux` under that name.
function recordOf(Cancellation calldata said) pure returns (RecordHash) {
    return
        RecordHash.wrap(sha256(abi.encodePacked(CANCELLATION_TAG, said.epoch, said.root, said.totalMgA, said.totalMgB)));
}

function isSameRecord(RecordHash left, RecordHash right) pure returns (bool) {
    return RecordHash.unwrap(left) == RecordHash.unwrap(right);
}

function isOtherRecord(RecordHash left, RecordHash right) pure returns (bool) {
    return RecordHash.unwrap(left) != RecordHash.unwrap(right);
}
