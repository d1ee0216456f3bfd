// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev SHA-256(METHODOLOGY_TAG ‖ code ‖ 00 ‖ version): the name of one version of one methodology (方法学版本).
type MethodologyKey is bytes32;

/// @dev SHA-256 of the published document of a version, formula included; never zero.
type ContentHash is bytes32;

/// @dev Days since 1970-01-01 in Asia/Shanghai.
type Day is uint32;

using {isSameContent as ==, isOtherContent as !=} for ContentHash global;

/// @dev Where a version stands. It only ever moves forwards, and what it said stays readable in every state.
enum Standing {
    Unknown,
    InForce,
    Superseded,
    Withdrawn
}

/// @dev What the registry keeps of a version: two words.
struct MethodologyVersion {
    ContentHash contentHash;
    uint32 version;
    /// @dev First day on which acts may be quantified by it.
    Day validFrom;
    /// @dev Last such day; NO_END if none is set.
    Day validTo;
    /// @dev Block time of publication [s].
    uint64 publishedAt;
    Standing standing;
}

Day constant NO_END = Day.wrap(type(uint32).max);

/// @dev SHA-256("carbon-anchor/v1/methodology").
bytes32 constant METHODOLOGY_TAG = 0xcce83c3389f3139a73eb4f5d6ef931aafbe9806e7d5ed9952eb3e30710dd2559;

/// @dev Returns the key under which journal entries and the header's methodology root name a version. The last five
/// bytes have a fixed width, so no two (code, version) share a preimage whatever the code contains.
function keyOf(string calldata code, uint32 version) pure returns (MethodologyKey) {
    return MethodologyKey.wrap(sha256(abi.encodePacked(METHODOLOGY_TAG, code, bytes1(0), version)));
}

function isSameContent(ContentHash left, ContentHash right) pure returns (bool) {
    return ContentHash.unwrap(left) == ContentHash.unwrap(right);
}

function isOtherContent(ContentHash left, ContentHash right) pure returns (bool) {
    return ContentHash.unwrap(left) != ContentHash.unwrap(right);
}
