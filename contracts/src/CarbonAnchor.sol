// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ICarbonAnchor} from "./interfaces/ICarbonAnchor.sol";
import {EpochAttestation} from "./libraries/EpochAttestation.sol";
import {EpochHeader, EpochNumber, HeaderHash, OriginTag, hashOf} from "./types/EpochHeader.sol";
import {Tip} from "./types/Tip.sol";

/// @title Epoch headers: sequential, linked, monotone, never overwritten
/// @notice Holds no value and cannot be upgraded: an evidence log whose code can change proves little.
contract CarbonAnchor is ICarbonAnchor, AccessControlDefaultAdminRules, Pausable {
    bytes32 public constant ANCHOR_ROLE = keccak256("ANCHOR_ROLE");
    bytes32 public constant ATTESTOR_ROLE = keccak256("ATTESTOR_ROLE");
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

    OriginTag private immutable _originTag;
    EpochNumber private immutable _startEpoch;

    // Shares a slot with Pausable's flag, which every anchor reads anyway.
    uint8 private _threshold;
    Tip private _tip;
    mapping(EpochNumber epoch => HeaderHash headerHash) private _headerHashes;

    /// @param firstEpoch The first epoch to be anchored here: 1, or the next one after a migration.
    /// @param firstPrev Header hash of the epoch before it: zero for epoch 1, and only then.
    /// @param origin The ledger whose headers are accepted.
    /// @param admin Holder of DEFAULT_ADMIN_ROLE: a multisig in production.
    /// @param adminDelay Seconds between announcing a new admin and its taking over: at least 48 hours in production.
    constructor(EpochNumber firstEpoch, HeaderHash firstPrev, OriginTag origin, address admin, uint48 adminDelay)
        AccessControlDefaultAdminRules(adminDelay, admin)
    {
        uint64 first = EpochNumber.unwrap(firstEpoch);
        bool hasPrevious = firstPrev != HeaderHash.wrap(0);
        if (first == 0 || hasPrevious != (first > 1)) revert CarbonAnchorInvalidStart(firstEpoch, firstPrev);
        _originTag = origin;
        _startEpoch = firstEpoch;
        _tip.epoch = EpochNumber.wrap(first - 1);
        _headerHashes[_tip.epoch] = firstPrev;
    }

    /// @inheritdoc ICarbonAnchor
    function anchor(EpochHeader calldata header, bytes[] calldata signatures)
        external
        onlyRole(ANCHOR_ROLE)
        whenNotPaused
        returns (bool fresh)
    {
        HeaderHash given = hashOf(header);
        HeaderHash anchored = _headerHashes[header.epoch];
        if (anchored == given) return false;
        if (anchored != HeaderHash.wrap(0)) revert CarbonAnchorEquivocation(header.epoch, anchored, given);

        if (header.originTag != _originTag) revert CarbonAnchorWrongOrigin(_originTag, header.originTag);
        _tip.checkNext(header);
        HeaderHash last = _headerHashes[_tip.epoch];
        if (header.prevHeader != last) revert CarbonAnchorBrokenLink(last, header.prevHeader);
        _tip.checkTotals(header);
        _checkAttested(EpochAttestation.digest(header.epoch, given), signatures);

        _tip.advance(header);
        _headerHashes[header.epoch] = given;
        emit EpochAnchored(header.epoch, given, header);
        return true;
    }

    /// @inheritdoc ICarbonAnchor
    function flag(EpochNumber epoch, bytes32 reasonHash) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (_headerHashes[epoch] == HeaderHash.wrap(0)) revert CarbonAnchorUnknownEpoch(epoch);
        emit EpochFlagged(epoch, reasonHash);
    }

    /// @inheritdoc ICarbonAnchor
    function setThreshold(uint8 current) external onlyRole(DEFAULT_ADMIN_ROLE) {
        uint8 previous = _threshold;
        _threshold = current;
        emit ThresholdChanged(previous, current);
    }

    /// @inheritdoc ICarbonAnchor
    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    /// @inheritdoc ICarbonAnchor
    function unpause() external onlyRole(DEFAULT_ADMIN_ROLE) {
        _unpause();
    }

    /// @inheritdoc ICarbonAnchor
    function headerHashOf(EpochNumber epoch) external view returns (HeaderHash) {
        return _headerHashes[epoch];
    }

    /// @inheritdoc ICarbonAnchor
    function latest() external view returns (EpochNumber epoch, HeaderHash headerHash) {
        return (_tip.epoch, _headerHashes[_tip.epoch]);
    }

    /// @inheritdoc ICarbonAnchor
    function hashHeader(EpochHeader calldata header) external pure returns (HeaderHash) {
        return hashOf(header);
    }

    /// @inheritdoc ICarbonAnchor
    function attestationDigest(EpochNumber epoch, HeaderHash headerHash) external view returns (bytes32) {
        return EpochAttestation.digest(epoch, headerHash);
    }

    /// @inheritdoc ICarbonAnchor
    function domainSeparator() external view returns (bytes32) {
        return EpochAttestation.domainSeparator();
    }

    /// @inheritdoc ICarbonAnchor
    function threshold() external view returns (uint8) {
        return _threshold;
    }

    /// @inheritdoc ICarbonAnchor
    function originTag() external view returns (OriginTag) {
        return _originTag;
    }

    /// @inheritdoc ICarbonAnchor
    function startEpoch() external view returns (EpochNumber) {
        return _startEpoch;
    }

    /// @dev Each signer is an attestor and counts once; the ascending order shows that without a second loop.
    function _checkAttested(bytes32 digest, bytes[] calldata signatures) private view {
        if (signatures.length < _threshold) revert CarbonAnchorTooFewAttestors(_threshold, signatures.length);
        address previous = address(0);
        for (uint256 i = 0; i < signatures.length; ++i) {
            address signer = ECDSA.recoverCalldata(digest, signatures[i]);
            if (signer <= previous) revert CarbonAnchorUnsortedAttestors(previous, signer);
            _checkRole(ATTESTOR_ROLE, signer);
            previous = signer;
        }
    }
}
