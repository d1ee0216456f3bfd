// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EpochHeader, EpochNumber, HeaderHash, OriginTag} from "../types/EpochHeader.sol";

/// @title The public, append-only list of epoch headers of one carbon ledger (碳账本上链存证)
/// @notice One word per epoch commits to every account and every posting of the ledger. Nothing here names a person,
/// and nothing here can be deleted or replaced: no function of this interface writes a word twice.
/// @dev What it proves: order, existence and that everybody is shown the same history, as far as the validators of
/// this chain are trusted. It cannot prove that a trip took place, nor when: `closedAt` is the operator's claim.
interface ICarbonAnchor {
    /// @notice A header was added after the one before it.
    event EpochAnchored(EpochNumber indexed epoch, HeaderHash indexed headerHash, EpochHeader header);

    /// @notice The administrator pointed at an epoch that should not be relied upon; the anchor itself stays.
    event EpochFlagged(EpochNumber indexed epoch, bytes32 reasonHash);

    /// @notice From now on `current` attestors must co-sign a header.
    event ThresholdChanged(uint8 previous, uint8 current);

    /// @notice A contract that starts at epoch 1 has no previous header; one that starts later must name it.
    error CarbonAnchorInvalidStart(EpochNumber firstEpoch, HeaderHash firstPrev);

    /// @notice The header belongs to another ledger.
    error CarbonAnchorWrongOrigin(OriginTag expected, OriginTag given);

    /// @notice Somebody signed two different headers for one epoch (一期两头).
    error CarbonAnchorEquivocation(EpochNumber epoch, HeaderHash anchored, HeaderHash given);

    /// @notice Epochs come one after another, none left out.
    error CarbonAnchorOutOfOrder(EpochNumber expected, EpochNumber given);

    /// @notice The header does not continue the last one.
    error CarbonAnchorBrokenLink(HeaderHash expected, HeaderHash given);

    /// @notice A figure that only ever grows went down, or the clock stood still.
    error CarbonAnchorDecreased(bytes32 field, uint256 last, uint256 given);

    /// @notice More was taken out than was ever put in.
    error CarbonAnchorOverdrawn(bytes32 unit, uint256 credits, uint256 debits);

    /// @notice Fewer co-signatures than the threshold asks for.
    error CarbonAnchorTooFewAttestors(uint256 needed, uint256 given);

    /// @notice Signers must come in strictly ascending order, which is how each is counted once.
    error CarbonAnchorUnsortedAttestors(address previous, address next);

    /// @notice Nothing is anchored for this epoch.
    error CarbonAnchorUnknownEpoch(EpochNumber epoch);

    /// @notice Add the next header. Anchoring the same header again changes nothing and answers false, so a submitter
    /// that lost the answer simply asks again.
    /// @dev Only ANCHOR_ROLE, not while paused. Reverts on a second, different header for an anchored epoch, on a
    /// skipped epoch, a broken link, a foreign origin, on `logSize`, `co2Credits` or `co2Debits` below the last ones,
    /// on `closedAt` not above the last, on debits above credits, and without enough attestations.
    /// @param header The header; this contract hashes it itself.
    /// @param signatures EIP-712 signatures (65 bytes, r ‖ s ‖ v) over {attestationDigest}, ordered by signer, each of a
    /// holder of ATTESTOR_ROLE; at least {threshold}.
    /// @return fresh True if this call anchored it, false if it was anchored before.
    function anchor(EpochHeader calldata header, bytes[] calldata signatures) external returns (bool fresh);

    /// @notice Point at an anchored epoch that should not be relied upon.
    /// @dev Only DEFAULT_ADMIN_ROLE. Emits, and stores nothing.
    /// @param reasonHash SHA-256 of the published statement of reasons.
    function flag(EpochNumber epoch, bytes32 reasonHash) external;

    /// @notice Ask for `current` co-signatures from the next header on; zero means that the operator signs alone.
    /// @dev Only DEFAULT_ADMIN_ROLE. More than there are attestors stops anchoring until it is lowered.
    function setThreshold(uint8 current) external;

    /// @notice Stop new anchors. Only PAUSER_ROLE.
    function pause() external;

    /// @notice Let anchors through again. Only DEFAULT_ADMIN_ROLE: who stops does not resume.
    function unpause() external;

    /// @notice The header hash of `epoch`, zero if none is anchored. Selector 6b5b338d, which verifiers hard-code.
    function headerHashOf(EpochNumber epoch) external view returns (HeaderHash);

    /// @notice The last anchored epoch and its header hash; before the first, the epoch and the hash to continue from.
    function latest() external view returns (EpochNumber epoch, HeaderHash headerHash);

    /// @notice The hash of `header`: SHA-256 over its 324 bytes.
    function hashHeader(EpochHeader calldata header) external pure returns (HeaderHash);

    /// @notice What an attestor signs for `epoch`: EIP-712 `EpochAttestation(uint64 epoch,bytes32 headerHash)`.
    function attestationDigest(EpochNumber epoch, HeaderHash headerHash) external view returns (bytes32);

    /// @notice EIP-712 domain: name "CarbonAnchor", version "1", this chain, this contract.
    function domainSeparator() external view returns (bytes32);

    /// @notice How many attestors must co-sign.
    function threshold() external view returns (uint8);

    /// @notice The ledger whose headers are accepted.
    function originTag() external view returns (OriginTag);

    /// @notice The first epoch of this contract; greater than 1 after a migration from another chain.
    function startEpoch() external view returns (EpochNumber);
}
