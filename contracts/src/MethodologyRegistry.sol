// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

import {IMethodologyRegistry} from "./interfaces/IMethodologyRegistry.sol";
import {ContentHash, Day, MethodologyKey, MethodologyVersion, Standing, keyOf} from "./types/Methodology.sol";

/// @title Digests of published methodology versions, append-only
/// @notice Holds no value and cannot be upgraded.
contract MethodologyRegistry is IMethodologyRegistry, AccessControlDefaultAdminRules {
    bytes32 public constant PUBLISHER_ROLE = keccak256("PUBLISHER_ROLE");

    uint256 private constant CODE_BYTES_MAX = 64;

    mapping(MethodologyKey key => MethodologyVersion version) private _versions;
    MethodologyKey[] private _keys;

    /// @param admin Holder of DEFAULT_ADMIN_ROLE: a multisig in production.
    /// @param adminDelay Seconds between announcing a new admin and its taking over: at least 48 hours in production.
    constructor(address admin, uint48 adminDelay) AccessControlDefaultAdminRules(adminDelay, admin) {}

    /// @inheritdoc IMethodologyRegistry
    function publish(string calldata code, uint32 version, ContentHash contentHash, Day validFrom, Day validTo)
        external
        onlyRole(PUBLISHER_ROLE)
        returns (bool fresh)
    {
        if (!_isValid(code, version, contentHash, validFrom, validTo)) {
            revert MethodologyRegistryInvalidVersion(code, version, contentHash);
        }
        MethodologyKey key = keyOf(code, version);
        MethodologyVersion storage known = _versions[key];
        if (known.standing != Standing.Unknown) {
            if (known.contentHash == contentHash && _isSameTerm(known, validFrom, validTo)) return false;
            revert MethodologyRegistryConflict(key);
        }

        _versions[key] = MethodologyVersion({
            contentHash: contentHash,
            version: version,
            validFrom: validFrom,
            validTo: validTo,
            publishedAt: uint64(block.timestamp),
            standing: Standing.InForce
        });
        _keys.push(key);
        emit MethodologyPublished(key, code, version, contentHash, validFrom, validTo);
        return true;
    }

    /// @inheritdoc IMethodologyRegistry
    function supersede(MethodologyKey key, MethodologyKey successor) external onlyRole(PUBLISHER_ROLE) {
        MethodologyVersion storage known = _inForce(key);
        // A successor must outlive the call: with `successor` equal to `key` the second look would still pass.
        if (MethodologyKey.unwrap(key) == MethodologyKey.unwrap(successor)) revert MethodologyRegistryConflict(key);
        _inForce(successor);
        known.standing = Standing.Superseded;
        emit MethodologySuperseded(key, successor);
    }

    /// @inheritdoc IMethodologyRegistry
    function withdraw(MethodologyKey key, bytes32 reasonHash) external onlyRole(PUBLISHER_ROLE) {
        MethodologyVersion storage known = _versions[key];
        if (known.standing == Standing.Unknown) revert MethodologyRegistryUnknownVersion(key);
        if (known.standing == Standing.Withdrawn) revert MethodologyRegistryNotInForce(key);
        known.standing = Standing.Withdrawn;
        emit MethodologyWithdrawn(key, reasonHash);
    }

    /// @inheritdoc IMethodologyRegistry
    function versionOf(MethodologyKey key) external view returns (MethodologyVersion memory) {
        return _versions[key];
    }

    /// @inheritdoc IMethodologyRegistry
    function versionCount() external view returns (uint256) {
        return _keys.length;
    }

    /// @inheritdoc IMethodologyRegistry
    function keyAt(uint256 index) external view returns (MethodologyKey) {
        return _keys[index];
    }

    /// @inheritdoc IMethodologyRegistry
    function methodologyKey(string calldata code, uint32 version) external pure returns (MethodologyKey) {
        return keyOf(code, version);
    }

    function _inForce(MethodologyKey key) private view returns (MethodologyVersion storage known) {
        known = _versions[key];
        if (known.standing == Standing.Unknown) revert MethodologyRegistryUnknownVersion(key);
        if (known.standing != Standing.InForce) revert MethodologyRegistryNotInForce(key);
    }

    function _isSameTerm(MethodologyVersion storage known, Day validFrom, Day validTo) private view returns (bool) {
        return Day.unwrap(known.validFrom) == Day.unwrap(validFrom) && Day.unwrap(known.validTo) == Day.unwrap(validTo);
    }

    function _isValid(string calldata code, uint32 version, ContentHash contentHash, Day validFrom, Day validTo)
        private
        pure
        returns (bool)
    {
        return bytes(code).length > 0 && bytes(code).length <= CODE_BYTES_MAX && version > 0
            && contentHash != ContentHash.wrap(0) && Day.unwrap(validFrom) <= Day.unwrap(validTo);
    }
}
