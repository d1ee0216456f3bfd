// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ContentHash, Day, MethodologyKey, MethodologyVersion} from "../types/Methodology.sol";

/// @title The public, append-only register of methodology versions (方法学登记)
/// @notice Says which document stood behind a code and version, and since when, so that nobody can exchange a formula
/// after reductions were computed by it. A version may be superseded or withdrawn; it is never edited or removed.
interface IMethodologyRegistry {
    /// @notice A version was published.
    event MethodologyPublished(
        MethodologyKey indexed key, string code, uint32 version, ContentHash contentHash, Day validFrom, Day validTo
    );

    /// @notice `successor` takes the place of `key`; what `key` computed stays computed.
    event MethodologySuperseded(MethodologyKey indexed key, MethodologyKey indexed successor);

    /// @notice A version should no longer be used, for reasons published elsewhere.
    event MethodologyWithdrawn(MethodologyKey indexed key, bytes32 reasonHash);

    /// @notice A version needs a code of 1 to 64 bytes, a version above zero, content, and days in order.
    error MethodologyRegistryInvalidVersion(string code, uint32 version, ContentHash contentHash);

    /// @notice This code and version were published with other content or other days; publish a new version.
    error MethodologyRegistryConflict(MethodologyKey key);

    /// @notice Nothing was published under this key.
    error MethodologyRegistryUnknownVersion(MethodologyKey key);

    /// @notice The version was superseded or withdrawn already.
    error MethodologyRegistryNotInForce(MethodologyKey key);

    /// @notice Publish a version. Publishing the same again changes nothing and answers false.
    /// @dev Only PUBLISHER_ROLE.
    /// @param code Code of the methodology, for example "SZ-METRO".
    /// @param version Its version, counted from 1.
    /// @param contentHash SHA-256 of its document.
    /// @param validFrom First day on which it applies.
    /// @param validTo Last day on which it applies, 2^32 - 1 if open.
    /// @return fresh True if this call published it, false if it was there before.
    function publish(string calldata code, uint32 version, ContentHash contentHash, Day validFrom, Day validTo)
        external
        returns (bool fresh);

    /// @notice Say that `successor`, itself in force, takes the place of `key`.
    /// @dev Only PUBLISHER_ROLE; `key` must be in force.
    function supersede(MethodologyKey key, MethodologyKey successor) external;

    /// @notice Say that `key` should no longer be used.
    /// @dev Only PUBLISHER_ROLE; a superseded version can still be withdrawn, a withdrawn one not again.
    /// @param reasonHash SHA-256 of the published statement of reasons.
    function withdraw(MethodologyKey key, bytes32 reasonHash) external;

    /// @notice What is kept of `key`; all zero if it is unknown.
    function versionOf(MethodologyKey key) external view returns (MethodologyVersion memory);

    /// @notice How many versions were ever published.
    function versionCount() external view returns (uint256);

    /// @notice The key of the version published at place `index`, counted from 0 in the order of publication.
    /// @dev With {versionCount} and {versionOf}, all that is needed to recompute a header's methodology root.
    function keyAt(uint256 index) external view returns (MethodologyKey);

    /// @notice The key of a code and version, published or not.
    function methodologyKey(string calldata code, uint32 version) external pure returns (MethodologyKey);
}
